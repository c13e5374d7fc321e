"""What the websockets hook adds to a message, without a network: both of our halves, into real segments.

    python bench/websockets_messages.py [seconds-per-case]

The library's own methods are replaced by empty ones before the hook is put around them, so that what is left of a call
is what we add. Segments are recycled as a collector would, between the timed runs. CPU time of the thread, best of
several runs, because whatever else runs on the machine only ever adds.
"""

from __future__ import annotations

import logging
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import websockets.asyncio.connection
import websockets.protocol
import websockets.sync.connection
from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.server import ServerProtocol
from websockets.uri import parse_uri

from msgtrace import interning
from msgtrace.code_site import CodeSites
from msgtrace.engine import Engine, load
from msgtrace.hooks.websockets_conversation import begin
from msgtrace.recorder import Recorder
from msgtrace.segment import FREE, SEALED, STATE_WORD
from msgtrace.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable

CALLS = 1_000
LIMIT_NS = 6_000
"""What an operation may cost."""
TEXT = '{"type": "order", "order_id": 4711, "items": [1, 2, 3], "note": "' + "x" * 134 + '"}'
BYTES = TEXT.encode()
LARGE = b"x" * 10_000
FRAMES = [Frame(Opcode.TEXT, BYTES)]


def handshaken() -> tuple[Any, Any]:
    """A client's and a server's protocol after their handshake."""
    client, server = ClientProtocol(parse_uri("ws://localhost:8000/orders/feed")), ServerProtocol()
    client.send_request(client.connect())
    server.receive_data(b"".join(client.data_to_send()))
    (request,) = server.events_received()
    server.send_response(server.accept(request))
    client.receive_data(b"".join(server.data_to_send()))
    client.events_received()
    return client, server


def silence() -> None:
    """Replace what does the library's own work on a message."""

    def nothing(self: Any, *args: Any, **options: Any) -> None:
        return None

    def message(self: Any, *args: Any, **options: Any) -> Any:
        return TEXT

    async def message_later(self: Any, *args: Any, **options: Any) -> Any:
        return TEXT

    async def nothing_later(self: Any, *args: Any, **options: Any) -> None:
        return None

    def events(self: Any) -> Any:
        return self.events

    protocol: Any = websockets.protocol.Protocol
    protocol.send_text = protocol.send_binary = protocol.send_continuation = nothing
    protocol.events_received = events
    threads: Any = websockets.sync.connection.Connection
    threads.recv, threads.send = message, nothing
    loop: Any = websockets.asyncio.connection.Connection
    loop.recv, loop.send = message_later, nothing_later


def connected(protocol: Any, kind: Any) -> Any:
    """A library's connection around a protocol, without a socket: an instance of its class whose `__init__` never ran."""
    connection = kind.__new__(kind)
    connection.protocol = protocol
    protocol.logger = logging.LoggerAdapter(logging.getLogger("bench"), {"websocket": connection})
    return connection


def repeated(call: Callable[..., Any], *arguments: Any) -> Callable[[int], None]:
    """A loop of a function that returns at once."""

    def run(turns: int) -> None:
        for _ in range(turns):
            call(*arguments)

    return run


def driven(call: Callable[..., Any], *arguments: Any) -> Callable[[int], None]:
    """A loop of a coroutine function that waits for nothing."""

    def run(turns: int) -> None:
        for _ in range(turns):
            try:
                call(*arguments).send(None)
            except StopIteration:
                continue

    return run


def arriving(protocol: Any, receive: Callable[[int], None]) -> Callable[[int], None]:
    """A chunk with one frame arrives, and is taken: two calls of ours."""
    protocol.events = FRAMES
    arrived = protocol.events_received

    def run(turns: int) -> None:
        for _ in range(turns):
            arrived()
            receive(1)

    return run


def in_three_frames(protocol: Any) -> Callable[[int], None]:
    """A message in fragments: three calls of ours."""

    def run(turns: int) -> None:
        for _ in range(turns):
            protocol.send_text(BYTES[:100], fin=False)
            protocol.send_continuation(BYTES[100:], fin=False)
            protocol.send_continuation(b"", fin=True)

    return run


def cases(sansio: Any, threads: Any, loop: Any) -> dict[str, Callable[[int], None]]:
    """Name -> a loop of messages."""
    sansio.events = FRAMES
    return {
        "send text": repeated(sansio.send_text, BYTES),
        "send binary": repeated(sansio.send_binary, BYTES),
        "send 10,000 bytes": repeated(sansio.send_binary, LARGE),
        "send text in 3 frames": in_three_frames(sansio),
        "send, threading": repeated(threads.send, TEXT),
        "send, asyncio": driven(loop.send, TEXT),
        "recv, threading": arriving(threads.protocol, repeated(threads.recv)),
        "recv, asyncio": arriving(loop.protocol, driven(loop.recv)),
        "receive, sans-I/O": repeated(sansio.events_received),
    }


def best_ns(loop: Callable[[int], None], recorder: Recorder, seconds: float) -> float:
    """Nanoseconds a turn, in the best of the runs that fit into the time."""
    best, until = float("inf"), time.monotonic() + seconds
    while time.monotonic() < until:
        for segment in recorder._spool._segments:
            if segment.words[STATE_WORD] == SEALED:
                segment.words[STATE_WORD] = FREE
        began = time.thread_time_ns()
        loop(CALLS)
        best = min(best, (time.thread_time_ns() - began) / CALLS)
    return best


def main() -> int:
    """Measure, and compare with the limit; 1 when it is exceeded."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 1.0
    folder = Path(tempfile.mkdtemp(prefix="msgtrace-bench-", dir="/dev/shm"))
    sansio, _ = handshaken()
    inner_threads, inner_loop = handshaken()
    threads = connected(inner_threads, websockets.sync.connection.Connection)
    loop = connected(inner_loop, websockets.asyncio.connection.Connection)
    silence()
    try:
        recorder = Recorder(folder, dict)
        interning.bind(recorder, Settings())
        base = {name: best_ns(run, recorder, seconds) for name, run in cases(sansio, threads, loop).items()}
        engine = Engine(recorder, CodeSites(recorder))
        engine.add(load("websockets"))
        for protocol in (sansio, inner_threads, inner_loop):
            begin(protocol, "/orders/feed", protocol.__dict__.get("key", "a key"), client=True)
        traced = {name: best_ns(run, recorder, seconds) for name, run in cases(sansio, threads, loop).items()}
        dropped = recorder._dropped
        engine.restore()
    finally:
        shutil.rmtree(folder)
    version = f"Python {sys.version.split()[0]}, websockets {websockets.__version__}"
    print(f"{version}, body of {len(BYTES)} bytes, ns an operation (limit {LIMIT_NS})")
    print(f"{'':24}{'empty call':>12}{'traced':>10}{'adds':>10}")
    for name, without in base.items():
        print(f"{name:24}{without:12.0f}{traced[name]:10.0f}{traced[name] - without:10.0f}")
    print(f"records dropped for want of room: {dropped}")
    return int(any(traced[name] - without > LIMIT_NS for name, without in base.items()) or dropped > 0)


if __name__ == "__main__":
    sys.exit(main())
