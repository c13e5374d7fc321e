"""A program with OpenTelemetry's own instrumentation of a client, and msgtrace beside it. Arguments: library, url, name, order.

`loaded`: `opentelemetry-instrument` has loaded both. `ours first`: msgtrace is there when theirs comes; `theirs first`: the other way
round, started by what MSGTRACE_LATER says. Says which messages came, with the trace they bore, and which spans ended.
"""

import asyncio
import importlib
import json
import os
import sys
from typing import Any

from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

library, url, name, order = sys.argv[1:]
COUNT = 5
INSTRUMENTORS = {"aio_pika": "AioPikaInstrumentor", "kafka": "KafkaInstrumentor", "redis": "RedisInstrumentor"}
came: list[tuple[str, Any]] = []
exporter = InMemorySpanExporter()


def begin() -> None:
    # What was instrumented before has a stand-in, which from now on gives to this one.
    provider = TracerProvider()
    trace.set_tracer_provider(provider)
    if order != "loaded":
        module = importlib.import_module(f"opentelemetry.instrumentation.{library}")
        getattr(module, INSTRUMENTORS[library])().instrument()
    if "MSGTRACE_LATER" in os.environ:
        os.environ["MSGTRACE_SPOOL"] = os.environ["MSGTRACE_LATER"]
        from msgtrace.start import start

        start()
    provider.add_span_processor(SimpleSpanProcessor(exporter))


async def over_aio_pika() -> None:
    import aio_pika

    connection = await aio_pika.connect(url)
    async with connection:
        channel = await connection.channel()
        queue = await channel.declare_queue(name, auto_delete=True)
        done = asyncio.Event()

        async def on_message(message: aio_pika.abc.AbstractIncomingMessage) -> None:
            async with message.process():
                came.append((message.body.decode(), message.headers.get("traceparent")))
                if len(came) == COUNT:
                    done.set()

        for number in range(COUNT):
            with trace.get_tracer("shop").start_as_current_span("request"):
                await channel.default_exchange.publish(aio_pika.Message(b"%d" % number), routing_key=name)
        await queue.consume(on_message)
        await asyncio.wait_for(done.wait(), 30)


def over_kafka() -> None:
    from kafka import KafkaConsumer, KafkaProducer

    producer = KafkaProducer(bootstrap_servers=url)
    for number in range(COUNT):
        with trace.get_tracer("shop").start_as_current_span("request"):
            producer.send(name, b"%d" % number, partition=0).get(30)
    producer.close()
    consumer = KafkaConsumer(
        name, bootstrap_servers=url, group_id=None, auto_offset_reset="earliest", consumer_timeout_ms=30_000
    )
    for record in consumer:
        came.append((record.value.decode(), dict(record.headers).get("traceparent", b"").decode()))
        if len(came) == COUNT:
            break
    consumer.close()


def over_redis() -> None:
    import redis

    with redis.Redis.from_url(url) as client:
        for number in range(COUNT):
            with trace.get_tracer("shop").start_as_current_span("request"):
                client.rpush(name, number)
        came.extend((client.lpop(name).decode(), None) for _ in range(COUNT))


begin()
if library == "aio_pika":
    asyncio.run(over_aio_pika())
elif library == "kafka":
    over_kafka()
else:
    over_redis()
spans = [
    {
        "name": span.name,
        "kind": span.kind.name,
        "trace_id": f"{span.context.trace_id:032x}",
        "span_id": f"{span.context.span_id:016x}",
        "parent": None if span.parent is None else f"{span.parent.span_id:016x}",
    }
    for span in exporter.get_finished_spans()
]
print(json.dumps({"came": came, "spans": spans}))
