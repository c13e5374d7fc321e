"""Not a byte of the traffic changes: the same program, with and without msgtrace, seen by a recording proxy on the wire."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from websockets.asyncio.server import ServerConnection, serve

from integration.frames import amqp, kafka, resp, websocket
from integration.proxy import Server, recording
from integration.recorded import Recording, record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from integration import brokers
    from integration.proxy import Conversation

PROGRAMS = Path(__file__).parent / "programs" / "passive"
PRODUCE, FETCH = 0, 1


def both(
    address: Any, program: str, arguments: Callable[[Any, int], list[str]]
) -> list[tuple[Recording, list[Conversation]]]:
    """Run a program untraced, then traced, each through a proxy of its own."""
    runs = []
    for number, traced in enumerate((False, True)):
        with recording(address) as proxy:
            done = record([str(PROGRAMS / program), *arguments(proxy.address, number)], traced=traced)
            runs.append((done, list(proxy.wait_until_closed())))
    (plain, _), (traced_run, _) = runs
    assert plain.exit_code == 0, plain.stderr
    assert (traced_run.exit_code, traced_run.stdout, traced_run.stderr) == (0, plain.stdout, plain.stderr)
    assert plain.operations == []
    assert len(traced_run.operations) > 5
    assert traced_run.losses == []
    return runs


@pytest.mark.redis
def test_redis_traffic_is_the_same(redis_server: brokers.Redis, unique: Callable[[str], str]) -> None:
    name = unique("passive")
    plain, traced = (
        # Of what the broker said all but the first answer, HELLO's, in which it numbers the connection.
        [(resp.split(c.sent).frames, resp.split(c.received).frames[1:]) for c in conversations]
        for _, conversations in both(redis_server, "over_redis.py", lambda address, _: [address.url, name])
    )
    assert plain == traced
    assert sum(len(sent) for sent, _ in plain) > 15


@pytest.mark.rabbitmq
def test_amqp_traffic_is_the_same(rabbitmq: brokers.Rabbitmq, unique: Callable[[str], str]) -> None:
    name = unique("passive")
    plain, traced = (
        [tuple(amqp.without_heartbeats(amqp.split(c.sent).frames)) for c in conversations]
        for _, conversations in both(rabbitmq, "over_amqp.py", lambda address, _: [address.url, name])
    )
    assert plain == traced
    assert len(plain[0]) > 30


@pytest.mark.kafka
def test_kafka_traffic_is_the_same(kafka: brokers.Kafka, unique: Callable[[str], str]) -> None:
    """What is produced is the same byte for byte; of what depends on timing, which requests there are."""
    name = unique("passive")
    topics = [f"{name}.a", f"{name}.b"]

    def seen(conversations: list[Conversation], topic: str) -> tuple[list[bytes], set[tuple[int, int]]]:
        requests = [request for c in conversations for request in kafka_requests(c.sent)]
        produced = [r.body.replace(topic.encode(), b"TOPIC") for r in requests if r.api_key == PRODUCE]
        return produced, {(r.api_key, r.api_version) for r in requests}

    runs = both(kafka, "over_kafka.py", lambda address, number: [address.bootstrap, topics[number]])
    plain, traced = (seen(conversations, topic) for (_, conversations), topic in zip(runs, topics, strict=True))
    assert plain[0] == traced[0]
    assert len(plain[0]) == 5
    assert plain[1] == traced[1]


def kafka_requests(data: bytes) -> tuple[kafka.Request, ...]:
    return kafka.split_requests(data).frames


def test_websocket_traffic_is_the_same() -> None:
    with echo_server() as server:
        runs = both(server, "over_websocket.py", lambda address, _: [address.url])
    plain, traced = (
        [
            [comparable(part) for part in websocket.split(side).frames]
            for c in conversations
            for side in (c.sent, c.received)
        ]
        for _, conversations in runs
    )
    assert plain == traced
    assert Counter(type(part).__name__ for part in plain[0])["Frame"] >= 7


def comparable(part: Any) -> Any:
    """A handshake without the key, its answer, the time and the port; a frame as it is."""
    if isinstance(part, websocket.Handshake):
        return part.without("Sec-WebSocket-Key", "Sec-WebSocket-Accept", "Date", "Host")
    return part


@contextmanager
def echo_server() -> Iterator[Server]:
    """A WebSocket echo server in a thread of this process, which is not traced."""
    started = threading.Event()
    state: dict[str, Any] = {}

    async def echo(connection: ServerConnection) -> None:
        async for message in connection:
            await connection.send(message)

    async def main() -> None:
        state["stop"] = asyncio.Event()
        state["loop"] = asyncio.get_running_loop()
        async with serve(echo, "127.0.0.1", 0, compression=None) as listening:
            state["port"] = listening.sockets[0].getsockname()[1]
            started.set()
            await state["stop"].wait()

    thread = threading.Thread(target=lambda: asyncio.run(main()))
    thread.start()
    try:
        assert started.wait(10)
        yield Server(url=f"ws://127.0.0.1:{state['port']}/echo", host="127.0.0.1", port=state["port"])
    finally:
        state["loop"].call_soon_threadsafe(state["stop"].set)
        thread.join(10)
