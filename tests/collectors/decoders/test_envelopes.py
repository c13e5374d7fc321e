"""Bodies in bodies: what kombu, Celery, CloudEvents and stream entries hold comes out in its place, redacted."""

from __future__ import annotations

import base64
import importlib
import json
import pickle
from typing import Any

import msgspec
import pytest
from celery import Celery
from hypothesis import given
from hypothesis import strategies as st

from msgtrace.hooks import redis_entries
from msgtrace_collectors.decoders.labels import Labels
from tests.collectors.decoders.chosen import chooser, read, value
from tests.collectors.decoders.trees import TREES, shown

# Its types are half there.
kombu: Any = importlib.import_module("kombu")
Exchange, Queue = kombu.Exchange, kombu.Queue

SECRET = "hunter2-correct-horse"


def kombu_message(send: Any) -> bytes:
    """What kombu's virtual transports put on a queue, as JSON text."""
    with kombu.Connection("memory://") as connection:
        channel = connection.channel()
        queue = Queue("orders", Exchange("orders"), "orders", channel=channel)
        queue.declare()
        queue.purge()
        send(connection, queue)
        return json.dumps(channel._get("orders")).encode()


def produced(value: Any, **options: Any) -> bytes:
    def send(connection: Any, queue: Any) -> None:
        connection.Producer().publish(value, exchange=queue.exchange, routing_key="orders", **options)

    return kombu_message(send)


@pytest.mark.parametrize("serializer", ["json", "pickle"])
@pytest.mark.parametrize("compression", [None, "gzip", "bzip2"])
def test_kombu(serializer: str, compression: str | None) -> None:
    order = {"order": 7, "items": ["a", 2.5]}
    reading = read(produced(order, serializer=serializer, compression=compression))
    if compression == "bzip2":  # not among the formats that are read: it stands there as it came
        assert "base64" in value(reading)["body"]
    else:
        wrapped = "deflate+" if compression == "gzip" else ""
        assert reading.encoding == f"kombu+{wrapped}{serializer}"
        assert value(reading)["body"] == order
    assert value(reading)["properties"]["delivery_info"]["routing_key"] == "orders"


def sent(app: Celery, *args: Any, **kwargs: Any) -> bytes:
    def send(connection: Any, queue: Any) -> None:
        app.send_task("shop.pay", args, kwargs, connection=connection, exchange="orders", routing_key="orders")

    return kombu_message(send)


@pytest.mark.parametrize("serializer", ["json", "pickle"])
def test_a_celery_task(serializer: str) -> None:
    app = Celery(broker="memory://", set_as_current=False)
    app.conf.task_serializer = serializer
    app.conf.task_queues = [Queue("orders", Exchange("orders"), "orders")]
    reading = read(sent(app, 7, "x", note="für dich"))
    body = value(reading)["body"]
    assert reading.encoding == f"kombu+celery+{serializer}"
    assert (body["task"], body["args"], body["kwargs"]) == ("shop.pay", [7, "x"], {"note": "für dich"})
    assert body["id"] == value(reading)["headers"]["id"]
    assert set(body["embed"]) >= {"callbacks", "errbacks", "chain", "chord"}
    assert [r.kind for r in reading.remarks] == (["hazard"] if serializer == "pickle" else [])


def test_a_celery_task_over_a_protocol_with_headers() -> None:
    body = json.dumps([[1], {"x": 2}, {"chain": None}]).encode()
    headers: list[tuple[str, Any]] = [("lang", "py"), ("task", "shop.pay"), ("id", "abc")]
    reading = read(body, "application/json", "utf-8", headers=headers)
    assert (reading.encoding, reading.content) == ("celery+json", body)
    assert value(reading) == {
        "task": "shop.pay",
        "id": "abc",
        "args": [1],
        "kwargs": {"x": 2},
        "embed": {"chain": None},
    }
    # Whose headers merely look alike.
    assert read(b"[1,2]", headers=headers).encoding == "json"
    assert read(b'{"a":1}', headers=headers).encoding == "json"


@pytest.mark.parametrize("serializer", ["json", "pickle"])
def test_a_secret_in_a_task_does_not_get_past(serializer: str) -> None:
    app = Celery(broker="memory://", set_as_current=False)
    app.conf.task_serializer = serializer
    app.conf.task_queues = [Queue("orders", Exchange("orders"), "orders")]
    reading = chooser().read(sent(app, 1, password=SECRET), Labels())
    assert (reading.content, reading.kept) == (None, False)
    assert reading.redacted >= 1
    assert value(reading)["body"]["kwargs"] == {"password": "[redacted:password]"}
    assert SECRET not in str(reading)


EVENT = {"specversion": "1.0", "id": "1", "source": "/shop", "type": "order.paid"}


@given(TREES)
def test_cloudevents_with_data_in_base64(tree: object) -> None:
    body = json.dumps(
        {
            **EVENT,
            "datacontenttype": "application/msgpack",
            "data_base64": base64.b64encode(msgspec.msgpack.encode(tree)).decode(),
        }
    )
    reading = read(body.encode(), "application/cloudevents+json; charset=utf-8")
    assert reading.encoding == "cloudevents+msgpack"
    assert value(reading) == {**EVENT, "datacontenttype": "application/msgpack", "data": shown(tree)}


def test_cloudevents_in_json_and_in_headers() -> None:
    body = json.dumps({**EVENT, "data": {"order": 7}}).encode()
    assert read(body, "application/cloudevents+json") == read(body)
    binary = read(
        msgspec.msgpack.encode([7]),
        headers=[("ce_id", b"1"), ("ce_type", b"x"), ("content-type", b"application/msgpack")],
    )
    assert (binary.encoding, value(binary)) == ("msgpack", [7])


def test_a_secret_in_a_cloudevent_does_not_get_past() -> None:
    data = base64.b64encode(json.dumps({"password": SECRET}).encode()).decode()
    reading = chooser().read(
        json.dumps({**EVENT, "data_base64": data}).encode(), Labels("application/cloudevents+json")
    )
    assert (reading.content, reading.redacted) == (None, 1)
    assert value(reading)["data"] == {"password": "[redacted:password]"}


def test_bytes_in_a_stream_entry() -> None:
    shown_fields, _ = redis_entries.fields(
        [b"n", b"1", b"m", msgspec.msgpack.encode({"a": 1}), b"x", b"\xff\x00"], 1 << 16
    )
    body = redis_entries.encode(shown_fields)
    reading = read(body, None, redis_entries.ENCODING)
    assert reading.encoding == "redis-stream+msgpack"
    assert value(reading) == {"n": "1", "m": {"a": 1}, "x": {"$bytes": "/wA="}}
    assert reading.content == body


def test_a_secret_in_bytes_of_a_stream_entry_does_not_get_past() -> None:
    shown_fields, _ = redis_entries.fields(
        [b"n", b"1", b"m", b"\xc1", b"p", pickle.dumps({"password": SECRET})], 1 << 16
    )
    reading = chooser().read(redis_entries.encode(shown_fields), Labels(None, redis_entries.ENCODING))
    assert (reading.content, reading.redacted) == (None, 1)
    assert value(reading)["p"] == {"password": "[redacted:password]"}


@given(st.dictionaries(st.sampled_from(["body", "properties", "headers", "content-type", "content-encoding"]), st.text() | st.dictionaries(st.sampled_from(["body_encoding"]), st.sampled_from(["base64", ""]))))  # fmt: skip
def test_what_only_looks_like_an_envelope(fields: dict[str, Any]) -> None:
    body = json.dumps({"body_encoding": 1, **fields}).encode()
    reading = read(body)
    assert reading.document is not None
    if reading.encoding == "json":
        assert reading.document == body
