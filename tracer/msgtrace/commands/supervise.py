"""The collector as `run` keeps it: given a spool of its own, awaited, started again when it dies, drained at the end.

Or another `run`'s, where one records into the same trace already: sharing.py.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import secrets
import select
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final

from msgtrace import __version__
from msgtrace.attached import LOCK
from msgtrace.commands.sharing import OtherTerms, alone, join, share
from msgtrace.recording_file import is_recorded
from msgtrace.redaction import Options
from msgtrace.spool import writable_folder

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

READY_SECONDS: Final = 30
STOP_SECONDS: Final = 120
RESTARTS: Final = 20
_KEPT_VARIABLES: Final = {
    "PYTHONPATH", "PYTHONHOME", "PYTHONUSERBASE", "PYTHONNOUSERSITE", "PYTHONPYCACHEPREFIX", "PYTHONDONTWRITEBYTECODE",
}  # fmt: skip


class CollectorFailed(Exception):  # noqa: N818 - reads as what it is
    """There is no collector; the text is for the user."""


def tool_environment() -> dict[str, str]:
    """The environment of our own helpers: nothing that the user has set for the interpreters of the program.

    PYTHONWARNINGS=error, PYTHONINSPECT or PYTHONMALLOC=debug are for the program; and a helper records nothing.
    """
    return {
        name: value
        for name, value in os.environ.items()
        if name in _KEPT_VARIABLES or not name.startswith(("PYTHON", "MSGTRACE_"))
    }


@dataclass(frozen=True, slots=True)
class Place:
    """Where processes record that were running before.

    Attributes:
        memory: a memory file system that they see, as we see it.
        user: theirs, and the trace file's.
        group: theirs.
    """

    memory: Path
    user: int
    group: int


class Collector:
    """One collector process and its spool folder.

    Args:
        db: the trace file.
        redact: rules added to those of MSGTRACE_REDACT.
        limits: further options of the collector's, those that are not None.
        schemas: variables of its environment that say where schemas are; a registry's address may have a password in it.
        place: of what is attached to; None for a program that we start.

    Raises:
        CollectorFailed: a rule can't be understood.
    """

    def __init__(
        self,
        db: Path,
        redact: Sequence[str] = (),
        limits: Mapping[str, str | None] | None = None,
        schemas: Mapping[str, str] | None = None,
        place: Place | None = None,
    ) -> None:
        self._place = place
        self._held: tuple[int, ...] = ()
        self._schemas = dict(schemas or {})
        self._db = db.absolute()
        self._rules = " ".join([os.environ.get("MSGTRACE_REDACT", ""), *redact]).strip()
        try:
            Options.parse("off" if "off" in redact else self._rules)
        except ValueError as error:
            raise CollectorFailed(str(error)) from None
        self._limits = [word for name, value in (limits or {}).items() if value is not None for word in (name, value)]
        self._process: subprocess.Popen[bytes] | None = None
        self._restarts = 0
        self._kept = False
        self._runs = -1
        self._borrowed = False
        self.spool = Path()
        self.pid = 0
        """Of the collector's process, 0 if there is none."""
        self.shared = False
        """Others record into the spool as well, and go on when we end."""

    @property
    def _terms(self) -> str:
        """What must be alike for two to share a recording; a digest, for a registry's address may have a password in it."""
        terms = repr((__version__, self._rules, self._limits, sorted(self._schemas.items())))
        return hashlib.sha256(terms.encode()).hexdigest()

    def start(self) -> None:
        """Make the spool, start the collector and wait until it records; or share another's that records there.

        Raises:
            CollectorFailed: it could not; the text says why. Nothing of ours is left.
        """
        missing = [name for name in ("duckdb", "pyarrow", "xxhash") if find_spec(name) is None]
        if missing:
            raise CollectorFailed(f"recording needs {' and '.join(missing)}: pip install 'msgtrace[tools]'")
        if self._place is None and self._joined():
            return
        self.spool = self._made()
        try:
            self._await(self._launch())
        except BaseException:
            if self._process is not None:
                self._process.kill()
                self._process.wait()
            self.discard()
            raise

    def _joined(self) -> bool:
        try:
            found = join(self._db, self._terms)
        except OtherTerms as error:
            raise CollectorFailed(str(error)) from None
        if found is None:
            return False
        recording, self._runs = found
        self.spool, self.pid = Path(recording.spool), recording.pid
        self.shared = self._borrowed = True
        return True

    def _made(self) -> Path:
        """A new spool folder."""
        runtime = os.environ.get("XDG_RUNTIME_DIR")
        usual = [Path("/dev/shm"), *([Path(runtime)] if runtime else [])]  # noqa: S108 - memory, in a folder of our own
        root = writable_folder(usual) if self._place is None else self._place.memory
        if root is None:
            raise CollectorFailed(
                "no memory file system to record into: neither /dev/shm nor XDG_RUNTIME_DIR can be written to"
            )
        spool = root / f"msgtrace-{os.getuid()}-{secrets.token_hex(8)}"
        try:
            spool.mkdir(mode=0o700)
            if self._place is None:
                self._runs = share(spool, self._terms)
            else:
                # Held by us and, through inheritance, by the collector: as long as somebody reads.
                lock = os.open(spool / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
                fcntl.flock(lock, fcntl.LOCK_EX)
                self._held = (lock,)
                os.fchown(lock, self._place.user, self._place.group)
                os.chown(spool, self._place.user, self._place.group)
        except OSError as error:
            raise CollectorFailed(f"{spool}: {error.strerror}; nothing can be recorded there") from None
        return spool

    def _launch(self) -> int:
        """Start the process; the descriptor that it says it is ready on."""
        receiving, sending = os.pipe()
        variables = tool_environment()
        variables["MSGTRACE_REDACT"] = self._rules
        variables.update(self._schemas)
        command = [sys.executable, "-P", "-m", "msgtrace_collectors.collect", "--db", str(self._db)]
        command += ["--spool", str(self.spool), "--ready-fd", str(sending), *self._limits]
        if self._place is not None:
            command.append("--attached")
        other = self._place if self._place is not None and self._place.user != os.geteuid() else None
        log_file = os.open(self.spool / "collector.log", os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        with open(log_file, "ab") as log:  # noqa: PTH123 - of a descriptor
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, pass_fds=(sending, *self._held),
                env=variables,
                user=other.user if other else None, group=other.group if other else None,
                extra_groups=[] if other else None,
                # Its own group: the terminal's Ctrl-C is the program's.
                process_group=0,
            )  # fmt: skip
        os.close(sending)
        self.pid = self._process.pid
        return receiving

    def _await(self, receiving: int) -> None:
        try:
            readable, _, _ = select.select([receiving], [], [], READY_SECONDS)
            if readable and os.read(receiving, 64).startswith(b"ready"):
                return
        finally:
            os.close(receiving)
        if self._process is not None:
            if not readable:
                self._process.kill()
            self._process.wait()
        lines = self._lines()
        raise CollectorFailed(lines[-1] if lines else f"the collector was not ready within {READY_SECONDS} s")

    def _lines(self) -> list[str]:
        """What the collector has said, each once."""
        try:
            text = (self.spool / "collector.log").read_text(errors="replace")
        except OSError:
            return []
        said = [line for line in text.strip().splitlines() if line.startswith("msgtrace: ")] or text.splitlines()[-1:]
        return list(dict.fromkeys(line.removeprefix("msgtrace: ") for line in said))

    def keep_alive(self) -> None:
        """Start the collector again if it has died; what was recorded meanwhile waits in the spool. Waits for nothing."""
        if self._process is None or self._process.poll() is None or self._restarts >= RESTARTS:
            return
        self._restarts += 1
        with contextlib.suppress(OSError):
            os.close(self._launch())

    def stop(self) -> list[str]:
        """Let the collector read everything and end, or leave it to others; a second Ctrl-C leaves what is not stored.

        Returns:
            lines for the user: what it said, and what went wrong.
        """
        try:
            if self._left_to_others():
                return []
            failure = self._stop()
        except KeyboardInterrupt:
            failure = "not everything is stored"
            if self._process is not None:
                self._process.kill()
        lines = self._lines()
        if failure:
            self._kept = True
            lines.append(
                f"{failure}; the segments are kept, store them with: "
                f"msgtrace collect --db {self._db} --spool {self.spool} --until-idle 1"
            )
        return lines

    def _left_to_others(self) -> bool:
        """Whether the collector goes on for others: without a supervisor it ends when the last of them has."""
        if self._borrowed and not is_recorded(self._db):
            # It has died, and so has whoever would have started it again: that is now for us to do.
            self._borrowed = False
            with contextlib.suppress(CollectorFailed, OSError):
                self._await(self._launch())
        self.shared = self._runs >= 0 and (self._borrowed or not alone(self._runs))
        return self.shared

    def _stop(self) -> str:
        """'' when everything is stored, else what went wrong."""
        deadline = time.monotonic() + STOP_SECONDS
        while True:
            if self._process is None:
                return "the collector can't be started again"
            if self._process.poll() is None:
                self._process.terminate()
            try:
                code = self._process.wait(timeout=max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
                return f"the collector did not finish within {STOP_SECONDS} s"
            if code == 0:
                return ""
            if code > 0 or self._restarts >= RESTARTS:
                return "the collector failed"
            # Killed while it was draining: another one goes on where it was.
            self._restarts += 1
            try:
                self._await(self._launch())
            except (CollectorFailed, OSError):
                return "the collector failed"

    def notes(self) -> list[str]:
        """Why processes were not recorded, as they said themselves; each once."""
        return sorted({path.read_text(errors="replace") for path in self.spool.glob("note-*")})

    def discard(self) -> None:
        """Remove the spool, unless there is something in it that is nowhere else."""
        if self.spool.name.startswith("msgtrace-") and not self._kept and not self.shared:
            shutil.rmtree(self.spool, ignore_errors=True)
        for file in (*self._held, *([self._runs] if self._runs >= 0 else [])):
            os.close(file)
        self._held, self._runs = (), -1
