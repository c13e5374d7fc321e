"""The recording proxy: real clients through it, every byte kept, ends and resets passed on."""

import asyncio
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import aio_pika
import pytest
import redis
from kafka import KafkaConsumer, KafkaProducer
from websockets.sync.client import connect
from websockets.sync.server import ServerConnection, serve

from integration.brokers import Kafka, Rabbitmq, Redis
from integration.brokers.native import free_ports
from integration.frames import amqp, resp, websocket
from integration.frames import kafka as kafka_frames
from integration.proxy import Conversation, Server, recording

LIMIT_S = 10.0


@contextmanager
def tcp_server(talk: Callable[[socket.socket], object]) -> Iterator[Server]:
    """Talks with one client in a thread."""

    def accept() -> None:
        connection, _ = listener.accept()
        with connection, suppress(ConnectionResetError):
            talk(connection)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(LIMIT_S)
        thread = threading.Thread(target=accept)
        thread.start()
        port = listener.getsockname()[1]
        yield Server(f"tcp://127.0.0.1:{port}", "127.0.0.1", port)
        thread.join(LIMIT_S)
        assert not thread.is_alive()


def read_all(connection: socket.socket) -> bytes:
    connection.settimeout(LIMIT_S)
    data = b""
    while chunk := connection.recv(1 << 16):
        data += chunk
    return data


def test_a_half_close_is_passed_on_and_every_byte_is_kept() -> None:
    def reverse(connection: socket.socket) -> None:
        connection.sendall(read_all(connection)[::-1])

    question = bytes(range(256)) * 20_000
    with tcp_server(reverse) as server, recording(server) as proxy:
        with socket.create_connection((proxy.address.host, proxy.address.port), LIMIT_S) as client:
            client.sendall(question)
            client.shutdown(socket.SHUT_WR)
            assert read_all(client) == question[::-1]
        assert proxy.wait_until_closed() == (Conversation(0, question, question[::-1], open=False, failure=""),)


def test_what_was_sent_and_forgotten_is_kept() -> None:
    with tcp_server(read_all) as server, recording(server) as proxy:
        with socket.create_connection((proxy.address.host, proxy.address.port), LIMIT_S) as client:
            client.sendall(b"forgotten")
        assert [one.sent for one in proxy.wait_until_closed()] == [b"forgotten"]


def reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def test_a_reset_by_the_broker_is_a_reset_for_the_client() -> None:
    def refuse(connection: socket.socket) -> None:
        connection.recv(4)
        reset(connection)

    with tcp_server(refuse) as server, recording(server) as proxy:
        with socket.create_connection((proxy.address.host, proxy.address.port), LIMIT_S) as client:
            client.sendall(b"ping")
            with pytest.raises(ConnectionResetError):
                client.recv(1)
        assert [one.sent for one in proxy.wait_until_closed()] == [b"ping"]


def test_a_reset_by_the_client_is_a_reset_for_the_broker() -> None:
    seen: list[str] = []

    def listen(connection: socket.socket) -> None:
        connection.sendall(b"hello")
        try:
            read_all(connection)
            seen.append("end")
        except ConnectionResetError:
            seen.append("reset")

    with tcp_server(listen) as server, recording(server) as proxy:
        client = socket.create_connection((proxy.address.host, proxy.address.port), LIMIT_S)
        client.recv(5)
        reset(client)
        proxy.wait_until_closed()
    assert seen == ["reset"]


def test_a_broker_that_is_not_there_is_said_so() -> None:
    (port,) = free_ports(1)
    with recording(Server(f"tcp://127.0.0.1:{port}", "127.0.0.1", port)) as proxy:
        # The reset may come before the client has seen that it is connected.
        with (
            pytest.raises(ConnectionResetError),
            socket.create_connection((proxy.address.host, proxy.address.port), LIMIT_S) as client,
        ):
            client.recv(1)
        (one,) = proxy.wait_until_closed()
        assert "Connect call failed" in one.failure


def test_the_end_of_the_recording_ends_open_connections_and_frees_the_port() -> None:
    with tcp_server(read_all) as server:
        with recording(server) as proxy:
            client = socket.create_connection((proxy.address.host, proxy.address.port), LIMIT_S)
            client.sendall(b"unfinished")
            with pytest.raises(TimeoutError, match="still open"):
                proxy.wait_until_closed(0.05)
        with client, pytest.raises(ConnectionResetError):
            client.recv(1)
        with recording(server, port=proxy.address.port) as again:
            assert again.address == proxy.address
    assert [(one.sent, one.open) for one in proxy.conversations] == [(b"unfinished", False)]


@pytest.mark.rabbitmq
def test_rabbitmq(rabbitmq: Rabbitmq, unique: Callable[[str], str]) -> None:
    async def talk(url: str, queue_name: str) -> None:
        async with await aio_pika.connect(url) as connection:
            channel = await connection.channel()
            queue = await channel.declare_queue(queue_name, auto_delete=True)
            await channel.default_exchange.publish(aio_pika.Message(b"paid"), queue_name)
            message = await queue.get(timeout=LIMIT_S)
            await message.ack()
            await queue.delete()

    with recording(rabbitmq) as proxy:
        asyncio.run(talk(proxy.address.url, unique("queue")))
        (one,) = proxy.wait_until_closed()
    sent, received = amqp.split(one.sent), amqp.split(one.received)
    assert (sent.rest, received.rest) == (b"", b"")
    assert sent.frames[0].payload == b"AMQP\x00\x00\x09\x01"
    methods = [frame.method for frame in sent.frames if frame.method]
    assert [method for method in methods if method[0] == 60] == [(60, 40), (60, 70), (60, 80)]
    assert [frame.payload for frame in (*sent.frames, *received.frames) if frame.kind == amqp.BODY] == [b"paid"] * 2


@pytest.mark.redis
def test_redis(redis_server: Redis, unique: Callable[[str], str]) -> None:
    stream = unique("stream").encode()
    with recording(redis_server) as proxy:
        with redis.Redis.from_url(proxy.address.url) as client:
            entry = client.xadd(stream, {"event": "paid"})
            client.xrange(stream)
            client.delete(stream)
        (one,) = proxy.wait_until_closed()
    sent, received = resp.split(one.sent), resp.split(one.received)
    assert (sent.rest, received.rest) == (b"", b"")
    assert sent.frames[-3].words == (b"XADD", stream, b"*", b"event", b"paid")
    assert received.frames[-3].text == entry
    assert len(sent.frames) == len(received.frames)


@pytest.mark.kafka
def test_kafka_clients_stay_behind_the_proxy(kafka: Kafka, unique: Callable[[str], str]) -> None:
    if not kafka.proxied_port:
        pytest.skip(f"{kafka.url} has no listener for clients behind a proxy")
    topic = unique("topic")
    with recording(kafka) as proxy:
        producer = KafkaProducer(bootstrap_servers=proxy.address.bootstrap)
        sent = producer.send(topic, b"paid").get(LIMIT_S)
        producer.close()
        consumer = KafkaConsumer(
            topic,
            bootstrap_servers=proxy.address.bootstrap,
            auto_offset_reset="earliest",
            consumer_timeout_ms=LIMIT_S * 1000,
        )
        record = next(iter(consumer))
        consumer.close()
        conversations = proxy.wait_until_closed()
    assert (record.offset, record.value) == (sent.offset, b"paid")
    api_keys = set()
    for one in conversations:
        requests = kafka_frames.split_requests(one.sent)
        responses = kafka_frames.split_responses(one.received)
        assert (requests.rest, responses.rest) == (b"", b"")
        pairs = list(kafka_frames.exchanges(requests.frames, responses.frames))
        assert sum(response is not None for _, response in pairs) == len(responses.frames)
        api_keys |= {request.api_key for request, response in pairs if response}
    assert {0, 1, 3, 18} <= api_keys, "produce, fetch, metadata and versions all went through the proxy"


def test_websocket() -> None:
    def echo(connection: ServerConnection) -> None:
        for message in connection:
            connection.send(message)

    with serve(echo, "127.0.0.1", 0, compression=None) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        port = server.socket.getsockname()[1]
        with recording(Server(f"ws://127.0.0.1:{port}/live", "127.0.0.1", port)) as proxy:
            with connect(proxy.address.url, compression=None, proxy=None) as client:
                client.send("paid")
                assert client.recv(LIMIT_S) == "paid"
            (one,) = proxy.wait_until_closed()
        server.shutdown()
        thread.join(LIMIT_S)
    sent, received = websocket.split(one.sent), websocket.split(one.received)
    assert (sent.rest, received.rest) == (b"", b"")
    assert isinstance(sent.frames[0], websocket.Handshake)
    assert sent.frames[0].start_line == "GET /live HTTP/1.1"
    closing = struct.pack(">H", 1000)
    expected = (
        websocket.Frame(final=True, reserved=0, opcode=websocket.TEXT, payload=b"paid"),
        websocket.Frame(final=True, reserved=0, opcode=websocket.CLOSE, payload=closing),
    )
    assert sent.frames[1:] == received.frames[1:] == expected
