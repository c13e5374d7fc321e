"""`msgtrace run`: start a program so that it records, keep a collector beside it, and get out of the way.

The program keeps its exit code, signals, standard streams and terminal. Our own words go to standard error: before it
starts if it can't be recorded, and after it has ended.
"""

from __future__ import annotations

import os
import re
import resource
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from msgtrace.commands.program import Program
from msgtrace.commands.supervise import Collector, CollectorFailed, tool_environment
from msgtrace.commands.target import TargetError, check, environment, recording_processes, warning_of
from msgtrace.hooks import hooks_of
from msgtrace.settings import BadSetting, Settings

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

DEFAULT_TRACE = Path(".msgtrace") / "trace.duckdb"
_SIGNALS_THAT_DUMP = {
    signal.SIGQUIT, signal.SIGABRT, signal.SIGSEGV, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGTRAP,
    signal.SIGSYS, signal.SIGXCPU, signal.SIGXFSZ,
}  # fmt: skip


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


@click.command(context_settings={"ignore_unknown_options": False, "allow_interspersed_args": False})
@click.option("--db", type=click.Path(path_type=Path, dir_okay=False), default=DEFAULT_TRACE, show_default=True,
              help="The trace file; continued if it exists.")  # fmt: skip
@click.option("--service", default="", help="This service's name; from the command line by default.")
@click.option(
    "--only", multiple=True, metavar="LIBRARY", callback=_libraries, help="Record only this library. Repeatable."
)
@click.option("--ignore", multiple=True, metavar="LIBRARY", callback=_libraries, help="Don't record it. Repeatable.")
@click.option("--propagate", is_flag=True, help="Add traceparent headers to outgoing messages. Changes the traffic.")
@click.option("--body-limit", type=click.IntRange(0, 1 << 24), metavar="BYTES", help="Bytes kept of a body.")
@click.option("--redact", multiple=True, metavar="RULE",
              help="off, name:NAME, keep:NAME or pattern:REGEX. Repeatable.")  # fmt: skip
@click.option(
    "--max-size",
    metavar="SIZE",
    callback=_written(r"\d+(\.\d+)?\s*[KMGT]?B?", "a size such as 500MB"),
    help="Delete the oldest operations beyond, e.g. 500MB.",
)
@click.option(
    "--max-age",
    metavar="TIME",
    callback=_written(r"\d+(\.\d+)?[smhd]?", "a time such as 12h"),
    help="Delete operations that are older, e.g. 12h.",
)
@click.option("--schema-registry", envvar="MSGTRACE_SCHEMA_REGISTRY", default="", metavar="URL",
              help="Ask it for Avro and Protobuf schemas.")  # fmt: skip
@click.option("--schemas", envvar="MSGTRACE_SCHEMAS", default="", metavar="FOLDER",
              help="Of .avsc files and Protobuf descriptor sets.")  # fmt: skip
@click.option("--message-type", multiple=True, metavar="CHANNEL=TYPE",
              help="The Protobuf message on a channel. Repeatable.")  # fmt: skip
@click.option("--quiet", is_flag=True, help="No summary at the end.")
@click.option("--verbose", is_flag=True, help="Say what was hooked, and what could not be.")
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def run(
    db: Path,
    quiet: bool,  # noqa: FBT001 - click passes by name
    verbose: bool,  # noqa: FBT001
    command: tuple[str, ...],
    redact: tuple[str, ...],
    max_size: str | None,
    max_age: str | None,
    schema_registry: str,
    schemas: str,
    message_type: tuple[str, ...],
    **chosen: Any,
) -> None:
    """Run COMMAND and record every message it publishes and consumes.

    Example: msgtrace run -- python app.py
    """
    _keep_standard_streams()
    try:
        program = check(command)
        settings = Settings.chosen(**chosen)
        limits = {"--max-size": max_size, "--max-age": max_age}
        collector = Collector(db, redact, limits, _schemas(schema_registry, schemas, message_type))
        collector.start()
    except TargetError as error:
        _fail(str(error), error.code)
    except (BadSetting, CollectorFailed) as error:
        _fail(str(error))
    warning = warning_of(program, command)
    if warning:
        _say(warning)
    code = _run(program, command, environment(settings, collector.spool), collector)
    if not quiet:
        _summarise(db, verbose=verbose)
    _exit_like(code)


def _schemas(registry: str, folder: str, message_types: tuple[str, ...]) -> dict[str, str]:
    """For the collector's environment: an address with a password in it is nobody else's to see."""
    return {
        "MSGTRACE_SCHEMA_REGISTRY": registry,
        "MSGTRACE_SCHEMAS": folder and os.path.abspath(folder),  # noqa: PTH100 - before the program changes anything
        "MSGTRACE_MESSAGE_TYPES": " ".join([os.environ.get("MSGTRACE_MESSAGE_TYPES", ""), *message_types]).strip(),
    }


def _run(program: str, command: tuple[str, ...], variables: dict[str, str], collector: Collector) -> int:
    """Run the program and store what it recorded; the program's return code."""
    running = Program()
    try:
        running.start(program, command, variables)
    except OSError as error:
        collector.stop()
        collector.discard()
        _fail(f"{program} can't be started: {error.strerror}", 126)
    try:
        code = running.wait(collector.keep_alive)
        _await_storing()  # before signals come through again
    finally:
        running.restore_signals()
    _store(collector, left_over=len(set(recording_processes(collector.spool)) - {collector.pid}))
    return code


def _await_storing() -> None:
    """Say at a first Ctrl-C what goes on, and leave it at a second."""
    interrupted: list[int] = []

    def wait_or_leave(_number: int, _frame: FrameType | None) -> None:
        if interrupted:
            raise KeyboardInterrupt
        interrupted.append(1)
        _say("storing what was recorded; Ctrl-C again leaves it where it is")

    signal.signal(signal.SIGINT, wait_or_leave)
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, signal.SIG_IGN)  # the program has ended, and so do we in a moment


def _store(collector: Collector, left_over: int) -> None:
    """Have everything stored that the program recorded, and say what could not be."""
    for line in collector.stop():
        _say(line)
    if left_over:
        _say(
            f"{left_over} of the program's processes go on; what they do from now on is not recorded. Keep the program "
            "in the foreground, or record with `msgtrace collect`"
        )
    for note in collector.notes():
        _say(f"not recorded: {note}")
    collector.discard()


def _summarise(db: Path, *, verbose: bool) -> None:
    command = [sys.executable, "-P", "-m", "msgtrace_analysis.summary", str(db)]
    if verbose:
        command.append("--verbose")
    subprocess.run(command, stdin=subprocess.DEVNULL, stdout=2, env=tool_environment(), check=False)


def _keep_standard_streams() -> None:
    """Occupy descriptors 0 to 2 that we were started without, so that no file of ours gets such a number.

    The program has them closed all the same.
    """
    while (file := os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)) <= 2:
        pass
    os.close(file)


def _say(text: str) -> None:
    click.echo(f"msgtrace: {text}", err=True)


def _fail(text: str, code: int = 1) -> NoReturn:
    _say(text)
    sys.exit(code)


def _exit_like(code: int) -> NoReturn:
    """End as the program did: by the same signal, or with the same code."""
    if code >= 0:
        sys.exit(code)
    number = signal.Signals(-code) if -code in signal.Signals.__members__.values() else -code
    if number in _SIGNALS_THAT_DUMP:
        # The program has left its core; ours would hide it.
        resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    if number != signal.SIGKILL:
        signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {number})
    os.kill(os.getpid(), number)
    # Still here: the first process of a container has no default signals. What a shell makes of such an end:
    sys.exit(128 - code)
