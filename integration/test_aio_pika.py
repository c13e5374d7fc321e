"""aio_pika: publishes are recorded as they go over the wire, and nothing of the program's changes."""

import json
import re
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pamqp.frame
import pytest
from pamqp import body, commands, header

from integration.aio_pika_program import PYTHONS, Run, encoded, runner, said, told
from integration.brokers import Rabbitmq
from integration.frames.amqp import split
from integration.proxy import recording
from integration.recorded import Operation, Recording

pytestmark = pytest.mark.rabbitmq


@pytest.fixture(params=PYTHONS)
def python(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def run(python: str, rabbitmq: Rabbitmq, unique: Callable[[str], str]) -> Run:
    return runner(python, rabbitmq.url, unique)


def contents(data: bytes) -> Iterator[tuple[Any, Any, bytes]]:
    """The messages in one direction of a connection: method, properties, body."""
    method, properties, pieces, missing = None, None, b"", 0
    while data:
        size, _, frame = pamqp.frame.unmarshal(data)
        data = data[size:]
        if isinstance(frame, commands.Basic.Publish | commands.Basic.Deliver):
            method = frame
            continue
        if isinstance(frame, header.ContentHeader):
            properties, pieces, missing = frame.properties, b"", frame.body_size
        elif isinstance(frame, body.ContentBody):
            pieces += frame.value
            missing -= len(frame.value)
        else:
            continue
        if not missing and method is not None:
            yield method, properties, pieces


def on_wire(operation: Operation) -> dict[str, Any]:
    """What of a recorded message the wire carries."""
    message = operation.message
    return {
        "routing_key": message["routing_key"],
        "body": message["body"],
        "message_id": message["message_id"],
        "correlation_id": message.get("correlation_id"),
        "reply_to": message.get("reply_to"),
        "content_type": message.get("content_type"),
        "content_encoding": message.get("encoding"),
        "expiration": message.get("expiration"),
        "priority": message.get("priority"),
        "delivery_mode": message.get("delivery_mode"),
        "message_type": message.get("event_type"),
        "app_id": message.get("settings", {}).get("app_id"),
        "user_id": message.get("settings", {}).get("user_id"),
    }


def of_wire(method: Any, properties: Any, content: bytes) -> dict[str, Any]:
    names = (
        "message_id",
        "correlation_id",
        "reply_to",
        "content_type",
        "content_encoding",
        "expiration",
        "priority",
        "delivery_mode",
        "message_type",
        "app_id",
        "user_id",
    )
    return {
        "routing_key": method.routing_key,
        "body": content,
        **{name: getattr(properties, name) for name in names},
    }


def test_every_kind_of_exchange_and_every_property_as_they_go_over_the_wire(run: Run, rabbitmq: Rabbitmq) -> None:
    with recording(rabbitmq) as proxy:
        ended = run("exchanges", url=proxy.address.url, body_limit=256 * 1024)
        (conversation,) = proxy.wait_until_closed()

    sends, receives = ended.of("send"), ended.of("receive")
    published = [{name: encoded(value) for name, value in one.items() if name != "did"} for one in said(ended, "send")]
    assert [
        {
            "exchange": each["channel"],
            "routing_key": each["routing_key"],
            "body": encoded(each["body"]),
            # What the program left to aiormq, only the wire knows.
            "message_id": each["message_id"] if one["message_id"] else None,
        }
        for each, one in zip(sends, published, strict=True)
    ] == published
    assert {each.outcome for each in sends} == {"ack"}
    assert {each["channel_kind"] for each in sends} == {"exchange"}
    assert [on_wire(each) for each in sends] == [of_wire(*each) for each in contents(conversation.sent)]
    assert [on_wire(each) for each in receives] == [of_wire(*each) for each in contents(conversation.received)]
    assert [told(each) for each in receives] == said(ended, "receive")
    assert len({each["message_id"] for each in sends}) == len(sends)
    assert sends[-1]["producer_time_ms"] == 1783501811000
    assert sends[-1]["headers"] == [list(each) for each in sends[-1]["headers"]]
    assert dict(sends[-1]["headers"])["at"] == "2026-01-02T03:04:05+00:00"


def same(ended: Recording) -> tuple[list[str], str]:
    """What a program wrote, but for addresses in memory, and what the broker decides: which of two queues is first."""
    return sorted(json.dumps({**each, "delivery_tag": 0}) for each in ended.said), re.sub(
        r"0x[0-9a-f]+", "0x", ended.stderr
    )


@pytest.mark.parametrize("program", ["exchanges", "settling", "confirming"])
def test_what_a_program_prints_and_sends_stays_the_same(
    run: Run, rabbitmq: Rabbitmq, unique: Callable[[str], str], program: str
) -> None:
    """Also the ids that aiormq draws: the programs seed `random`."""
    prefix = unique("same")
    with recording(rabbitmq) as proxy:
        traced = run(program, url=proxy.address.url, prefix=prefix)
        untraced = run(program, url=proxy.address.url, prefix=prefix, traced=False)
        with_recorder, without = proxy.wait_until_closed()
    assert same(traced) == same(untraced)
    assert sorted(split(with_recorder.sent).frames, key=repr) == sorted(split(without.sent).frames, key=repr)


def test_what_became_of_publishes(run: Run, python: str) -> None:
    ended = run("confirming")
    assert [(each["body"], each.outcome, each.error_type) for each in ended.of("send")] == [
        (b"confirmed", "ack", None),
        (b"returned with an error", "returned", "aiormq.exceptions.PublishError"),
        (b"fits", "ack", None),
        (b"refused", "nack", "aiormq.exceptions.DeliveryError"),
        (b"key too long", "raised", "ValueError"),
        (b"returned to a callback", "returned", None),
        (b"instead of returned to a callback", "ack", None),
        (b"not mandatory", "ack", None),
        (b"not confirmed", "ok", None),
        (b"returned to nobody", "returned", None),
        (b"dropped", "ok", None),
    ]
    sends = {each["body"]: each for each in ended.of("send")}
    for name in (b"returned with an error", b"returned to a callback", b"returned to nobody"):
        off = {"confirms": False} if name == b"returned to nobody" else {}
        assert sends[name]["settings"] == {**off, "app_id": "shop", "reply_code": 312, "reply_text": "NO_ROUTE"}
    # All but the one that never left have the id that they went with.
    assert [body for body, each in sends.items() if not each["message_id"]] == [b"key too long"]
    assert sends[b"confirmed"]["settings"] == {"app_id": "shop"}
    assert sends[b"not mandatory"]["settings"] == {"app_id": "shop", "mandatory": False}
    assert sends[b"dropped"]["settings"] == {"app_id": "shop", "mandatory": False, "confirms": False}
    (trigger,) = ended.of("trigger")
    assert trigger["message_id"] == sends[b"returned to a callback"]["message_id"]
    assert trigger["handler"]["name"] == "returned_to_callbacks.<locals>.on_return"
    assert sends[b"instead of returned to a callback"].causes == (trigger.sequence,)
    assert [each["settings"]["action"] for each in ended.of("call")] == ["begin transaction", "commit transaction"]
    assert ended.of("receive") == []
    if python == sys.executable:  # before version 10 the name doesn't reach the broker
        assert ended.of("connect")[0]["connection"]["connection_name"] == "confirming"
