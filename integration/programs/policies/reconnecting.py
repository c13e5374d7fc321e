"""Clients that lose their brokers and go back to them, through a relay that is down for a while, some times over.

Arguments: a JSON of addresses, numbers and outages. Says how often each was down.
"""

import asyncio
import contextlib
import json
import socket
import sys
import threading
from typing import Any
from urllib.parse import urlsplit

import aio_pika
import redis
from kafka import KafkaProducer
from redis.backoff import ExponentialBackoff
from redis.retry import Retry

given: dict[str, Any] = json.loads(sys.argv[1])


class Relay:
    """A port of its own that leads to a broker, unless it is down: then it refuses."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._open: list[socket.socket] = []
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = probe.getsockname()[1]
        self._server: socket.socket | None = None

    def up(self) -> None:
        self._server = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._serve, args=(self._server,), daemon=True).start()

    def down(self) -> None:
        assert self._server is not None
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        for each in self._open:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        self._open.clear()

    def _serve(self, server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = server.accept()
                broker = socket.create_connection(self._target)
                self._open += [client, broker]
                for pair in ((client, broker), (broker, client)):
                    threading.Thread(target=self._pump, args=pair, daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(1 << 16):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_RDWR)


def relay(url: str) -> tuple[Relay, str]:
    parts = urlsplit(url)
    assert parts.hostname is not None
    assert parts.port is not None
    made = Relay(parts.hostname, parts.port)
    return made, url.replace(f":{parts.port}", f":{made.port}").replace(parts.hostname, "127.0.0.1")


async def rabbitmq() -> None:
    made, url = relay(given["rabbitmq"])
    made.up()
    connection = await aio_pika.connect_robust(url, reconnect_interval=given["interval_s"])
    back = asyncio.Event()
    connection.reconnect_callbacks.add(lambda *_: back.set())
    for _ in range(given["outages"]):
        back.clear()
        made.down()
        await asyncio.sleep(4.5 * given["interval_s"])
        made.up()
        await asyncio.wait_for(back.wait(), 30)
        await asyncio.sleep(1.5 * given["interval_s"])
    await connection.close()


def redis_client() -> None:
    made, url = relay(given["redis"])
    made.up()
    retry = Retry(ExponentialBackoff(cap=given["cap_s"], base=given["base_s"]), 9)
    client = redis.Redis.from_url(url, retry=retry)
    for number in range(given["outages"]):
        client.publish(given["name"], str(number))
        made.down()
        timer = threading.Timer(7 * given["base_s"], made.up)
        timer.start()
        client.publish(given["name"], "through it")
        timer.join()


def kafka() -> None:
    made, address = relay(f"kafka://{given['kafka']}")
    timer = threading.Timer(10 * given["reconnect_ms"] / 1000, made.up)
    timer.start()
    producer = KafkaProducer(
        bootstrap_servers=address.removeprefix("kafka://"), reconnect_backoff_ms=given["reconnect_ms"],
        reconnect_backoff_max_ms=60_000, bootstrap_timeout_ms=30_000,
    )  # fmt: skip
    producer.send(given["name"], b"{}").get(30)
    producer.close()


asyncio.run(rabbitmq())
redis_client()
kafka()
print(json.dumps({"outages": given["outages"]}))
