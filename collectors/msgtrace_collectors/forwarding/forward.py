"""Runs one forwarder: connects to the central, again and again, and sends on what this machine's processes record."""

from __future__ import annotations

import contextlib
import random
import ssl
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from msgtrace_collectors.forwarding.overflow import give_up
from msgtrace_collectors.forwarding.sender import Central, RefusedError, Session

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from msgtrace.redaction import Redactor
    from msgtrace_collectors.collector import Stop
    from msgtrace_collectors.decoders.schemas import Schemas
    from msgtrace_collectors.forwarding.tls import Credentials

SHORTEST_WAIT_S: Final = 0.5
LONGEST_WAIT_S: Final = 30.0
DRAIN_S: Final = 60.0
"""How long what is there may take to be sent, once asked to end."""


@dataclass(frozen=True, slots=True)
class Forwarding:
    """What one forwarder is to do.

    Attributes:
        to: host and port of the central.
        server_name: that its certificate must have.
        credentials: ours.
        token: that the central wants.
        spool: where this machine's traced processes record.
        spool_limit_bytes: of what ended processes left, while it can't be sent.
        redactor: for everything that is sent.
        schemas: asked for the schemas of bodies that don't bring theirs along.
        until_idle_s: end by itself when there has been no traced process for this long.
    """

    to: tuple[str, int]
    server_name: str
    credentials: Credentials
    token: str
    spool: Path
    spool_limit_bytes: int
    redactor: Redactor
    schemas: Schemas | None = None
    until_idle_s: float | None = None


def forward(job: Forwarding, stop: Stop, say: Callable[[str], None]) -> int:
    """Forward until asked to stop.

    Returns:
        The exit code: 1 when something that was recorded is not stored.
    """
    context = job.credentials.client()
    wait_s, lost, told = SHORTEST_WAIT_S, 0, ""
    give_up_at: float | None = None
    while True:
        try:
            central = Central.connect(job.to, job.server_name, context, job.token)
        except (OSError, RefusedError) as error:
            problem = _why(error, job)
        else:
            if told:
                say("connected again; what was recorded meanwhile is sent now")
            told, wait_s = "", SHORTEST_WAIT_S
            session = Session(central, job.spool, job.redactor, job.schemas)
            session.lose(lost)
            lost = 0
            try:
                _run(session, job, stop)
            except (OSError, RefusedError) as error:
                problem = _why(error, job)
            else:
                return 0
            finally:
                session.close()
                central.close()
        if problem != told:
            say(f"{problem}; trying again, the segments keep what is recorded")
            told = problem
        if stop.requested:
            give_up_at = give_up_at or time.monotonic() + DRAIN_S
            if time.monotonic() >= give_up_at or not _anything(job.spool):
                return 1 if _anything(job.spool) else 0
        lost += give_up(job.spool, job.spool_limit_bytes)
        # Not all forwarders at once, when the central comes back.
        _pause(wait_s * random.uniform(0.5, 1.0), stop)  # noqa: S311 - no secret
        wait_s = min(wait_s * 2, LONGEST_WAIT_S)


def _run(session: Session, job: Forwarding, stop: Stop) -> None:
    idle_since = time.monotonic()

    def over() -> bool:
        nonlocal idle_since
        now = time.monotonic()
        if session.live:
            idle_since = now
        return stop.requested or (job.until_idle_s is not None and now - idle_since >= job.until_idle_s)

    session.run(over)
    # What processes that are just ending still write.
    quiet, until = 0, time.monotonic() + DRAIN_S
    while quiet < 3 and time.monotonic() < until:
        quiet = 0 if session.step() else quiet + 1
        time.sleep(0.05 if session.live else 0)


def _pause(seconds: float, stop: Stop) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until and not stop.requested:
        time.sleep(0.05)
    if stop.requested:
        time.sleep(0.2)


def _anything(spool: Path) -> bool:
    with contextlib.suppress(OSError):
        return any(folder.is_dir() and any(folder.glob("*.segment")) for folder in spool.iterdir())
    return False


def _why(error: OSError | RefusedError, job: Forwarding) -> str:
    where = f"{job.to[0]}:{job.to[1]}"
    if isinstance(error, RefusedError):
        return f"{where} refuses: {error}"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"{where} can't be trusted: {error.verify_message}"
    return f"{where} can't be reached: {error.strerror or error}"
