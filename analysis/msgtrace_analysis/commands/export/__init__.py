"""`msgtrace export`: what a trace tells, in other tools' forms. One subcommand a file, loaded on use."""

from __future__ import annotations

import importlib
from typing import Final

import click

FORMS: Final[dict[str, tuple[str, str]]] = {
    "asyncapi": ("asyncapi:asyncapi", "AsyncAPI 3.1 documents of the system and of each service."),
    "jsonschema": ("jsonschema:jsonschema", "A JSON Schema file for each event type and version."),
}
"""Subcommand -> `module:function` under this package, and what help says of it."""


class Forms(click.Group):
    """A group whose subcommands are imported on use."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """The names, in the table's order."""
        return list(FORMS)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """List the subcommands without loading any."""
        with formatter.section("Forms"):
            formatter.write_dl([(name, help_) for name, (_, help_) in FORMS.items()])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Load a subcommand."""
        if cmd_name not in FORMS:
            return None
        module, _, function = FORMS[cmd_name][0].partition(":")
        command: click.Command = getattr(importlib.import_module(f"{__name__}.{module}"), function)
        return command


@click.group(cls=Forms)
def export() -> None:
    """Write what a trace tells in the form that another tool reads."""
