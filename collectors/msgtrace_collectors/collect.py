"""Runs one collector as a process: `python -m msgtrace_collectors.collect`, which `run` supervises.

It is asked to end with SIGTERM: then it stores everything that ended processes have recorded, links it, and leaves a
trace file that stands alone. A collector that is killed can be started again with the same arguments and goes on where
the last transaction ended.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import os
import resource
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

import duckdb

from msgtrace.attached import NOTED as ATTACHED
from msgtrace.commands.sharing import alone
from msgtrace.recording_file import Recording
from msgtrace.redaction import Options, Redactor
from msgtrace.spool import RUNS
from msgtrace_collectors.caps import Caps
from msgtrace_collectors.collector import Collector, Stop
from msgtrace_collectors.decoders.schemas import VARIABLES
from msgtrace_collectors.inspection.storing import store as keep
from msgtrace_collectors.linking import link
from msgtrace_collectors.query_socket import QuerySocket
from msgtrace_collectors.recording_lock import RecordingLock
from msgtrace_collectors.trace_file import FullDiskError, TraceError, TracePermissionError, trace_error

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from msgtrace_collectors.collector import Source
    from msgtrace_collectors.decoders.schemas import Schemas
    from msgtrace_collectors.inspection.found import Part

ORPHANED_IDLE_S: Final = 1.0
"""After its supervisor is gone, a collector ends when there has been no traced process for this long."""


@dataclass(frozen=True, slots=True)
class Job:
    """What one collector is to do.

    Attributes:
        db: the trace file.
        spool: where traced processes record.
        ready_fd: gets a line when recording can begin, and is closed.
        until_idle_s: end by itself when there has been no traced process for this long.
        interruptible: SIGINT ends it; otherwise it is the program's business.
        caps: limits of the trace.
        redaction: what is redacted.
        schemas: asked for the schemas of bodies that don't bring theirs along.
        sources: make what else operations come from, beside the spool; OSError when they can't.
        attached: the processes ran before and go on; it ends with its supervisor, which began to record them.
    """

    db: Path
    spool: Path
    ready_fd: int | None = None
    until_idle_s: float | None = None
    interruptible: bool = False
    caps: Caps = field(default_factory=Caps)
    redaction: Options = field(default_factory=Options)
    schemas: Schemas | None = None
    sources: tuple[Callable[[Collector], Source], ...] = ()
    attached: bool = False


def say(text: str) -> None:
    """One line for the user."""
    print(f"msgtrace: {text}", file=sys.stderr, flush=True)  # noqa: T201 - what it is for


def collect(job: Job) -> int:
    """Collect until asked to end.

    Returns:
        The exit code. What went wrong has been said.
    """
    stop = Stop()
    _settle_in(stop, job)
    try:
        return _collect(job, stop)
    except (TraceError, duckdb.Error) as error:
        say(str(trace_error(job.db, error)))
    except OSError as error:
        say(f"{error.filename or job.spool}: {error.strerror or error}")
    return 1


def _settle_in(stop: Stop, job: Job) -> None:
    os.umask(0o077)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard) if hard != resource.RLIM_INFINITY else (soft, hard))

    def requested(*_: object) -> None:
        stop.requested = True

    signal.signal(signal.SIGTERM, requested)
    signal.signal(signal.SIGINT, requested if job.interruptible else signal.SIG_IGN)
    if hasattr(signal, "SIGXFSZ"):
        # A limit on file sizes is a full disk to us, and no reason to die.
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    # While a program runs, signals wait in its supervisor, and a child inherits that.
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    collect_garbage_seldom()


def collect_garbage_seldom() -> None:
    """Tell Python to look for cycles less often: records are trees that die with their batch, by the ten thousand."""
    gc.set_threshold(200_000, 20, 100)


def _collect(job: Job, stop: Stop) -> int:
    _check_spool(job.spool)
    lock = RecordingLock(job.db)
    lock.acquire()
    try:
        collector = Collector(job.db, job.spool, Redactor(job.redaction), say, job.schemas)
        try:
            questions = QuerySocket(
                job.spool,
                collector.store.cursor,
                lambda: _link_now(collector),
                lambda part: _keep_now(collector, part),
                collector.settled,
            )
            try:
                for source in job.sources:
                    collector.sources.append(source(collector))
                lock.announce(Recording(os.getpid(), str(questions.path), str(job.spool)))
                _be_ready(job)
                _run(job, collector, stop)
            finally:
                questions.close()
            return _finish(job, collector)
        finally:
            collector.close()
    finally:
        lock.release()


def _check_spool(spool: Path) -> None:
    try:
        spool.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = spool.stat()
    except OSError as error:
        raise TracePermissionError(f"{spool}: the spool folder can't be used: {error.strerror}") from None
    if status.st_uid != os.geteuid() or status.st_mode & 0o077:
        raise TracePermissionError(f"{spool}: the spool folder must be yours alone (chmod 700)")


def _be_ready(job: Job) -> None:
    if job.ready_fd is not None:
        with contextlib.suppress(OSError):
            os.write(job.ready_fd, b"ready\n")
            os.close(job.ready_fd)


def _run(job: Job, collector: Collector, stop: Stop) -> None:
    supervision = _Supervision(job)
    told: list[bool] = []

    def beat() -> None:
        if job.attached and supervision.over:
            _detach(job.spool)
            stop.requested = True

    def after_each_transaction() -> None:
        if not collector.linking.acquire(blocking=False):
            return  # another time: what is being linked is not deleted
        try:
            if job.caps.enforce(collector.store):
                collector.bodies_deleted()
        except TraceError as error:
            # Recording goes on; the next look tries again.
            if not told:
                say(f"the trace could not be kept within its limits: {error}")
                told.append(True)
        finally:
            collector.linking.release()

    collector.run(stop, until_idle_s=supervision.idle_s, every=after_each_transaction, beat=beat)
    if job.ready_fd is not None and supervision.over:
        # Nobody is left who would clear it away.
        shutil.rmtree(job.spool, ignore_errors=True)


class _Supervision:
    """Who started this collector, and for how long it goes on without."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._supervisor = os.getppid()
        self._lock: tuple[int, ...] = ()

    @property
    def over(self) -> bool:
        """Whether whoever started it is gone."""
        return os.getppid() != self._supervisor

    def idle_s(self) -> float | None:
        """How long it waits for a traced process; None for one that is told when to end, or that others count on."""
        if self._job.ready_fd is None or not self.over:
            return self._job.until_idle_s
        self._lock = self._lock or _left_alone(self._job.spool)
        return ORPHANED_IDLE_S if self._lock else None


def _left_alone(spool: Path) -> tuple[int, ...]:
    """The lock of all `run`s that record into the spool, for as long as we live; nothing while one has it."""
    try:
        file = os.open(spool / RUNS, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError:
        return (-1,)  # the folder is gone: nobody can be there
    if alone(file):
        return (file,)
    os.close(file)
    return ()


def _detach(spool: Path) -> None:
    """What the supervisor would have done: it is gone, and nobody else would end recording in what it attached to."""
    pids = [path.name.removeprefix(ATTACHED) for path in spool.glob(f"{ATTACHED}*")]
    if pids:
        command = [sys.executable, "-P", "-m", "msgtrace", "detach", *pids]
        subprocess.run(command, stdin=subprocess.DEVNULL, check=False)


def _link_now(collector: Collector) -> None:
    with collector.linking, collector.store.cursor() as cursor:
        link(cursor, collector.store.path)


def _keep_now(collector: Collector, part: Part) -> None:
    with collector.keeping, collector.store.cursor() as cursor:
        keep(cursor, collector.store.path, part)


def _finish(job: Job, collector: Collector) -> int:
    """Make what is recorded a file that stands alone."""
    try:
        if job.caps.enforce(collector.store, now=True):
            collector.bodies_deleted()
        _link_now(collector)
        collector.store.checkpoint()
    except FullDiskError as error:
        say(f"{error}: everything recorded is stored, but links and causes are not; `msgtrace report` makes them")
        return 1
    return 0


def parsed_size(text: str) -> int:
    """`500MB`, `2GB` as bytes.

    Raises:
        ValueError: not such a size.
    """
    units = {"KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12, "B": 1}
    upper = text.strip().upper()
    for unit, factor in units.items():
        if upper.endswith(unit):
            return int(float(upper.removesuffix(unit)) * factor)
    return int(upper)


def parsed_age(text: str) -> float:
    """`90s`, `30m`, `12h`, `7d` as seconds.

    Raises:
        ValueError: not such a time.
    """
    units = {"s": 1, "m": 60, "h": 3600, "d": 86400}
    text = text.strip().lower()
    return float(text[:-1]) * units[text[-1]] if text[-1:] in units else float(text)


def given_schemas(variables: Mapping[str, str]) -> Schemas | None:
    """Where the environment says that schemas are; None when it says nothing.

    Raises:
        ValueError: something of it can't be used; the text is for the user.
    """
    if not any(variables.get(name) for name in VARIABLES):
        return None
    # HTTP and TLS are loaded only by those who want them.
    from msgtrace_collectors.schema_source import schema_source  # noqa: PLC0415

    return schema_source(variables)


def main(arguments: Sequence[str] | None = None) -> int:
    """The entry of the process."""
    parser = argparse.ArgumentParser(prog="msgtrace-collector", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--db", type=Path, required=True)
    parser.add_argument("--spool", type=Path, required=True)
    parser.add_argument("--ready-fd", type=int)
    parser.add_argument("--stop-when-idle", type=float, metavar="SECONDS")
    parser.add_argument("--attached", action="store_true")
    parser.add_argument("--max-size", type=parsed_size, metavar="SIZE")
    parser.add_argument("--max-age", type=parsed_age, metavar="TIME")
    chosen = parser.parse_args(arguments)
    try:
        redaction = Options.parse(os.environ.get("MSGTRACE_REDACT", ""))
        schemas = given_schemas(os.environ)
    except ValueError as error:
        say(str(error))
        return 2
    return collect(
        Job(
            db=chosen.db.absolute(),
            spool=chosen.spool.absolute(),
            ready_fd=chosen.ready_fd,
            until_idle_s=chosen.stop_when_idle,
            caps=Caps(chosen.max_size, chosen.max_age),
            redaction=redaction,
            schemas=schemas,
            attached=chosen.attached,
        )
    )


if __name__ == "__main__":
    sys.exit(main())
