"""What /proc says of a process that is to be attached to, and every reason why it can't be. Nothing is stopped to find out."""

from __future__ import annotations

import os
import platform
import pwd
import shutil
from pathlib import Path
from typing import Final

from msgspec import Struct

from msgtrace.attaching.symbols import Interpreter, NoInterpreter, interpreter_of
from msgtrace.spool import start_ticks

OLDEST: Final = (3, 11)
REMOTE_EXEC: Final = (3, 14)
"""From here on Python itself lets others in: https://peps.python.org/pep-0768"""
CAP_SYS_PTRACE: Final = 1 << 19
_MACHINES: Final = frozenset({"x86_64", "aarch64"})
_YAMA: Final = Path("/proc/sys/kernel/yama/ptrace_scope")


class Unreachable(Exception):  # noqa: N818 - reads as what it is
    """A process can't be attached to; the text is for the user, and says what would help."""


class Target(Struct, frozen=True):
    """A process that can be reached.

    Attributes:
        pid: as we see it.
        interpreter: its Python.
        start_ticks: with the pid, its identity.
        root: its root folder as we see it; `/` where it is ours.
    """

    pid: int
    interpreter: Interpreter
    start_ticks: int
    root: str

    @property
    def runs(self) -> bool:
        """Whether it is still there."""
        try:
            return start_ticks(self.pid) == self.start_ticks and state_of(self.pid) not in {"Z", "X"}
        except OSError:
            return False


def target(pid: int) -> Target:
    """Look at a process.

    Raises:
        Unreachable: it can't be attached to.
    """
    if pid == os.getpid():
        raise Unreachable("that is this very command")
    try:
        status = _status(pid)
    except OSError:
        raise Unreachable(f"there is no process {pid}") from None
    _check_state(pid, status)
    _check_permission(pid, status)
    try:
        ticks = start_ticks(pid)
        own = Path(f"/proc/{pid}/ns/mnt").stat().st_ino == Path("/proc/self/ns/mnt").stat().st_ino
        interpreter = interpreter_of(pid)
    except NoInterpreter as error:
        raise Unreachable(f"{pid} ({status.get('Name', '?')}) {error}") from None
    except OSError as error:
        raise Unreachable(
            f"{pid} can't be looked at: {error.strerror}; try it as root: sudo msgtrace attach {pid}"
        ) from None
    _check_interpreter(pid, interpreter)
    if not own:
        raise Unreachable(f"{pid} runs in a container with files of its own; run msgtrace attach inside of that")
    return Target(pid, interpreter, ticks, "/" if own else f"/proc/{pid}/root")


def state_of(pid: int) -> str:
    """The state of a process's first thread, as one letter (proc(5), field 3)."""
    stat = Path(f"/proc/{pid}/stat").read_bytes()
    return chr(stat[stat.rindex(b")") + 2])


def _status(pid: int | str) -> dict[str, str]:
    lines = Path(f"/proc/{pid}/status").read_text(errors="replace").splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def _check_state(pid: int, status: dict[str, str]) -> None:
    if status.get("Tgid") != str(pid):
        raise Unreachable(
            f"{pid} is a thread; its process is {status.get('Tgid')}: msgtrace attach {status.get('Tgid')}"
        )
    if status["State"][0] in "ZX":
        raise Unreachable(f"{pid} has ended")
    if status.get("TracerPid", "0") != "0":
        raise Unreachable(f"{pid} is being debugged by process {status['TracerPid']}; end that first")
    if status["State"][0] == "T":
        raise Unreachable(f"{pid} is stopped; let it go on first: kill -CONT {pid}")


def _check_permission(pid: int, status: dict[str, str]) -> None:
    """As ptrace(2), "Ptrace access mode checking", goes by; what a security module adds is said by the attempt."""
    if int(_status("self")["CapEff"], 16) & CAP_SYS_PTRACE:
        return
    uids = set(status["Uid"].split()[:3])
    if uids != {str(os.geteuid())}:
        raise Unreachable(f"{pid} belongs to {_user(int(status['Uid'].split()[1]))}: sudo msgtrace attach {pid}")
    try:
        scope = int(_YAMA.read_text())
    except (OSError, ValueError):
        return
    if scope == 1:
        raise Unreachable(
            "kernel.yama.ptrace_scope is 1: only root may attach. Either sudo msgtrace attach "
            f"{pid}, or, until the next boot, sudo sysctl kernel.yama.ptrace_scope=0"
        )
    if scope > 1:
        raise Unreachable(
            f"kernel.yama.ptrace_scope is {scope}: {'only root may attach' if scope == 2 else 'nobody may attach'}"
        )


def _user(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"


def _check_interpreter(pid: int, interpreter: Interpreter) -> None:
    version = f"{interpreter.version[0]}.{interpreter.version[1]}"
    if interpreter.version < OLDEST:
        raise Unreachable(f"{pid} is a Python older than 3.11; msgtrace records 3.11 and later")
    if interpreter.version >= REMOTE_EXEC:
        return
    if interpreter.free_threaded:
        raise Unreachable(
            f"{pid} is a free-threaded Python {version}, which can't be attached to; start it with msgtrace run"
        )
    if platform.machine() not in _MACHINES:
        raise Unreachable(
            f"{pid} is a Python {version} on {platform.machine()}, which can't be attached to; use msgtrace run"
        )
    if shutil.which("gdb") is None:
        raise Unreachable(f"attaching to Python {version} needs gdb: apt-get install gdb")
