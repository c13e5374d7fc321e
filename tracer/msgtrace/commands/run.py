"""`msgtrace run`: start a program so that it records, keep a collector beside it, and get out of the way.

The program keeps its exit code, signals, standard streams and terminal. Our own words go to standard error, after it
has ended.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from msgtrace.commands.supervise import Collector, CollectorFailed
from msgtrace.commands.target import TargetError, check, environment, warning_of
from msgtrace.settings import Settings

if TYPE_CHECKING:
    from types import FrameType

DEFAULT_TRACE = Path(".msgtrace") / "trace.duckdb"
FORWARDED = (signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)


@click.command(context_settings={"ignore_unknown_options": False, "allow_interspersed_args": False})
@click.option("--db", type=click.Path(path_type=Path, dir_okay=False), default=DEFAULT_TRACE, show_default=True,
              help="The trace file; continued if it exists.")  # fmt: skip
@click.option("--service", default="", help="This service's name; from the command line by default.")
@click.option("--only", multiple=True, metavar="LIBRARY", help="Record only this library. May be repeated.")
@click.option("--ignore", multiple=True, metavar="LIBRARY", help="Don't record this library. May be repeated.")
@click.option("--propagate", is_flag=True, help="Add traceparent headers to outgoing messages. Changes the traffic.")
@click.option("--body-limit", type=click.IntRange(0, 1 << 24), default=None, metavar="BYTES", help="Bytes kept of a body.")
@click.option("--quiet", is_flag=True, help="No summary at the end.")
@click.option("--verbose", is_flag=True, help="Say what was hooked, and what could not be.")
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def run(
    db: Path,
    service: str,
    only: tuple[str, ...],
    ignore: tuple[str, ...],
    propagate: bool,  # noqa: FBT001 - click passes by name
    body_limit: int | None,
    quiet: bool,  # noqa: FBT001
    verbose: bool,  # noqa: FBT001
    command: tuple[str, ...],
) -> None:
    """Run COMMAND and record every message it publishes and consumes.

    Example: msgtrace run -- python app.py
    """
    try:
        program = check(command)
    except TargetError as error:
        raise click.ClickException(str(error)) from None
    chosen = {} if body_limit is None else {"body_limit": body_limit}
    settings = Settings(service=service, only=only, ignore=ignore, propagate=propagate, **chosen)
    collector = Collector(db)
    try:
        collector.start()
    except CollectorFailed as error:
        collector.discard()
        raise click.ClickException(str(error)) from None
    warning = warning_of(program, command)
    if warning:
        click.echo(f"msgtrace: {warning}", err=True)
    code = _run(program, command, environment(settings, collector.spool), collector)
    failure = collector.stop()
    if failure:
        click.echo(f"msgtrace: {failure}", err=True)
    if not quiet:
        _summarise(db, collector, verbose=verbose)
    collector.discard()
    _exit_like(code)


def _run(program: str, command: tuple[str, ...], variables: dict[str, str], collector: Collector) -> int:
    """Run the program to its end, restarting the collector if it dies; the program's return code."""
    received: list[int] = []

    def forward(number: int, _frame: FrameType | None) -> None:
        received.append(number)
        if child.poll() is None:
            child.send_signal(number)

    # Installed before the child exists, and reset in it by Python's own start-up: ignored ones would be inherited.
    child = subprocess.Popen(command, executable=program, env=variables, close_fds=False)
    for number in FORWARDED:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, forward)
    # The terminal sends these to the whole group: the program decides what they mean.
    for number in (signal.SIGINT, signal.SIGQUIT):
        signal.signal(number, lambda *_: None)
    while True:
        try:
            return child.wait(timeout=0.5)
        except subprocess.TimeoutExpired:
            collector.keep_alive()


def _summarise(db: Path, collector: Collector, *, verbose: bool) -> None:
    for note in collector.notes():
        click.echo(f"msgtrace: not recorded: {note}", err=True)
    command = [sys.executable, "-P", "-m", "msgtrace_analysis.summary", str(db)]
    if verbose:
        command.append("--verbose")
    subprocess.run(command, stdout=sys.stderr, check=False)


def _exit_like(code: int) -> None:
    """End as the program did: by the same signal, or with the same code."""
    sys.stdout.flush()
    sys.stderr.flush()
    if code < 0:
        number = -code
        if number in {signal.SIGQUIT, signal.SIGABRT, signal.SIGSEGV, signal.SIGBUS, signal.SIGFPE, signal.SIGILL}:
            import resource  # noqa: PLC0415 - the rare way; the program has left its core, ours would hide it

            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if number not in {signal.SIGKILL, signal.SIGSTOP}:
            signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
    sys.exit(code)


