"""The program that `run` runs: started, given the signals that are meant for it, and waited for.

It is in the process group that it would be in without us, so the terminal and whoever signals the group reach it by
themselves. A signal sent to our pid alone is passed on. The two can't be told apart by the signal, and to pass on both
would interrupt the program twice, by which servers mean "at once, without shutting down": so a witness, a process in
the same group that does nothing else, says which signals came to the whole group.
"""

from __future__ import annotations

import errno
import os
import select
import signal
import struct
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from signal import struct_siginfo

OWN: Final = frozenset(
    {
        signal.SIGKILL, signal.SIGSTOP, signal.SIGCHLD,
        # Of the kernel, about what the receiver itself has done.
        signal.SIGSEGV, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGTRAP, signal.SIGSYS,
        signal.SIGPIPE, signal.SIGXCPU, signal.SIGXFSZ,
    }
)  # fmt: skip
"""Signals that are never passed on."""
WATCHED: Final = frozenset(signal.valid_signals()) - OWN

QUESTION: Final = signal.SIGCHLD
"""Asks the witness; it has no children, and a group that is sent this ignores it."""
WITNESS_SECONDS: Final = 5.0
"""How long a busy machine may keep the witness from answering."""
STOPPED_SECONDS: Final = 0.05
"""A witness that has not answered by then may have been stopped without us."""
_ANSWERED: Final = 0
_REPORT: Final = struct.Struct("=i")


class Program:
    """A program that runs in the foreground of our process group.

    Attributes:
        pid: once it has been started.
    """

    def __init__(self) -> None:
        self.pid = 0
        self._mask: set[int | signal.Signals] = set()
        self._witness = Witness()

    def start(self, path: str, command: tuple[str, ...], variables: Mapping[str, str]) -> None:
        """Start the program. From now on the signals of this process wait, until `wait` returns.

        Args:
            path: the program's file.
            command: its name as it was given, and its arguments.
            variables: its environment.

        Raises:
            OSError: it can't be executed; nothing was started, and signals do what they did before.
        """
        if signal.getsignal(signal.SIGCHLD) is signal.SIG_IGN:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # else there would be nothing to wait for
        self._mask = signal.pthread_sigmask(signal.SIG_BLOCK, WATCHED | {signal.SIGCHLD})
        try:
            self._witness.start()
            self.pid = self._spawned(path, command, variables)
        except BaseException:
            self._witness.stop()
            self.restore_signals()
            raise

    def _spawned(self, path: str, command: tuple[str, ...], variables: Mapping[str, str]) -> int:
        def spawned(path: str, command: tuple[str, ...]) -> int:
            return os.posix_spawn(
                path, command, variables, setsigmask=self._mask,
                setsigdef=(signal.SIGPIPE, signal.SIGXFSZ),  # which Python has us ignore
            )  # fmt: skip

        try:
            return spawned(path, command)
        except OSError as error:
            if error.errno != errno.ENOEXEC:
                raise
        # A script without a first line that names its interpreter: execvp(3) and every shell run it so.
        return spawned("/bin/sh", ("/bin/sh", path, *command[1:]))

    def wait(self, child_changed: Callable[[], None]) -> int:
        """Wait for the program's end.

        Args:
            child_changed: called when any child of this process may have ended.

        Returns:
            its exit code, or the negative number of the signal that ended it.
        """
        try:
            while True:
                info = signal.sigwaitinfo(WATCHED | {signal.SIGCHLD})
                if info.si_signo != signal.SIGCHLD:
                    self._pass_on(info)
                    continue
                child_changed()
                code = self._looked_after()
                if code is not None:
                    return code
        finally:
            self._witness.stop()

    def restore_signals(self) -> None:
        """Signals do again what they did before. Those that came in the meantime are forgotten."""
        while signal.sigtimedwait(WATCHED | {signal.SIGCHLD}, 0) is not None:
            pass
        signal.pthread_sigmask(signal.SIG_SETMASK, self._mask)

    def _pass_on(self, info: struct_siginfo) -> None:
        if info.si_code > 0 or self._witness.saw(info.si_signo):
            return  # from the terminal or the kernel, or to the group: the program has it
        # What the program sends to its parent was meant for the parent that it would have had.
        target = os.getppid() if info.si_pid == self.pid else self.pid
        try:
            os.kill(target, info.si_signo)
        except (ProcessLookupError, PermissionError):
            return

    def _looked_after(self) -> int | None:
        """The program's return code if it has ended. Stops with it when it is stopped."""
        if os.getpid() == 1:
            self._reap_orphans()
        pid, status = os.waitpid(self.pid, os.WNOHANG | os.WUNTRACED)
        if pid == 0:
            return None
        if not os.WIFSTOPPED(status):
            return os.waitstatus_to_exitcode(status)
        number = os.WSTOPSIG(status)
        while signal.sigtimedwait({number}, 0) is not None:
            pass  # the terminal's, to us: it would stop us once more
        self._witness.forget(number)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {number} & WATCHED)
        os.kill(os.getpid(), number)  # the shell sees its job stopped, and how; we go on from here when it does
        signal.pthread_sigmask(signal.SIG_BLOCK, {number} & WATCHED)
        return None

    def _reap_orphans(self) -> None:
        """As the first process of a container, we inherit everybody's children; ours are left to who waits for them."""
        own = f" {os.getpid()} ".encode()
        while True:
            ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            if ended is None or ended.si_pid in {self.pid, self._witness.pid}:
                return
            with open(f"/proc/{ended.si_pid}/stat", "rb") as file:  # noqa: PTH123 - as cheap as it gets
                group = file.read().rpartition(b")")[2].split()[2]
            if own.strip() != group:
                return  # our collector: it leads a group of its own
            os.waitpid(ended.si_pid, os.WNOHANG)


class Witness:
    """A process in our group that says which signals came to the whole group.

    The kernel gives a signal to the youngest of a group first, so that the witness has it before we do; what it has is
    asked for, since a busy machine may let us run long before the witness.
    """

    def __init__(self) -> None:
        self.pid = 0
        self._reports = -1
        self._seen: list[int] = []

    def start(self) -> None:
        """Start it. The signals that it watches must be blocked, and the question."""
        self._reports, writing = os.pipe()
        parent = os.getpid()
        self.pid = os.fork()
        if self.pid == 0:
            try:
                _witness(parent, writing)
            finally:
                os._exit(0)
        os.close(writing)
        os.set_blocking(self._reports, False)

    def stop(self) -> None:
        """End it."""
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
            os.close(self._reports)
            self.pid = 0

    def saw(self, number: int) -> bool:
        """Whether a signal that has just come to us came to the group."""
        while self._read(0) is not None:
            pass  # of before, an answer that nobody waited for among them
        os.kill(self.pid, QUESTION)
        if not self._answered(STOPPED_SECONDS):
            os.kill(self.pid, signal.SIGCONT)
            self._answered(WITNESS_SECONDS)
        if number not in self._seen:
            return False
        self._seen.remove(number)
        return True

    def forget(self, number: int) -> None:
        """A signal of this kind that came to the group was taken by someone else than `saw`'s caller."""
        self.saw(number)

    def _answered(self, seconds: float) -> bool:
        end = time.monotonic() + seconds
        while (number := self._read(end - time.monotonic())) is not None:
            if number == _ANSWERED:
                return True
        return False

    def _read(self, seconds: float) -> int | None:
        """The next report, or the answer; None when time is up, or there is no witness any more."""
        if not select.select([self._reports], [], [], max(0.0, seconds))[0]:
            return None
        report = os.read(self._reports, _REPORT.size)
        if not report:
            return None
        (number,) = _REPORT.unpack(report)
        # As with us, several of a kind are one until they are taken, but for those that the kernel queues.
        if number != _ANSWERED and (number >= signal.SIGRTMIN or number not in self._seen):
            self._seen.append(number)
        return int(number)


def _witness(parent: int, writing: int) -> None:
    os.closerange(0, writing)  # nobody must wait for the end of a stream because of us
    os.closerange(writing + 1, writing + 256)
    while os.getppid() == parent:
        info = signal.sigtimedwait(WATCHED | {QUESTION}, 1)
        if info is None:
            continue
        asked = info.si_signo == QUESTION
        while info is not None:
            if info.si_code <= 0 and info.si_pid != parent and info.si_signo != QUESTION:
                os.write(writing, _REPORT.pack(info.si_signo))
            info = signal.sigtimedwait(WATCHED, 0)
        if asked:
            os.write(writing, _REPORT.pack(_ANSWERED))
