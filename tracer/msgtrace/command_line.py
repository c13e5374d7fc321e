"""The command line: a table of commands, each loaded when it is called. `run` must not load what reads traces."""

from __future__ import annotations

import importlib
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import click

from msgtrace import __version__

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Entry:
    """Where a command is, `module:function`, and what help says of it without loading it."""

    place: str
    help: str


COMMANDS: Final[dict[str, Entry]] = {
    "run": Entry("msgtrace.commands.run:run", "Run a program and record its messages."),
    "attach": Entry("msgtrace.commands.attach:attach", "Record in running Python processes."),
    "detach": Entry("msgtrace.commands.detach:detach", "End recording in a process that was attached to."),
    "report": Entry(
        "msgtrace_analysis.commands.report:report",
        "Write the documents: guide, report page, EVENT_FLOWS.json, AsyncAPI, and more.",
    ),
    "events": Entry("msgtrace_analysis.commands.looks:events", "Event types: who publishes and who consumes them."),
    "flows": Entry("msgtrace_analysis.commands.flows:flows", "What leads to what."),
    "calls": Entry("msgtrace_analysis.commands.calls:calls", "Requests over HTTP: who calls whom."),
    "rates": Entry(
        "msgtrace_analysis.commands.rates:rates", "How often, in which rhythm, and whether consumers keep up."
    ),
    "retries": Entry(
        "msgtrace_analysis.commands.retries:retries",
        "How messages are tried again, and where they end that never succeed.",
    ),
    "schemas": Entry(
        "msgtrace_analysis.commands.schemas:schemas", "What bodies look like: JSON Schema, fields, versions."
    ),
    "show": Entry("msgtrace_analysis.commands.show:show_event", "Everything about one event type, in one screen."),
    "queues": Entry("msgtrace_analysis.commands.looks:queues", "Exchanges, queues, topics and streams."),
    "delivery": Entry(
        "msgtrace_analysis.commands.delivery:delivery",
        "What delivery promises and kept: acknowledgements, duplicates, order, gaps, lag.",
    ),
    "security": Entry(
        "msgtrace_analysis.commands.security:security",
        "Encryption, access, personal data and secrets by field: never a value.",
    ),
    "resilience": Entry(
        "msgtrace_analysis.commands.resilience:resilience", "A score of how well the system stands failure, and why."
    ),
    "diff": Entry(
        "msgtrace_analysis.commands.diff:diff", "What changed from one run to another, and what that breaks."
    ),
    "losses": Entry("msgtrace_analysis.commands.looks:losses", "What was not recorded, and why."),
    "tail": Entry("msgtrace_analysis.commands.tail:tail", "Operations as they are recorded."),
    "follow": Entry("msgtrace_analysis.commands.follow:follow", "Everything about one message or correlation id."),
    "sql": Entry("msgtrace_analysis.commands.sql:sql", "Ask the trace file in SQL."),
    "export": Entry(
        "msgtrace_analysis.commands.export:export",
        "Write a trace in another tool's form: AsyncAPI, JSON Schema, OTLP, alert rules, and more.",
    ),
    "collect": Entry("msgtrace_collectors.commands:collect", "Collect a spool's segments into a trace file."),
    "forward": Entry(
        "msgtrace_collectors.forwarding.commands:forward", "Send a spool's records to a central collector."
    ),
    "certificates": Entry(
        "msgtrace_collectors.forwarding.certificates:certificates", "Make certificates and a token for forwarding."
    ),
    "inspect": Entry(
        "msgtrace_collectors.inspection.command:inspect", "Read live brokers, and only read, into the trace file."
    ),
    "doctor": Entry("msgtrace.commands.doctor:doctor", "Check what can be recorded here."),
}
"""In the order in which help lists them."""


EXTRAS: Final = {"cryptography": "certificates", "grpc": "otlp", "google": "otlp", "opentelemetry": "otlp"}
"""What is installed beside the tools for some commands, by what they import."""


class Commands(click.Group):
    """A group whose commands are imported on use.

    Args:
        entries: its commands by name.
        attributes: as a group of click's has them.
    """

    def __init__(self, entries: Mapping[str, Entry], **attributes: Any) -> None:
        super().__init__(**attributes)
        self._entries = entries

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """The names, in the table's order."""
        return list(self._entries)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """List the commands without loading any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.help) for name, entry in self._entries.items()])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Load a command.

        Raises:
            click.ClickException: what it needs is not installed.
        """
        entry = self._entries.get(cmd_name)
        if entry is None:
            return None
        module, _, function = entry.place.partition(":")
        try:
            command: click.Command = getattr(importlib.import_module(module), function)
        except ModuleNotFoundError as error:
            if error.name is None or error.name.startswith("msgtrace"):
                raise
            extras = ",".join(["tools", *(extra for top, extra in EXTRAS.items() if error.name.split(".")[0] == top)])
            raise click.ClickException(
                f"`msgtrace {cmd_name}` needs {error.name}, which is not installed here: pip install 'msgtrace[{extras}]'"
            ) from None
        return command


@click.group(cls=Commands, entries=COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
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
