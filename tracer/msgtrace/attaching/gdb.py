"""Has a running CPython 3.11 to 3.13 run a line of Python, through gdb, in two stages.

First the line is put into memory of the process that is mapped for it, without its `malloc`, and added to the interpreter's
pending calls: the main thread runs it between two instructions of the program, so nothing is in the middle of anything. A
main thread that waits in the kernel never comes to that: where it does, it is made to run its pending calls from there. Not
where it may be inside `malloc`, which it would then enter again: the kernel's calls that `malloc` makes are not among `WAITS`.

No symbols are loaded while the process is stopped: the addresses are known (`symbols`), which makes the stop ten times shorter.
gdb is never killed in the middle of a call.
"""

from __future__ import annotations

import platform
import re
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from msgtrace.attaching.pause import Pause
from msgtrace.attaching.process import Unreachable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from msgtrace.attaching.process import Target

COMMAND: Final = (
    "gdb", "-nx", "-nh", "-batch", "-readnever",
    "-iex", "set auto-load off",
    "-iex", "set debuginfod enabled off",
    "-iex", "set auto-solib-add off",
    "-iex", "set libthread-db-search-path /nonexistent",
    "-iex", "set unwindonsignal on",
    "-iex", "set confirm off",
    # The program's signals are the program's, also while it is made to call something. Only a crash ends the call.
    "-iex", "handle all nostop noprint pass",
    "-iex", "handle SIGINT nostop noprint pass",
    "-iex", "handle SIGSEGV SIGBUS SIGILL SIGFPE SIGABRT stop print pass",
)  # fmt: skip
ANSWERS_WITHIN_S: Final = 0.5
"""So long a main thread that runs may take to come to its pending calls, before it is looked at where it waits."""
LOOKS_EVERY_S: Final = 0.05

WAITS: Final = {
    "x86_64": {
        "read": 0, "poll": 7, "select": 23, "pause": 34, "nanosleep": 35, "accept": 43, "recvfrom": 45, "recvmsg": 47,
        "wait4": 61, "rt_sigtimedwait": 128, "rt_sigsuspend": 130, "futex": 202, "clock_nanosleep": 230,
        "epoll_wait": 232, "waitid": 247, "pselect6": 270, "ppoll": 271, "epoll_pwait": 281, "accept4": 288,
        "epoll_pwait2": 441,
    },
    "aarch64": {
        "epoll_pwait": 22, "read": 63, "pselect6": 72, "ppoll": 73, "waitid": 95, "futex": 98, "nanosleep": 101,
        "clock_nanosleep": 115, "rt_sigsuspend": 133, "rt_sigtimedwait": 137, "accept": 202, "recvfrom": 207,
        "recvmsg": 212, "accept4": 242, "wait4": 260, "epoll_pwait2": 441,
    },
}  # fmt: skip
"""Calls that a thread waits in, by machine. Never brk, mmap, munmap, madvise: `malloc` makes those."""
_PROTECTION: Final = 3  # PROT_READ | PROT_WRITE
_FLAGS: Final = 0x22  # MAP_PRIVATE | MAP_ANONYMOUS


def run_line(target: Target, line: str, answered: Callable[[], bool], patience_s: float) -> int:
    """Have the main thread run a line.

    Args:
        target: the process.
        line: Python, which must not raise.
        answered: whether the line has run.
        patience_s: for how long it is waited for.

    Returns:
        for how long the process was stopped, in nanoseconds.

    Raises:
        Unreachable: it did not run, and will do nothing when it runs yet.
    """
    with tempfile.NamedTemporaryFile(prefix="msgtrace-") as file:
        file.write(line.encode() + b"\0")
        file.flush()
        stopped_ns = _commanded(target, _adding(target, Path(file.name)))
    hurried = time.monotonic()

    def hurry() -> None:
        nonlocal stopped_ns, hurried
        now = time.monotonic()
        if now - hurried > ANSWERS_WITHIN_S and waits_in(target.pid):
            stopped_ns += _commanded(target, _hurrying(target))
            hurried = time.monotonic()

    await_answer(target, answered, patience_s, hurry)
    return stopped_ns


def await_answer(
    target: Target, answered: Callable[[], bool], patience_s: float, meanwhile: Callable[[], None]
) -> None:
    """Wait until a line has run.

    Raises:
        Unreachable: it has not.
    """
    begun = time.monotonic()
    while not answered():
        time.sleep(LOOKS_EVERY_S)
        if not target.runs:
            raise Unreachable(f"{target.pid} has ended")
        if time.monotonic() - begun > patience_s:
            raise Unreachable(
                f"{target.pid} has not answered for {patience_s:.0f} s: its main thread is {_doing(target.pid)} and runs no "
                "Python; nothing was changed. Try again when it is less busy, or wait longer: --patience 60"
            )
        meanwhile()


def waits_in(pid: int) -> str:
    """The kernel's call that a process's main thread waits in; '' if it does not wait, or in one that is not known."""
    try:
        number = Path(f"/proc/{pid}/syscall").read_text().split()[0]
    except OSError:
        return ""
    known = WAITS.get(platform.machine(), {})
    return next((name for name, each in known.items() if str(each) == number), "")


def _doing(pid: int) -> str:
    waiting = waits_in(pid)
    return f"waiting in {waiting}" if waiting else "in one long call of a library"


def _adding(target: Target, file: Path) -> list[str]:
    at = target.interpreter.addresses
    size = file.stat().st_size
    return [
        f"set $place = {_function(at['mmap'], 6)}(0, {size}, {_PROTECTION}, {_FLAGS}, -1, 0)",
        f"restore {file} binary $place",
        f"print {_function(at['Py_AddPendingCall'], 2)}({at['PyRun_SimpleString']}, $place)",
    ]


def _hurrying(target: Target) -> list[str]:
    at = target.interpreter.addresses
    return [
        f"set $state = {_function(at['PyGILState_Ensure'], 0, 'int')}()",
        f"print {_function(at['Py_MakePendingCalls'], 0, 'int')}()",
        f"call {_function(at['PyGILState_Release'], 1, 'void')}($state)",
    ]


def _function(address: int, arguments: int, result: str = "long") -> str:
    return f"(({result} (*)({', '.join(['long'] * arguments) or 'void'})) {address})"


def _commanded(target: Target, commands: Sequence[str]) -> int:
    """Have gdb do it; for how long the process was stopped, in nanoseconds."""
    words = [word for command in (f"attach {target.pid}", *commands, "detach") for word in ("-ex", command)]
    with Pause(target.pid) as pause:
        done = subprocess.run(
            [*COMMAND, *words], stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace",
            start_new_session=True,  # the terminal's Ctrl-C is not for it
            check=False,
        )  # fmt: skip
    said = f"{done.stdout}\n{done.stderr}"
    if "$1 = 0" not in said:
        raise Unreachable(f"gdb could not reach {target.pid}: {_reason(said)}")
    return pause.stopped_ns


def _reason(said: str) -> str:
    if "not permitted" in said:
        return (
            "it may not be debugged from here. In a container, start that with --cap-add SYS_PTRACE (Kubernetes: "
            "securityContext.capabilities.add: [SYS_PTRACE]); elsewhere try sudo"
        )
    lines = [line.strip() for line in said.splitlines() if re.search(r"[a-z]", line) and "libthread_db" not in line]
    return lines[-1][:200] if lines else "it said nothing"
