"""Accepts forwarders' connections in a thread of its own and hands what they say to the collector, one thing at a time.

Memory is bounded by the connections: each has one frame that is being received and one that is being taken. A peer that
says nothing, or does not hear, is given up.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from msgtrace_collectors.forwarding.protocol import Message, Ping, ProtocolError, packed
from msgtrace_collectors.forwarding.receiver import Receiver, refusal
from msgtrace_collectors.forwarding.tls import identity

if TYPE_CHECKING:
    import queue
    import ssl
    from collections.abc import Callable

    from msgtrace_collectors.forwarding.receiver import Said
    from msgtrace_collectors.forwarding.remote import Peer

GREETING_S: Final = 10.0
"""For the handshake, and once more for the token."""
SILENT_S: Final = 60.0
PING_EVERY_S: Final = 5.0
MAX_CONNECTIONS: Final = 256
MAX_OF_ONE_SENDER: Final = 32
READ_BYTES: Final = 1 << 16


@dataclass(slots=True, eq=False)
class Connection:
    """One forwarder, as `remote.Peer`."""

    sender: str
    writer: asyncio.StreamWriter
    loop: asyncio.AbstractEventLoop
    free: asyncio.Event = field(default_factory=asyncio.Event)

    def say(self, *messages: Message) -> None:
        """Send something, from any thread."""
        self._soon(self._write, b"".join(map(packed, messages)))

    def taken(self) -> None:
        """It may say the next."""
        self._soon(self.free.set)

    def end(self) -> None:
        """Close the connection."""
        self._soon(self.writer.close)

    def _write(self, data: bytes) -> None:
        if not self.writer.is_closing():
            self.writer.write(data)

    def _soon(self, function: Callable[..., object], *values: object) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended, and the connection with it
            self.loop.call_soon_threadsafe(function, *values)


class Listener:
    """Listens at one address.

    Args:
        address: host and port; port 0 for one that is free.
        context: of TLS.
        token: what forwarders must know.
        key: of the trace's digests, handed to them.
        said: where what they say goes.

    Raises:
        OSError: the address can't be had.
    """

    def __init__(
        self,
        address: tuple[str, int],
        context: ssl.SSLContext,
        token: str,
        key: bytes,
        said: queue.SimpleQueue[tuple[Peer, Said | None]],
    ) -> None:
        self._context, self._token, self._key, self._said = context, token, key, said
        self._connections: Counter[str] = Counter()
        self._failed: OSError | None = None
        self._begun = threading.Event()
        self._end = asyncio.Event()
        self._loop = asyncio.new_event_loop()
        self.port = 0
        self._thread = threading.Thread(target=self._run, args=address, name="msgtrace-listener", daemon=True)
        self._thread.start()
        self._begun.wait()
        if self._failed is not None:
            raise self._failed

    def close(self) -> None:
        """Stop, and end every connection."""
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join(timeout=10)

    def _run(self, host: str, port: int) -> None:
        # What goes wrong with one connection is its own end, and no text for the user.
        self._loop.set_exception_handler(lambda _loop, _context: None)
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            try:
                runner.run(self._serve(host, port))
            except OSError as error:
                self._failed = error
            finally:
                self._begun.set()

    async def _serve(self, host: str, port: int) -> None:
        server = await asyncio.start_server(
            self._connected, host, port, ssl=self._context, limit=READ_BYTES, ssl_handshake_timeout=GREETING_S,
            ssl_shutdown_timeout=1.0,
        )  # fmt: skip
        self.port = server.sockets[0].getsockname()[1]
        self._begun.set()
        await self._end.wait()
        server.close()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tls = writer.get_extra_info("ssl_object")
        connection = Connection(identity(tls.getpeercert(), tls.getpeercert(binary_form=True)), writer, self._loop)
        sender = connection.sender
        self._connections[sender] += 1
        try:
            if self._connections[sender] <= MAX_OF_ONE_SENDER and self._connections.total() <= MAX_CONNECTIONS:
                await self._hear(connection, reader)
        except ProtocolError as error:
            with contextlib.suppress(OSError, TimeoutError):
                writer.write(refusal(error))
                await asyncio.wait_for(writer.drain(), GREETING_S)
        except (OSError, EOFError, TimeoutError):
            pass  # it is gone, and comes again
        finally:
            self._connections[sender] -= 1
            self._connections += Counter()  # without those that are zero
            self._said.put((connection, None))
            writer.close()

    async def _hear(self, connection: Connection, reader: asyncio.StreamReader) -> None:
        receiver = Receiver(self._token, self._key)
        async with asyncio.timeout(GREETING_S):
            while not receiver.welcomed:
                await self._step(connection, reader, receiver)
        while True:
            await self._step(connection, reader, receiver)

    async def _step(self, connection: Connection, reader: asyncio.StreamReader, receiver: Receiver) -> None:
        """Take what has come, thing by thing."""
        data = await asyncio.wait_for(reader.read(READ_BYTES), SILENT_S)
        if not data:
            raise EOFError
        receiver.feed(data)
        more = True
        while more:
            said, answer, more = receiver.next()
            if answer:
                connection.writer.write(answer)
            if said is not None:
                await self._hand_over(connection, said)
            await asyncio.wait_for(connection.writer.drain(), SILENT_S)

    async def _hand_over(self, connection: Connection, said: Said) -> None:
        connection.free.clear()
        self._said.put((connection, said))
        while True:
            try:
                await asyncio.wait_for(connection.free.wait(), PING_EVERY_S)
            except TimeoutError:
                # The collector waits for room on its disk, perhaps: the peer is to wait as well.
                connection.writer.write(packed(Ping()))
            else:
                return
