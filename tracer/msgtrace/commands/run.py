"""`msgtrace run`: start a program so that it records, keep a collector beside it, and get out of the way.

The program keeps its exit code, signals, standard streams and terminal. Our own words go to standard error: before it
starts if it can't be recorded, and after it has ended.
"""

from __future__ import annotations

import os
import resource
import signal
import sys
from typing import TYPE_CHECKING, Any, NoReturn

import click

from msgtrace.commands.program import Program
from msgtrace.commands.recording import collector_of, fail, options, say, settings_of, store, summarise
from msgtrace.commands.supervise import CollectorFailed
from msgtrace.commands.target import TargetError, check, environment, recording_processes, warning_of
from msgtrace.settings import BadSetting

if TYPE_CHECKING:
    from types import FrameType

    from msgtrace.commands.supervise import Collector

_SIGNALS_THAT_DUMP = {
    signal.SIGQUIT, signal.SIGABRT, signal.SIGSEGV, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGTRAP,
    signal.SIGSYS, signal.SIGXCPU, signal.SIGXFSZ,
}  # fmt: skip


@click.command(context_settings={"ignore_unknown_options": False, "allow_interspersed_args": False})
@options
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def run(command: tuple[str, ...], quiet: bool, verbose: bool, **chosen: Any) -> None:  # noqa: FBT001 - click passes by name
    """Run COMMAND and record every message it publishes and consumes.

    Example: msgtrace run -- python app.py
    """
    _keep_standard_streams()
    try:
        program = check(command)
        settings = settings_of(chosen)
        collector = collector_of(chosen)
        collector.start()
    except TargetError as error:
        fail(str(error), error.code)
    except (BadSetting, CollectorFailed) as error:
        fail(str(error))
    warning = warning_of(program, command)
    if warning:
        say(warning)
    code = _run(program, command, environment(settings, collector.spool), collector)
    if not quiet:
        summarise(chosen["db"], verbose=verbose)
    _exit_like(code)


def _run(program: str, command: tuple[str, ...], variables: dict[str, str], collector: Collector) -> int:
    """Run the program and store what it recorded; the program's return code."""
    running = Program()
    try:
        running.start(program, command, variables)
    except OSError as error:
        collector.stop()
        collector.discard()
        fail(f"{program} can't be started: {error.strerror}", 126)
    try:
        code = running.wait(collector.keep_alive)
        _await_storing()  # before signals come through again
    finally:
        running.restore_signals()
    store(collector, _left_over)
    return code


def _left_over(collector: Collector) -> str:
    if collector.shared:
        return ""  # whoever goes on is recorded as before
    left = len(set(recording_processes(collector.spool)) - {collector.pid})
    if not left:
        return ""
    return (
        f"{left} of the program's processes go on; what they do from now on is not recorded. Keep the program "
        "in the foreground, or record with `msgtrace collect`"
    )


def _await_storing() -> None:
    """Say at a first Ctrl-C what goes on, and leave it at a second."""
    interrupted: list[int] = []

    def wait_or_leave(_number: int, _frame: FrameType | None) -> None:
        if interrupted:
            raise KeyboardInterrupt
        interrupted.append(1)
        say("storing what was recorded; Ctrl-C again leaves it where it is")

    signal.signal(signal.SIGINT, wait_or_leave)
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, signal.SIG_IGN)  # the program has ended, and so do we in a moment


def _keep_standard_streams() -> None:
    """Occupy descriptors 0 to 2 that we were started without, so that no file of ours gets such a number.

    The program has them closed all the same.
    """
    while (file := os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)) <= 2:
        pass
    os.close(file)


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
