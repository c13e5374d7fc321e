"""The forwarder's half: one connection to a central collector, and the session that goes over it."""

from __future__ import annotations

import contextlib
import socket
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from msgtrace_collectors.bodies import Bodies as BodyKeeper
from msgtrace_collectors.forwarding.outgoing import Outgoing
from msgtrace_collectors.forwarding.protocol import (
    VERSION,
    At,
    Forget,
    Hello,
    Message,
    Open,
    Ping,
    ProtocolError,
    Records,
    Refused,
    Stored,
    Unpacker,
    Welcome,
    packed,
)
from msgtrace_collectors.process import ProcessState
from msgtrace_collectors.spool import SpoolReader

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable
    from pathlib import Path

    from msgtrace.redaction import Redactor
    from msgtrace_collectors.decoders.schemas import Schemas

CONNECT_S: Final = 10.0
SILENT_S: Final = 20.0
"""The central says something at least every five seconds while it is waited for."""
PING_EVERY_S: Final = 5.0
AT_ONCE: Final = 512 << 10
"""Bytes read of one process's segments at once."""
WINDOW_BYTES: Final = 8 << 20
"""Sent and not yet known to be stored; nothing more is read meanwhile."""
SHORTEST_PAUSE_S: Final = 0.005
LONGEST_PAUSE_S: Final = 0.1


class RefusedError(Exception):
    """The central does not want us; the text says why."""


class CentralGoneError(OSError):
    """The connection has ended, or nothing is heard."""


@dataclass(slots=True)
class Central:
    """A connection to a central collector, welcomed.

    Attributes:
        key: of the trace's digests.
        stored: how many of our `Records` it has stored.
        forget: it asked to have bodies sent again.
    """

    _socket: ssl.SSLSocket
    key: bytes = b""
    stored: int = 0
    forget: bool = False
    _unpacker: Unpacker = field(default_factory=Unpacker)
    _said_at: float = 0.0

    @classmethod
    def connect(cls, address: tuple[str, int], server_name: str, context: ssl.SSLContext, token: str) -> Central:
        """Connect and say who we are.

        Raises:
            OSError: it can't be reached, or its certificate is not of our authority.
            RefusedError: it does not want us.
        """
        plain = socket.create_connection(address, timeout=CONNECT_S)
        try:
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(SILENT_S * 1000))
            central = cls(context.wrap_socket(plain, server_hostname=server_name))
        except BaseException:
            plain.close()
            raise
        try:
            central._socket.settimeout(SILENT_S)
            central.say(Hello(VERSION, token))
            central._be_welcome()
        except BaseException:
            central.close()
            raise
        return central

    def _be_welcome(self) -> None:
        welcome = self._next()
        if not isinstance(welcome, Welcome):
            raise CentralGoneError(f"{type(welcome).__name__} instead of a welcome")
        self.key = welcome.key

    def say(self, message: Message) -> None:
        """Send something.

        Raises:
            OSError: the connection has ended.
        """
        self._socket.sendall(packed(message))
        self._said_at = time.monotonic()

    def position(self, process_id: str) -> At:
        """Ask where a process's records go on.

        Raises:
            OSError: the connection has ended.
            RefusedError: it was ended by the other side, with a reason.
        """
        self.say(Open(process_id))
        while True:
            message = self._next()
            if isinstance(message, At) and message.process_id == process_id:
                return message

    def wait(self, count: int) -> None:
        """Wait until so many `Records` are stored.

        Raises:
            OSError: the connection has ended.
            RefusedError: it was ended by the other side, with a reason.
        """
        while self.stored < count:
            self._next()

    def keep_alive(self) -> None:
        """Say that we are here, when we have not for a while, and hear the same.

        Raises:
            OSError: the connection has ended.
            RefusedError: it was ended by the other side, with a reason.
        """
        if time.monotonic() - self._said_at < PING_EVERY_S:
            return
        self.say(Ping())
        while not isinstance(self._next(), Ping):
            pass

    def _next(self) -> Message:
        """The next message; those that need nobody to wait for them are taken here too."""
        while True:
            try:
                message = self._unpacker.next()
                while message is None:
                    if time.monotonic() - self._said_at >= PING_EVERY_S:
                        self.say(Ping())
                    self._unpacker.feed(self._received())
                    message = self._unpacker.next()
            except ProtocolError as error:
                raise CentralGoneError(f"the central said what it may not say: {error}") from None
            if isinstance(message, Refused):
                raise RefusedError(message.reason)
            if isinstance(message, Forget):
                self.forget = True
                continue
            if isinstance(message, Stored):
                self.stored = max(self.stored, message.count)
            return message

    def _received(self) -> bytes:
        deadline = time.monotonic() + SILENT_S
        while True:
            self._socket.settimeout(PING_EVERY_S)
            try:
                data = self._socket.recv(1 << 16)
            except TimeoutError:
                if time.monotonic() >= deadline:
                    raise CentralGoneError(f"nothing was heard for {SILENT_S:.0f} s") from None
                self._socket.settimeout(SILENT_S)
                self.say(Ping())
                continue
            self._socket.settimeout(SILENT_S)
            if not data:
                raise CentralGoneError("the central closed the connection")
            return data

    def close(self) -> None:
        """End the connection."""
        with contextlib.suppress(OSError):
            self._socket.close()


@dataclass(slots=True)
class Known:
    """The processes of one session: a `spool.Processes` that asks the central where each stands."""

    central: Central
    outgoing: Outgoing
    changed: dict[int, ProcessState] = field(default_factory=dict)
    _by_id: dict[str, ProcessState] = field(default_factory=dict)

    def get(self, process_id: str) -> ProcessState:
        """The state of a process, asked for once."""
        state = self._by_id.get(process_id)
        if state is None:
            at = self.central.position(process_id)
            state = ProcessState(
                len(self._by_id) + 1, process_id, at.position.generation, at.position.frame_offset, ended=at.ended
            )
            self._by_id[process_id] = state
            self.outgoing.begin(state)
        return state


class Session:
    """What is read and sent between a welcome and the end of its connection. Holds nothing that the segments don't.

    Args:
        central: welcomed.
        spool: the folder of this machine's traced processes.
        redactor: for everything that is sent.
        schemas: asked for the schemas of bodies that don't bring theirs along.
    """

    def __init__(self, central: Central, spool: Path, redactor: Redactor, schemas: Schemas | None) -> None:
        self._central = central
        self._bodies = BodyKeeper(redactor, central.key, stored=True, schemas=schemas)
        self._outgoing = Outgoing(redactor, self._bodies)
        self._known = Known(central, self._outgoing)
        self._reader = SpoolReader(spool, self._known, AT_ONCE)
        self._sent = 0
        self.records = 0
        """Read and stored."""

    def lose(self, count: int) -> None:
        """Count records that were given up before this session."""
        if count:
            self._outgoing.lose(
                None, "dropped", "given up: the central could not be reached, and there was no room", count
            )

    @property
    def live(self) -> int:
        """Processes that have not been read to their end."""
        return self._reader.live

    def run(self, stopped: Callable[[], bool]) -> None:
        """Send on until asked to stop.

        Raises:
            OSError: the connection has ended.
            RefusedError: it was ended by the other side, with a reason.
        """
        pause = SHORTEST_PAUSE_S
        while not stopped():
            if self.step():
                pause = SHORTEST_PAUSE_S
            else:
                self._central.keep_alive()
                time.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE_S)

    def step(self) -> int:
        """Read and send one window, and wait until it is stored.

        Returns:
            How many records it had.
        """
        if self._central.forget:
            self._central.forget = False
            self._bodies.forget()
        before, read = self._outgoing.size_bytes, 0
        while self._outgoing.size_bytes - before < WINDOW_BYTES:
            count = self._reader.poll(self._outgoing)
            moved = list(self._known.changed.values())
            self._known.changed.clear()
            for frame in self._outgoing.frames(moved):
                self._central.say(frame)
                self._sent += isinstance(frame, Records)
            read += count
            if not count:
                break
        if self._sent > self._central.stored:
            self._central.wait(self._sent)
        self._reader.stored()
        self.records += read
        return read

    def close(self) -> None:
        """Let go of the segments; nothing is given back that is not stored."""
        self._reader.close()
