"""A TCP proxy on a loopback port that keeps every byte, per connection and direction, and changes none.

For comparing the traffic of one program with and without msgtrace. It knows no protocol: integration/frames
cuts what it has recorded. It runs in a thread of its own, never in the program whose traffic it records.
"""

import asyncio
import concurrent.futures
import errno
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Generic, TypeAlias, TypeVar
from urllib.parse import urlsplit

from integration.brokers import Kafka, Rabbitmq, Redis

AddressT = TypeVar("AddressT", Rabbitmq, Redis, Kafka, "Server")
HOST = "127.0.0.1"
LIMIT_S = 10.0
READ_BYTES = 1 << 16


@dataclass(frozen=True, slots=True)
class Server:
    """Any other TCP server, such as a WebSocket server of a test's own.

    Attributes:
        url: How clients name it; the proxy's host and port take the place of its own.
        host: Name or address it listens on.
        port: TCP port.
    """

    url: str
    host: str
    port: int


@dataclass(frozen=True, slots=True)
class Conversation:
    """One connection, as recorded so far.

    Attributes:
        number: 0 for the first that was accepted.
        sent: Every byte that came from the client.
        received: Every byte that came from the broker.
        open: Whether either side may still say something.
        failure: Why the broker could not be reached; empty when it was.
    """

    number: int
    sent: bytes
    received: bytes
    open: bool
    failure: str


@dataclass(slots=True)
class _Recorded:
    sent: bytearray = field(default_factory=bytearray)
    received: bytearray = field(default_factory=bytearray)
    open: bool = True
    failure: str = ""


class Recorder:
    """The proxy itself; `recording` is how to start and stop one."""

    def __init__(self, target: tuple[str, int]) -> None:
        self.port: concurrent.futures.Future[int] = concurrent.futures.Future()
        self._target = target
        self._probes: set[int] = set()
        self._recorded: list[_Recorded] = []
        self._transports: list[asyncio.WriteTransport] = []
        self._connections: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._stopped = asyncio.Event()

    def conversations(self) -> tuple[Conversation, ...]:
        return tuple(
            Conversation(number, bytes(one.sent), bytes(one.received), one.open, one.failure)
            for number, one in enumerate(self._recorded)
        )

    def accept_all(self) -> None:
        """Returns when every connection that was made before has been accepted. From another thread.

        A program may connect, send, and end before its connection is accepted: one of our own, behind it in
        the kernel's queue, tells when that has happened.
        """
        with socket.socket() as probe:
            probe.bind((HOST, 0))
            self._probes.add(probe.getsockname()[1])
            probe.settimeout(LIMIT_S)
            # The answer is a reset, which may come as early as in connect().
            with suppress(ConnectionResetError):
                probe.connect((HOST, self.port.result()))
                probe.recv(1)

    def busy(self) -> bool:
        return any(one.open for one in self._recorded)

    def run(self, port: int) -> None:
        """Listens on `port` until `stop`; the result of `self.port` tells where, or why not."""
        try:
            self._loop.run_until_complete(self._serve(port))
        finally:
            self._loop.close()

    def stop(self) -> None:
        """Asks `run` to reset what is open and return. From another thread."""
        self._loop.call_soon_threadsafe(self._stopped.set)

    async def _serve(self, port: int) -> None:
        try:
            server = await _listen(self._connected, port)
        except OSError as error:
            self.port.set_exception(error)
            return
        self.port.set_result(server.sockets[0].getsockname()[1])
        await self._stopped.wait()
        server.close()
        for transport in self._transports:
            _reset(transport)
        if self._connections:
            await asyncio.wait(self._connections, timeout=LIMIT_S)

    def _connected(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        if to_client.get_extra_info("peername")[1] in self._probes:
            _reset(to_client.transport)
            return
        recorded = _Recorded()
        self._recorded.append(recorded)
        self._transports.append(to_client.transport)
        connection = self._loop.create_task(self._converse(client, to_client, recorded))
        self._connections.add(connection)
        connection.add_done_callback(self._connections.discard)

    async def _converse(
        self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter, recorded: _Recorded
    ) -> None:
        try:
            broker, to_broker = await asyncio.open_connection(*self._target)
        except OSError as error:
            recorded.failure = str(error)
            recorded.open = False
            _reset(to_client.transport)
            return
        self._transports.append(to_broker.transport)
        await asyncio.gather(
            _forward(client, to_broker, to_client, recorded.sent),
            _forward(broker, to_client, to_broker, recorded.received),
        )
        recorded.open = False
        to_client.close()
        to_broker.close()


async def _forward(
    source: asyncio.StreamReader, target: asyncio.StreamWriter, back: asyncio.StreamWriter, kept: bytearray
) -> None:
    """Copies one direction and its end: a half-close is passed on as one, a reset as a reset."""
    try:
        while chunk := await source.read(READ_BYTES):
            kept.extend(chunk)
            # A target that no longer listens says so on its own direction, which then ends both.
            with suppress(ConnectionError):
                target.write(chunk)
                await target.drain()
        with suppress(OSError):
            target.write_eof()
    except ConnectionError:
        _reset(target.transport)
        _reset(back.transport)


def _reset(transport: asyncio.WriteTransport) -> None:
    """Ends a connection with a reset (socket(7): no lingering); does nothing to one that has ended."""
    ours = transport.get_extra_info("socket")
    # asyncio's abort() fails on a transport that was closed while it had bytes to write, and has written them.
    if ours.fileno() < 0:
        return
    with suppress(OSError):
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


Connected: TypeAlias = Callable[[asyncio.StreamReader, asyncio.StreamWriter], None]


async def _listen(connected: Connected, port: int) -> asyncio.Server:
    """Waits some seconds for a port that is taken: another session's proxy may be about to end."""
    until = time.monotonic() + LIMIT_S
    while True:
        try:
            return await asyncio.start_server(connected, HOST, port)
        except OSError as error:
            if error.errno != errno.EADDRINUSE or time.monotonic() > until:
                raise
        await asyncio.sleep(0.1)


class Recording(Generic[AddressT]):
    """What a running, or ended, proxy has recorded.

    Attributes:
        address: The broker's address with the proxy's host and port in it: what the program is to be given.
    """

    def __init__(self, address: AddressT, recorder: Recorder) -> None:
        self.address: AddressT = address
        self._recorder = recorder

    @property
    def conversations(self) -> tuple[Conversation, ...]:
        """Connections in the order in which they were accepted."""
        return self._recorder.conversations()

    def wait_until_closed(self, limit_s: float = LIMIT_S) -> tuple[Conversation, ...]:
        """Waits until every connection has ended, as they do once the program has. Before the block's end.

        Raises:
            TimeoutError: One was still open after `limit_s`.
        """
        self._recorder.accept_all()
        until = time.monotonic() + limit_s
        while self._recorder.busy():
            if time.monotonic() > until:
                raise TimeoutError(f"a connection to {self.address.url} is still open after {limit_s} s")
            time.sleep(0.01)
        return self.conversations


@contextmanager
def recording(address: AddressT, port: int = 0) -> Iterator[Recording[AddressT]]:
    """Puts a proxy in front of a broker while the block lasts; connections still open are reset at its end.

    Args:
        address: The broker. Of a Kafka the second listener is used: clients follow what a broker advertises.
        port: Where to listen, on 127.0.0.1; 0 for any free port. Give a second run the port of the first when
            the protocol carries it (the Host of a WebSocket). A Kafka dictates its `proxy_port`.

    Raises:
        ValueError: A Kafka that has no second listener.
        OSError: The port is taken, and still is after some seconds.
    """
    target = (address.host, address.port)
    if isinstance(address, Kafka):
        if not address.proxied_port:
            raise ValueError(f"{address.url} has no listener for clients behind a proxy: docs/brokers.md")
        target, port = (address.host, address.proxied_port), address.proxy_port
    recorder = Recorder(target)
    thread = threading.Thread(target=recorder.run, args=(port,), name="recording proxy", daemon=True)
    thread.start()
    listening_on = recorder.port.result(LIMIT_S * 2)
    try:
        yield Recording(_moved(address, listening_on), recorder)
    finally:
        recorder.stop()
        thread.join(LIMIT_S * 2)


def _moved(address: AddressT, port: int) -> AddressT:
    """The same address at another port of loopback."""
    if isinstance(address, Kafka):
        return replace(address, url=f"kafka://{HOST}:{port}", host=HOST, port=port, bootstrap=f"{HOST}:{port}")
    user_info, separator, _ = urlsplit(address.url).netloc.rpartition("@")
    url = urlsplit(address.url)._replace(netloc=f"{user_info}{separator}{HOST}:{port}").geturl()
    return replace(address, url=url, host=HOST, port=port)
