"""aio_pika: values, properties and connections on record, against pamqp's and aiormq's own objects. No broker."""

from __future__ import annotations

import asyncio
import datetime as dt
import decimal
import json
from typing import TYPE_CHECKING, Any

import aio_pika
import aiormq
import pamqp.decode
import pamqp.encode
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pamqp.commands import Basic

from msgtrace.hooks.aio_pika import injected
from msgtrace.hooks.aio_pika_values import carry, described, plain

if TYPE_CHECKING:
    from msgtrace.records import Message

INSTANTS = st.datetimes(dt.datetime(1971, 1, 1), dt.datetime(2100, 1, 1), timezones=st.just(dt.UTC))  # noqa: DTZ001 - `timezones` gives one
SCALARS = st.one_of(
    st.text(max_size=20).filter(lambda text: "\x00" not in text),
    st.integers(-(2**31), 2**31 - 1),
    st.booleans(),
    st.none(),
    st.floats(allow_nan=False, width=32),
    INSTANTS.map(lambda at: at.replace(microsecond=0)),
    st.integers(-(10**6), 10**6).map(lambda cents: decimal.Decimal(cents).scaleb(-2)),
)
NAMES = st.text("abcxyz-", min_size=1, max_size=10)
TABLES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3), max_leaves=10
)


@settings(suppress_health_check=[HealthCheck.too_slow])  # the first text drawn anywhere has a table of characters built
@given(st.dictionaries(NAMES, TABLES, max_size=4))
def test_headers_are_the_same_at_both_ends_and_json(table: dict[str, Any]) -> None:
    _, decoded = pamqp.decode.field_table(pamqp.encode.field_table(table))
    assert plain(decoded) == plain(table)
    assert json.loads(json.dumps(plain(table))) == plain(table)


@given(INSTANTS, st.booleans())
def test_a_timestamp_is_what_pamqp_makes_of_it(at: dt.datetime, zoned: bool) -> None:
    given_time = at if zoned else at.replace(tzinfo=None)
    _, on_wire = pamqp.decode.timestamp(pamqp.encode.timestamp(given_time))
    message: Message = {"settings": {}}
    carry(message, Basic.Properties(timestamp=given_time), None)
    assert message.get("producer_time_ms") == on_wire.timestamp() * 1000


@given(st.integers(1, 10**9))
def test_an_expiration_is_the_wires_also_after_aio_pika_has_read_it(milliseconds: int) -> None:
    incoming = aio_pika.Message(b"", expiration=milliseconds / 1000)
    read: Message = {"settings": {}}
    carry(read, incoming, None)
    assert read.get("expiration") == str(milliseconds)


def test_a_number_too_large_for_the_record_is_its_digits() -> None:
    assert plain({"large": 2**70, "small": -(2**70)}) == {"large": str(2**70), "small": str(-(2**70))}


def test_of_a_url_only_what_is_no_secret_is_kept() -> None:
    async def connection() -> aiormq.Connection:
        return aiormq.Connection(
            "amqps://us%40er:pass%2Fword@broker.example:7777/my%2Fhost?auth=external&keyfile=/k&heartbeat=7&name=mine"
        )

    assert described(asyncio.run(connection())) == {
        "server_address": "broker.example",
        "server_port": 7777,
        "virtual_host": "my/host",
        "user": "us@er",
        "tls": True,
        "heartbeat": 7,
        "sasl_mechanism": "EXTERNAL",
        "connection_name": "mine",
    }


def test_fields_are_added_to_a_copy() -> None:
    headers: dict[str, Any] = {"a": 1}
    properties = Basic.Properties(headers=headers, message_id="m")
    args, kwargs = injected({"traceparent": "t"}, ("channel", b"body"), {"properties": properties, "exchange": "e"})
    assert (args, kwargs["exchange"]) == (("channel", b"body"), "e")
    assert kwargs["properties"].headers == {"a": 1, "traceparent": "t"}
    assert kwargs["properties"].message_id == "m"
    assert (properties.headers, headers) == ({"a": 1}, {"a": 1})


def test_a_message_without_properties_gets_those_that_it_would_have_had() -> None:
    _, kwargs = injected({"traceparent": "t"}, ("channel", b"body"), {})
    assert (kwargs["properties"].delivery_mode, kwargs["properties"].headers) == (1, {"traceparent": "t"})


def test_a_message_that_has_a_trace_keeps_it() -> None:
    args: tuple[Any, ...] = ("channel", b"body")
    given_kwargs = {"properties": Basic.Properties(headers={"traceparent": "own"})}
    kept_args, kept = injected({"traceparent": "t"}, args, given_kwargs)
    assert kept_args is args
    assert kept is given_kwargs
