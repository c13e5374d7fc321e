"""What the aio_pika and kafka hooks add to a message, without a network: all of our code, into real segments.

    python -m bench.amqp_and_kafka [seconds-per-case]
    python -m bench.amqp_and_kafka --instructions      # counted by valgrind's callgrind; another load changes nothing

The libraries' own methods are replaced by empty ones before the hooks are put around them, so that what is left of a call
is what we add; what is passed are the libraries' own objects. Segments are recycled as a collector would, between the
timed runs. CPU time of the thread, best of many short runs, because whatever else runs on the machine only ever adds.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final, Self

import aio_pika.queue
import aiormq.channel
import kafka.consumer.group
import kafka.producer.kafka
from aiormq.abc import DeliveredMessage
from kafka.consumer.fetcher import ConsumerRecord
from kafka.producer.future import FutureProduceResult, FutureRecordMetadata
from kafka.producer.producer_batch import ProducerBatch
from kafka.structs import TopicPartition
from pamqp import commands
from pamqp.header import ContentHeader
from yarl import URL

from msgtrace import interning
from msgtrace.code_site import CodeSites
from msgtrace.engine import Engine, load
from msgtrace.hooks.aio_pika_deliveries import consumes
from msgtrace.recorder import Recorder
from msgtrace.segment import FREE, SEALED, STATE_WORD
from msgtrace.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

CALLS: Final = 1_000
BATCH: Final = 100
"""Records of one Kafka batch."""
LIMIT_NS: Final = 6_000
BODY: Final = b'{"type": "order", "order_id": 4711, "items": [1, 2, 3], "note": "' + b"x" * 133 + b'"}'


class Named(SimpleNamespace):
    """Something with attributes that can be held weakly."""

    __slots__ = ("__weakref__",)

    __hash__ = object.__hash__  # type: ignore[assignment]  # as what it stands for


class Running:
    """Stands for the task of a handler, which ends at once, and for aiormq's wrapper around it."""

    __slots__ = ("__weakref__", "_exception", "ends", "task")

    def __init__(self) -> None:
        self.ends: Callable[[Any], None] | None = None
        self._exception = None
        self.task = self

    def add_done_callback(self, ends: Callable[[Any], None]) -> None:
        self.ends = ends

    def cancelled(self) -> bool:
        return False


class Broker(Named):
    """Stands for an `aiormq.connection.Connection`."""


def finish(coroutine: Coroutine[Any, Any, Any]) -> None:
    """Run a coroutine that waits for nothing."""
    try:
        coroutine.send(None)
    except StopIteration:
        return


# ---- the libraries, without what they do -----------------------------------------------------------------------------


def silence() -> None:
    """Replace what does the libraries' own work on a message."""
    acknowledged = commands.Basic.Ack(1)
    record = ConsumerRecord("orders", 0, 0, 7, 1_700_000_000_000, 0, None, BODY, [], None, -1, len(BODY), -1)
    produced = FutureProduceResult(TopicPartition("orders", 0))
    made = [FutureRecordMetadata(produced, i, 1_700_000_000_000, None, -1, len(BODY), -1) for i in range(BATCH)]

    async def basic_publish(self: Any, body: bytes, **options: Any) -> Any:
        return acknowledged

    async def basic_ack(self: Any, delivery_tag: int, multiple: bool = False, wait: bool = True) -> None:
        return None

    def create_task(self: Any, coro: Any) -> Any:
        return Running()

    def send(self: Any, topic: str, value: Any = None, **options: Any) -> Any:
        return self.batch.try_append(None, None, value, [], 0)

    def try_append(self: Any, timestamp_ms: Any, key: Any, value: Any, headers: Any, now: Any = None) -> Any:
        return next(self.following)

    def complete(self: Any, base_offset: Any, timestamp_ms: Any, record_exceptions_fn: Any) -> None:
        return None

    def following(self: Any) -> Any:
        return record

    channel: Any = aiormq.channel.Channel
    channel.basic_publish, channel.basic_ack, channel.create_task = basic_publish, basic_ack, create_task
    producer: Any = kafka.producer.kafka.KafkaProducer
    batch: Any = ProducerBatch
    producer.send, batch.try_append, batch._complete_future = send, try_append, complete
    batch.made = made
    consumer: Any = kafka.consumer.group.KafkaConsumer
    consumer.__next__ = following


def amqp() -> tuple[Any, Any]:
    """A channel of aiormq that consumes, and a message for it."""
    url = URL("amqp://guest@localhost:5672//")
    channel: Any = aiormq.channel.Channel.__new__(aiormq.channel.Channel)
    channel.connection = Broker(url=url, vhost="/", heartbeat_timeout=60, connection_name=None)
    channel.number, channel.publisher_confirms, channel.on_return_callbacks = 1, True, set()

    async def handle(message: Any) -> None:
        return None

    consumes(channel, "tag", "orders")
    channel.consumers = {"tag": partial(aio_pika.queue.consumer, handle, no_ack=False)}
    properties = commands.Basic.Properties(content_type="application/json", delivery_mode=1, message_id="a" * 32)
    header = ContentHeader(0, len(BODY), properties)
    delivery = commands.Basic.Deliver("tag", 1, False, "", "orders")
    return channel, DeliveredMessage(delivery=delivery, header=header, body=BODY, channel=channel)


def client() -> tuple[Any, dict[str, Any]]:
    """A network client of kafka-python, and settings."""
    config = {
        "bootstrap_servers": "localhost", "client_id": "bench", "transactional_id": None, "acks": 1, "group_id": "workers",
        "key_deserializer": None, "value_deserializer": None, "security_protocol": "PLAINTEXT",
    }  # fmt: skip
    return Named(cluster=Named(cluster_id="cluster"), config=config), config


# ---- what is measured ------------------------------------------------------------------------------------------------


def publishing(channel: Any, message: Any) -> Callable[[int], None]:
    """Publishes by aio_pika, as `Exchange.publish` asks aiormq for them."""
    properties = message.header.properties

    def run(turns: int) -> None:
        for _ in range(turns):
            finish(
                channel.basic_publish(BODY, exchange="", routing_key="orders", properties=properties, mandatory=True)
            )

    return run


def handled(channel: Any, message: Any) -> Callable[[int], None]:
    """Deliveries to a callback, which acknowledges: a receive, its handling, and a settlement."""
    consumer, tag = channel.consumers["tag"], message.delivery.delivery_tag

    def run(turns: int) -> None:
        for _ in range(turns):
            coroutine = consumer(message)
            task = channel.create_task(coroutine)
            finish(channel.basic_ack(tag))
            if task.ends is not None:
                task.ends(task)
            coroutine.close()

    return run


def sending() -> Callable[[int], None]:
    """Sends by kafka-python, and the acknowledgement of each batch."""
    network, config = client()
    producer: Any = kafka.producer.kafka.KafkaProducer.__new__(kafka.producer.kafka.KafkaProducer)
    producer._sender, producer.config, producer._closed = Named(_client=network), config, True

    def run(turns: int) -> None:
        for number in range(turns):
            if number % BATCH == 0:
                batch: Any = ProducerBatch(TopicPartition("orders", 0), None)
                batch.following = iter(batch.made)
                producer.batch = batch
            producer.send("orders", BODY)
            if number % BATCH == BATCH - 1:
                producer.batch._complete_future(number, -1, None)

    return run


def iterating() -> Callable[[int], None]:
    """Records that kafka-python's iterator gives out."""
    network, config = client()
    consumer: Any = kafka.consumer.group.KafkaConsumer.__new__(kafka.consumer.group.KafkaConsumer)
    generation = Named(member_id="member", generation_id=1)
    consumer.config = config
    consumer._coordinator = Named(_client=network, config=config, _generation=generation)

    def run(turns: int) -> None:
        for _ in range(turns):
            consumer.__next__()

    return run


OPERATIONS: Final = {"aio-pika publish": 1, "aio-pika consume": 3, "kafka send": 1, "kafka consume": 1}
"""Of each turn of a case."""


def cases() -> dict[str, Callable[[int], None]]:
    """Name -> a loop."""
    loops = publishing(*amqp()), handled(*amqp()), sending(), iterating()
    return dict(zip(OPERATIONS, loops, strict=True))


# ---- measuring -------------------------------------------------------------------------------------------------------


class Traced:
    """The hooks in place, on a spool of their own."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="msgtrace-bench-", dir="/dev/shm"))
        self.recorder = Recorder(self.folder, dict)
        interning.bind(self.recorder, Settings())
        self.engine = Engine(self.recorder, CodeSites(self.recorder))

    def __enter__(self) -> Self:
        for name in ("aio_pika", "kafka"):
            self.engine.add(load(name))
        return self

    def __exit__(self, *_: object) -> None:
        self.engine.restore()
        shutil.rmtree(self.folder)

    def recycle(self) -> None:
        """What a collector does with full segments."""
        for segment in self.recorder._spool._segments:
            if segment.words[STATE_WORD] == SEALED:
                segment.words[STATE_WORD] = FREE


def best_ns(loop: Callable[[int], None], traced: Traced, seconds: float) -> float:
    """Nanoseconds a turn, in the best of the runs that fit into the time."""
    best, until = float("inf"), time.monotonic() + seconds
    while time.monotonic() < until:
        traced.recycle()
        began = time.thread_time_ns()
        loop(CALLS)
        best = min(best, (time.thread_time_ns() - began) / CALLS)
    return best


def counted(name: str, mode: str) -> float:
    """Instructions of a turn, in a process of its own."""
    command = ["valgrind", "--tool=callgrind", "--instr-atstart=no", "--callgrind-out-file=/dev/null", sys.executable]
    done = subprocess.run(
        [*command, "-m", "bench.amqp_and_kafka", "--case", name, "--mode", mode],
        env={**os.environ, "PYTHONHASHSEED": "0"}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    found = re.search(r"Collected : (\d+)", done.stderr)
    assert found is not None, done.stderr[-1000:]
    return int(found[1]) / CALLS


def instructions() -> int:
    """Count, and print."""
    for name, operations in OPERATIONS.items():
        added = counted(name, "traced") - counted(name, "bare")
        print(f"{name:20} {added:8,.0f} instructions a message, {added / operations:8,.0f} an operation")
    return 0


def once(name: str, mode: str) -> int:
    """Make some calls, to be counted; what happens once has happened before, and the collector of garbage rests."""
    silence()
    with Traced() if mode == "traced" else contextlib.nullcontext():
        loop = cases()[name]
        loop(CALLS)
        gc.collect()
        gc.disable()
        control = ["callgrind_control", "-i", "on", str(os.getpid())]
        subprocess.run(control, capture_output=True, check=True)
        loop(CALLS)
        control[2] = "off"
        subprocess.run(control, capture_output=True, check=True)
    return 0


def main() -> int:
    """Measure; 1 when an operation costs more than the limit."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("seconds", nargs="?", type=float, default=1.0)
    parser.add_argument("--instructions", action="store_true")
    parser.add_argument("--case", choices=OPERATIONS)
    parser.add_argument("--mode", choices=["bare", "traced"], default="traced")
    chosen = parser.parse_args()
    if chosen.instructions:
        return instructions()
    if chosen.case:
        return once(chosen.case, chosen.mode)
    silence()
    traced = Traced()
    base = {name: best_ns(loop, traced, chosen.seconds) for name, loop in cases().items()}
    print(
        f"Python {sys.version.split()[0]}, a body of {len(BODY)} bytes, ns an operation, both phases (limit {LIMIT_NS})"
    )
    exceeded = False
    with traced:
        for name, loop in cases().items():
            added = (best_ns(loop, traced, chosen.seconds) - base[name]) / OPERATIONS[name]
            exceeded |= added > LIMIT_NS
            print(f"{name:20} {added:8,.0f}")
        exceeded |= traced.recorder._dropped > 0
        print(f"records dropped for want of room: {traced.recorder._dropped}")
    return int(exceeded)


if __name__ == "__main__":
    sys.exit(main())
