"""What `run` and `attach` have in common: the options that say what is recorded and where, and what is said at the end."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn

import click

from msgtrace.commands.supervise import Collector, tool_environment
from msgtrace.hooks import hooks_of
from msgtrace.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from msgtrace.commands.supervise import Place

DEFAULT_TRACE: Final = Path(".msgtrace") / "trace.duckdb"


def _written(form: str, name: str) -> Callable[[click.Context, click.Parameter, str | None], str | None]:
    """For an option that the collector reads: only its form is looked at here, before anything is started."""

    def checked(_context: click.Context, option: click.Parameter, value: str | None) -> str | None:
        if value is not None and re.fullmatch(form, value, re.IGNORECASE) is None:
            raise click.BadParameter(f"{value!r} is not {name}", param=option)
        return value

    return checked


def _libraries(_context: click.Context, option: click.Parameter, names: tuple[str, ...]) -> tuple[str, ...]:
    """Hooks by the names that users know: of what they import, several parted by commas."""
    try:
        return hooks_of(part.strip() for given in names for part in given.split(","))
    except ValueError as error:
        raise click.BadParameter(str(error), param=option) from None


_OPTIONS: Final = (
    click.option("--db", type=click.Path(path_type=Path, dir_okay=False), default=DEFAULT_TRACE, show_default=True,
                 help="The trace file; continued if it exists."),
    click.option("--service", default="", help="This service's name; from the command line by default."),
    click.option("--only", multiple=True, metavar="LIBRARY", callback=_libraries,
                 help="Record only this library. Repeatable."),
    click.option("--ignore", multiple=True, metavar="LIBRARY", callback=_libraries,
                 help="Don't record it. Repeatable."),
    click.option("--propagate", is_flag=True, help="Add traceparent headers to outgoing messages. Changes the traffic."),
    click.option("--sample", type=click.FloatRange(0, 1, min_open=True), metavar="PART",
                 help="Record this part of the conversations only, e.g. 0.1: docs/staging.md."),
    click.option("--body-limit", type=click.IntRange(0, 1 << 24), metavar="BYTES", help="Bytes kept of a body."),
    click.option("--redact", multiple=True, metavar="RULE",
                 help="off, name:NAME, keep:NAME or pattern:REGEX. Repeatable."),
    click.option("--max-size", metavar="SIZE", callback=_written(r"\d+(\.\d+)?\s*[KMGT]?B?", "a size such as 500MB"),
                 help="Delete the oldest operations beyond, e.g. 500MB."),
    click.option("--max-age", metavar="TIME", callback=_written(r"\d+(\.\d+)?[smhd]?", "a time such as 12h"),
                 help="Delete operations that are older, e.g. 12h."),
    click.option("--schema-registry", envvar="MSGTRACE_SCHEMA_REGISTRY", default="", metavar="URL",
                 help="Ask it for Avro and Protobuf schemas."),
    click.option("--schemas", envvar="MSGTRACE_SCHEMAS", default="", metavar="FOLDER",
                 help="Of .avsc files and Protobuf descriptor sets."),
    click.option("--message-type", multiple=True, metavar="CHANNEL=TYPE",
                 help="The Protobuf message on a channel. Repeatable."),
    click.option("--quiet", is_flag=True, help="No summary at the end."),
    click.option("--verbose", is_flag=True, help="Say what was hooked, and what could not be."),
)  # fmt: skip


def options(command: Callable[..., None]) -> Callable[..., None]:
    """Decorates a command with the options of every recording."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def settings_of(chosen: dict[str, Any]) -> Settings:
    """The environment's, with what the options say in their place.

    Raises:
        BadSetting: the environment says what can't be understood.
    """
    return Settings.chosen(**{name: value for name, value in chosen.items() if name in Settings.__struct_fields__})


def collector_of(chosen: dict[str, Any], place: Place | None = None) -> Collector:
    """The collector that the options ask for.

    Args:
        chosen: the options.
        place: see `Collector`.

    Raises:
        CollectorFailed: a rule can't be understood.
    """
    limits = {"--max-size": chosen["max_size"], "--max-age": chosen["max_age"]}
    types = " ".join([os.environ.get("MSGTRACE_MESSAGE_TYPES", ""), *chosen["message_type"]]).strip()
    folder = chosen["schemas"]
    # For the collector's environment: an address with a password in it is nobody else's to see.
    schemas = {
        "MSGTRACE_SCHEMA_REGISTRY": chosen["schema_registry"],
        "MSGTRACE_SCHEMAS": folder and os.path.abspath(folder),  # noqa: PTH100 - before the program changes anything
        "MSGTRACE_MESSAGE_TYPES": types,
    }
    return Collector(chosen["db"], chosen["redact"], limits, schemas, place)


def store(collector: Collector, left_over: Callable[[Collector], str] = lambda _: "") -> None:
    """Have everything stored that was recorded, and say what could not be.

    Args:
        collector: of the recording.
        left_over: what is to be said of processes that go on, once it has ended.
    """
    for line in collector.stop():
        say(line)
    if said := left_over(collector):
        say(said)
    for note in collector.notes():
        say(f"not recorded: {note}")
    collector.discard()


def summarise(db: Path, *, verbose: bool) -> None:
    """Say what is in a trace file now."""
    command = [sys.executable, "-P", "-m", "msgtrace_analysis.summary", str(db)]
    if verbose:
        command.append("--verbose")
    subprocess.run(command, stdin=subprocess.DEVNULL, stdout=2, env=tool_environment(), check=False)


def say(text: str) -> None:
    """One line for the user."""
    click.echo(f"msgtrace: {text}", err=True)


def fail(text: str, code: int = 1) -> NoReturn:
    """Say what went wrong, and end."""
    say(text)
    sys.exit(code)
