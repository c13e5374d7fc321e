"""aio_pika's tables: whatever they read of a message is what the extractor reads of it, and most messages they do read."""

from __future__ import annotations

import datetime as dt
import gc
import sys
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import aio_pika.queue
import aiormq.channel
import pytest
from aiormq.abc import DeliveredMessage
from hypothesis import given
from hypothesis import strategies as st
from pamqp import commands
from pamqp.header import ContentHeader
from yarl import URL

from msgtrace.hooks.aio_pika import acked, confirmed, published
from msgtrace.hooks.aio_pika_deliveries import consumes, delivered
from msgtrace.native import native, reason
from tests.tracer.tables import ATOMS, BODIES, EXAMPLES, ODD, SHORT, Named, drawn, recorder

if TYPE_CHECKING:
    from msgtrace.recorder import Recorder

pytestmark = pytest.mark.skipif(native is None, reason=f"no compiled part: {reason}")
__all__ = ["recorder"]

PROPERTIES: Final = st.fixed_dictionaries(
    {},
    optional={
        "message_id": SHORT | ODD,
        "correlation_id": SHORT,
        "reply_to": SHORT,
        "content_type": SHORT,
        "content_encoding": SHORT,
        "delivery_mode": st.sampled_from([1, 2, aio_pika.DeliveryMode.PERSISTENT]),
        "priority": st.integers(0, 255) | st.none(),
        "message_type": SHORT,
        "expiration": st.sampled_from([None, "1000"]),
        "timestamp": st.none() | st.just(dt.datetime(2026, 1, 2, tzinfo=dt.UTC)),
        "headers": st.none() | st.dictionaries(SHORT, ODD, max_size=4),
        "app_id": st.none() | SHORT,
        "user_id": st.none() | SHORT,
    },
)


def properties(given: dict[str, Any]) -> Any:
    """Properties as pamqp has them, which checks nothing of what is set afterwards."""
    made: Any = commands.Basic.Properties()
    for name, value in given.items():
        setattr(made, name, value)
    return made


def channel() -> Any:
    made: Any = aiormq.channel.Channel.__new__(aiormq.channel.Channel)
    made.connection = Named(
        url=URL("amqp://guest@localhost:5672//"), vhost="/", heartbeat_timeout=60, connection_name=None
    )
    made.number, made.publisher_confirms, made.on_return_callbacks = 1, True, set()
    return made


CHANNELS: Final = [channel(), channel()]


@given(
    st.sampled_from(CHANNELS),
    PROPERTIES | st.none(),
    BODIES,
    st.fixed_dictionaries(
        {}, optional={"exchange": SHORT, "routing_key": SHORT | ODD, "mandatory": st.booleans(), "wait": st.booleans()}
    ),
)
@EXAMPLES
def test_a_publish(
    recorder: Recorder, on: Any, said: dict[str, Any] | None, body: Any, options: dict[str, Any]
) -> None:
    given = None if said is None else properties(said)
    drawn(recorder, published, (), on, body, properties=given, **options)
    drawn(recorder, confirmed, (7, commands.Basic.Ack(1)), on, body, properties=given, **options)
    assert drawn(recorder, confirmed, (7, None), on, body, properties=given, **options) is None


def test_most_publishes_are_read_by_the_table(recorder: Recorder) -> None:
    said = properties(
        {"message_id": "a" * 32, "delivery_mode": aio_pika.DeliveryMode.PERSISTENT, "headers": {"n": 1, "t": "x"}}
    )
    options: dict[str, Any] = {
        "exchange": "events",
        "routing_key": "order.placed",
        "properties": said,
        "mandatory": True,
    }
    found = drawn(recorder, published, (), CHANNELS[0], b"body", **options)
    assert found is not None
    assert (found["delivery_mode"], found["headers"], found["body"]) == (2, [["n", 1], ["t", "x"]], b"body")
    assert drawn(recorder, confirmed, (7, commands.Basic.Ack(1)), CHANNELS[0], b"", **options) == {
        "outcome": "ack",
        "message_id": "a" * 32,
    }


def test_a_returned_publish_is_left_to_the_extractor(recorder: Recorder) -> None:
    returned = Named(delivery=commands.Basic.Return(312, "NO_ROUTE", "", "q"), name="Basic.Ack")
    assert drawn(recorder, confirmed, (7, returned), CHANNELS[0], b"", properties=properties({})) is None


@given(st.sampled_from(CHANNELS), ATOMS, st.booleans())
@EXAMPLES
def test_an_acknowledgement(recorder: Recorder, on: Any, tag: Any, multiple: bool) -> None:
    found = drawn(recorder, acked, (None,), on, tag, multiple)
    assert found is None or not multiple
    assert type(tag) is not int or tag >= 2**63 or multiple or found is not None


def consuming(tag: str, queue: str) -> tuple[Any, Any]:
    """A channel that consumes, and its consumer."""

    async def handle(_message: Any) -> None:
        return None

    on = channel()
    consumes(on, tag, queue)
    on.consumers = {tag: partial(aio_pika.queue.consumer, handle, no_ack=False)}
    return on, on.consumers[tag]


CONSUMING: Final = [consuming("tag", "orders"), consuming("tag", "bills"), consuming("other", "orders")]


@given(
    st.sampled_from(CONSUMING), PROPERTIES, BODIES, SHORT, SHORT | ODD, st.booleans(), st.sampled_from(["tag", "other"])
)
@EXAMPLES
def test_a_delivery(
    recorder: Recorder,
    consumer: tuple[Any, Any],
    said: dict[str, Any],
    body: Any,
    exchange: str,
    routing_key: Any,
    redelivered: bool,
    tag: str,
) -> None:
    on, callback = consumer
    delivery = commands.Basic.Deliver(tag, 4, redelivered, "", "key")
    delivery.exchange, delivery.routing_key = exchange, routing_key
    message = DeliveredMessage(delivery=delivery, header=ContentHeader(0, 0, properties(said)), body=body, channel=on)
    coroutine = callback(message)
    drawn(recorder, delivered, (), on, coroutine)
    coroutine.close()


def test_most_deliveries_are_read_by_the_table(recorder: Recorder) -> None:
    for on, callback in [consuming("tag", "orders"), consuming("tag", "bills")]:
        for number in range(3):
            delivery = commands.Basic.Deliver(f"t{chr(97)}g", number, False, "", "key")
            header = ContentHeader(0, 0, properties({}))
            coroutine = callback(DeliveredMessage(delivery=delivery, header=header, body=b"body", channel=on))
            found = drawn(recorder, delivered, (), on, coroutine)
            coroutine.close()
            assert found is not None
            assert found["delivery_tag"] == number


def test_a_consumer_that_became_another_is_found_out_anew(recorder: Recorder) -> None:
    on, callback = consuming("tag", "orders")
    header = ContentHeader(0, 0, properties({}))
    message = DeliveredMessage(
        delivery=commands.Basic.Deliver("tag", 1, False, "", "key"), header=header, body=b"", channel=on
    )
    seen = []
    for queue in ("orders", "bills"):
        consumes(on, "tag", queue)
        coroutine = callback(message)
        found = drawn(recorder, delivered, (), on, coroutine)
        coroutine.close()
        assert found is not None
        seen.append(found["channel"])
    assert seen[0] != seen[1]


def test_other_tasks_are_left_to_the_extractor(recorder: Recorder) -> None:
    async def with_a_message(message: Any) -> None:
        return None

    on, _ = CONSUMING[0]
    header = ContentHeader(0, 0, properties({}))
    message = DeliveredMessage(
        delivery=commands.Basic.Deliver("tag", 1, False, "", "key"), header=header, body=b"", channel=on
    )
    for coroutine in (with_a_message(None), with_a_message(message), with_a_message((message,))):
        assert delivered.drawn(recorder.pen, (), (on, coroutine), {}) is None
        coroutine.close()


def test_nothing_of_a_call_is_kept(recorder: Recorder) -> None:
    """References are given back, whether or not the table reads the message."""
    on, callback = consuming("tag", "orders")
    header = ContentHeader(0, 0, properties({"headers": {"n": 1}}))
    bodies: list[Any] = [b"x" * 100, bytearray(b"left to the extractor")]
    for body in bodies:
        message = DeliveredMessage(
            delivery=commands.Basic.Deliver("tag", 1, False, "", "key"), header=header, body=body, channel=on
        )
        coroutine = callback(message)
        delivered.drawn(recorder.pen, (), (on, coroutine), {})
        gc.collect()
        watched = [on, on.consumers, message, message.delivery, header, header.properties, body, coroutine]
        before = [sys.getrefcount(each) for each in watched]
        for _ in range(1_000):
            delivered.drawn(recorder.pen, (), (on, coroutine), {})
        assert [sys.getrefcount(each) for each in watched] == before
        coroutine.close()
