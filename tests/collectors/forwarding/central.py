"""A central collector in a thread, its certificates, and forwarders of a spool, over real sockets."""

from __future__ import annotations

import contextlib
import queue
import socket
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from msgtrace.redaction import Redactor
from msgtrace_collectors.collector import Collector, Stop
from msgtrace_collectors.forwarding.certificates import make
from msgtrace_collectors.forwarding.listener import Listener
from msgtrace_collectors.forwarding.quota import Quota
from msgtrace_collectors.forwarding.remote import Remote
from msgtrace_collectors.forwarding.sender import Central, Session
from msgtrace_collectors.forwarding.tls import Credentials
from msgtrace_collectors.secret import spool_secret

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NAMES = ("localhost", "east", "west")


def credentials(folder: Path, name: str) -> Credentials:
    """Somebody's, of one authority a folder."""
    make(folder, NAMES, 5)
    return Credentials(folder / "ca.pem", folder / f"{name}.pem", folder / f"{name}.key")


@dataclass(slots=True)
class RunningCentral:
    """A central collector.

    Attributes:
        db: its trace.
        spool: its own, where its secret is.
        certificates: the folder.
    """

    db: Path
    spool: Path
    certificates: Path
    quota_bytes: int | None = None
    said: list[str] = field(default_factory=list)
    port: int = 0
    error: BaseException | None = None
    collector: Collector | None = None
    _stop: Stop = field(default_factory=Stop)
    _thread: threading.Thread | None = None
    _ready: threading.Event = field(default_factory=threading.Event)

    @property
    def token(self) -> str:
        return (self.certificates / "token").read_text().strip()

    def start(self) -> None:
        """Start, and wait until it listens; at the port of before."""
        self.spool.mkdir(mode=0o700, exist_ok=True)
        self._stop, self._ready = Stop(), threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        assert self._ready.wait(60)

    def _run(self) -> None:
        try:
            collector = self.collector = Collector(self.db, self.spool, Redactor(), self.said.append)
            remote = Remote(collector.registry, Quota(self.quota_bytes), queue.SimpleQueue())
            context = credentials(self.certificates, "localhost").server()
            remote.listener = Listener(
                ("127.0.0.1", self.port), context, self.token, spool_secret(self.spool), remote.said
            )
            self.port = remote.listener.port
            collector.sources.append(remote)
            self._ready.set()
            collector.run(self._stop, until_idle_s=lambda: None, every=lambda: None)
            collector.close()
        except BaseException as error:
            self.error = error
            raise
        finally:
            self._ready.set()

    def end(self) -> None:
        """Store what has come, and end."""
        self._stop.requested = True
        assert self._thread is not None
        self._thread.join(60)
        assert self.error is None

    def connected(self, name: str = "east", token: str | None = None, port: int | None = None) -> Central:
        """A forwarder's connection."""
        context = credentials(self.certificates, name).client()
        return Central.connect(("127.0.0.1", port or self.port), "localhost", context, token or self.token)


@contextlib.contextmanager
def running_central(folder: Path, spool: Path, quota_bytes: int | None = None) -> Iterator[RunningCentral]:
    """One that ends with the test."""
    central = RunningCentral(folder / "central.duckdb", spool / "central", folder / "certificates", quota_bytes)
    central.start()
    try:
        yield central
    finally:
        if not central._stop.requested:
            central.end()


def forwarded(central: RunningCentral, spool: Path, name: str = "east", port: int | None = None) -> int:
    """Send everything that ended processes left in a spool, over as many connections as it takes; how many it took."""
    for connections in range(1, 200):
        with contextlib.suppress(OSError):
            connection = central.connected(name, port=port)
            session = Session(connection, spool, Redactor(), None)
            try:
                quiet = 0
                while quiet < 3:
                    quiet = quiet + 1 if not session.step() and not session.live else 0
                return connections
            finally:
                session.close()
                connection.close()
        time.sleep(0.05)
    raise AssertionError("it never came through")


class Cutting:
    """A proxy that cuts each connection after some bytes, until it has no more of them to cut."""

    def __init__(self, port: int, after_bytes: list[int]) -> None:
        self._to, self._after = port, list(after_bytes)
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError), self._server:
            while True:
                here, _ = self._server.accept()
                self._threads.append(threading.Thread(target=self._carry, args=(here,), daemon=True))
                self._threads[-1].start()

    def _carry(self, here: socket.socket) -> None:
        with here, socket.create_connection(("127.0.0.1", self._to)) as there:
            left = [self._after.pop(0) if self._after else None]
            back = threading.Thread(target=self._pump, args=(there, here, left), daemon=True)
            back.start()
            self._pump(here, there, left)
            back.join()

    @staticmethod
    def _pump(source: socket.socket, target: socket.socket, left: list[int | None]) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(1 << 14):
                if left[0] is not None:
                    data = data[: left[0]]
                    left[0] -= len(data)
                target.sendall(data)
                if left[0] == 0:
                    break
        for end in (source, target):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(10)
