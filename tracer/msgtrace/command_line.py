"""The command line: a table of commands, each loaded when it is called. `run` must not load what reads traces."""

from __future__ import annotations

import importlib
import sys
from typing import Final

import click

from msgtrace import __version__

COMMANDS: Final[dict[str, str]] = {
    "run": "msgtrace.commands.run:run",
    "doctor": "msgtrace.commands.doctor:doctor",
    "collect": "msgtrace_collectors.commands:collect",
    "report": "msgtrace_analysis.commands.report:report",
    "events": "msgtrace_analysis.commands.looks:events",
    "flows": "msgtrace_analysis.commands.looks:flows",
    "queues": "msgtrace_analysis.commands.looks:queues",
    "losses": "msgtrace_analysis.commands.looks:losses",
    "tail": "msgtrace_analysis.commands.tail:tail",
    "follow": "msgtrace_analysis.commands.follow:follow",
    "sql": "msgtrace_analysis.commands.sql:sql",
}
"""Name -> `module:function`, in the order in which help lists them."""


class Commands(click.Group):
    """A group whose commands are imported on use."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """The names, in the table's order."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Load a command.

        Raises:
            click.ClickException: what it needs is not installed.
        """
        place = COMMANDS.get(cmd_name)
        if place is None:
            return None
        module, _, function = place.partition(":")
        try:
            command: click.Command = getattr(importlib.import_module(module), function)
        except ModuleNotFoundError as error:
            if error.name is None or error.name.startswith("msgtrace"):
                raise
            raise click.ClickException(
                f"`msgtrace {cmd_name}` needs {error.name}, which is not installed here: pip install 'msgtrace[tools]'"
            ) from None
        return command


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="msgtrace")
def cli() -> None:
    """Record every message a Python program really publishes and consumes, and write its messaging guide.

    Start with: msgtrace run -- python app.py
    """


def main() -> None:
    """The console script."""
    try:
        cli.main(prog_name="msgtrace")
    except BrokenPipeError:
        # The reader of our output has seen enough (`msgtrace events | head`).
        sys.stderr.close()
        sys.exit(141)
