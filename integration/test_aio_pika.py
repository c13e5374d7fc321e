"""aio_pika: what is recorded is what the programs in programs/aio_pika say that they did, and what went over the wire.

Every test runs with the installed aio_pika, and with each interpreter that MSGTRACE_TEST_PYTHON_OLD names (separated as
in PATH): environments that have an older one.
"""

import base64
import json
import os
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pamqp.frame
import pytest
from pamqp import body, commands, header

from integration.brokers import Rabbitmq
from integration.frames.amqp import split
from integration.proxy import recording
from integration.recorded import Operation, Recording, record
from msgtrace.records import CAUSE_ENDED, CAUSE_LIVE, CAUSE_SETTLED
from msgtrace.settings import Settings

pytestmark = pytest.mark.rabbitmq

PROGRAMS = Path(__file__).parent / "programs" / "aio_pika"
OLDER = [path for path in os.environ.get("MSGTRACE_TEST_PYTHON_OLD", "").split(os.pathsep) if path]
NO_OLDER = pytest.mark.skip(reason="MSGTRACE_TEST_PYTHON_OLD names no interpreter with an older aio_pika")

Run = Callable[..., Recording]
SETTLEMENTS = {"ack", "nack", "requeue", "reject"}


@pytest.fixture(
    params=[
        pytest.param(sys.executable, id="installed"),
        *(pytest.param(path, id=f"older-{number}") for number, path in enumerate(OLDER, 1)),
        *([] if OLDER else [pytest.param("", id="older", marks=NO_OLDER)]),
    ]
)
def python(request: pytest.FixtureRequest) -> str:
    """An interpreter with some aio_pika."""
    return str(request.param)


@pytest.fixture
def run(python: str, rabbitmq: Rabbitmq, unique: Callable[[str], str]) -> Run:
    """Runs a program of this library with a prefix of its own for every name, and checks that nothing was lost."""

    def run(
        program: str, *arguments: str, url: str = "", prefix: str = "", traced: bool = True, **settings: Any
    ) -> Recording:
        ended = record(
            [str(PROGRAMS / f"{program}.py"), url or rabbitmq.url, prefix or unique(program), *arguments],
            python=python,
            settings=Settings(**settings),
            traced=traced,
        )
        assert ended.exit_code == 0, ended.stderr
        assert ended.losses == []
        return ended

    return run


# ---- the program's account and the record, brought to the same form --------------------------------------------------


def encoded(value: Any) -> Any:
    """A recorded value as the programs' accounts have it."""
    match value:
        case bytes():
            return "base64:" + base64.b64encode(value).decode()
        case dict():
            return {name: encoded(each) for name, each in value.items()}
        case list():
            return [encoded(each) for each in value]
    return value


def told(operation: Operation) -> dict[str, Any]:
    """A recorded receive in the words of an account; aio_pika fills in a priority and a mode where there is none."""
    message = operation.message
    expiration, sent_at = message.get("expiration"), message.get("producer_time_ms")
    return {
        "did": "receive",
        "queue": message["channel"],
        "exchange": message["settings"]["exchange"],
        "routing_key": message["routing_key"],
        "body": encoded(message["body"]),
        "expiration": None if expiration is None else int(expiration) / 1000,
        "priority": message.get("priority", 0),
        "delivery_mode": message.get("delivery_mode", 1),
        "timestamp": None if sent_at is None else sent_at // 1000,
        "type": message.get("event_type"),
        "content_encoding": message.get("encoding"),
        "app_id": message["settings"].get("app_id"),
        "user_id": message["settings"].get("user_id"),
        "headers": encoded(dict(message.get("headers", ()))),
        **{
            name: message.get(name)
            for name in (
                "message_id",
                "correlation_id",
                "reply_to",
                "content_type",
                "redelivered",
                "delivery_tag",
                "consumer_tag",
            )
        },
    }


def said(ended: Recording, *what: str) -> list[dict[str, Any]]:
    """What the program says that it did, of these kinds."""
    return [each for each in ended.said if each["did"] in what]


def settled(ended: Recording) -> list[tuple[str, int]]:
    """The recorded settlements that were not refused: what, of which tag."""
    return [(each.outcome, each["delivery_tag"]) for each in ended.of("settle") if each.outcome in SETTLEMENTS]


def bodies(operations: list[Operation]) -> list[bytes]:
    return [each["body"] for each in operations]


def by_sequence(ended: Recording) -> dict[int, Operation]:
    return {each.sequence: each for each in ended.operations}


# ---- the wire --------------------------------------------------------------------------------------------------------


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
        "app_id": message["settings"].get("app_id"),
        "user_id": message["settings"].get("user_id"),
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
    """What a program wrote, but for the order of what runs side by side, and for addresses in memory."""
    return sorted(json.dumps(each) for each in ended.said), re.sub(r"0x[0-9a-f]+", "0x", ended.stderr)


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


# ---- settlements -----------------------------------------------------------------------------------------------------


def test_settlements_and_how_handlers_end(run: Run) -> None:
    ended = run("settling")
    assert [told(each) for each in ended.of("receive")] == said(ended, "receive")
    account = said(ended, *SETTLEMENTS)
    assert settled(ended) == [(each["did"], each["tag"]) for each in account]
    assert [each["multiple"] for each in ended.of("settle")] == [each.get("multiple") for each in account]

    receives = {each.sequence: each for each in ended.of("receive") if each["consumer_tag"]}
    processes = ended.of("process")
    assert [each["receipt"] for each in processes] == list(receives)
    assert [each.causes for each in processes] == [(each,) for each in receives]
    assert all(each["handler"]["name"] == "run.<locals>.on_message" for each in processes)
    ends = {
        receives[each["receipt"]]["body"].decode(): (each.outcome, each.error_type, each.error_message)
        for each in processes
    }
    raised = {
        "processed_in_vain": ("raised", "ValueError", "refused by the handler"),
        "processed_again": ("raised", "LookupError", "not yet"),
        "forgotten": ("raised", "RuntimeError", "nobody settles this"),
    }
    assert {name: end for name, end in ends.items() if end[0] != "ok"} == raised
    assert all(each.ended_ns is not None for each in processes)
    by_process = {each.sequence: each["receipt"] for each in processes}
    for each in ended.of("settle"):
        if each.causes and each.causes[0] in by_process:
            assert receives[by_process[each.causes[0]]]["delivery_tag"] == each["delivery_tag"]


# ---- fetching --------------------------------------------------------------------------------------------------------


def following(ended: Recording) -> dict[str, list[str]]:
    """Of the recorded sends `SOMETHING after NAME`: NAME -> bodies of their causes."""
    operations = by_sequence(ended)
    found: dict[str, list[str]] = {}
    for each in ended.of("send"):
        _, after, name = each["body"].decode().rpartition("after ")
        if after:
            for cause in each.causes or (0,):
                receive = operations.get(operations[cause]["receipt"] or cause) if cause else None
                found.setdefault(name, []).append(receive["body"].decode() if receive else "nothing")
    return found


@pytest.mark.parametrize("connection", ["robust", "plain"])
def test_what_a_loop_publishes_follows_from_the_message_it_got(run: Run, connection: str) -> None:
    ended = run("iterating", connection)
    assert [told(each) for each in ended.of("receive")] == said(ended, "receive")
    assert following(ended) == {
        "nothing": ["nothing"],
        **{f"iterated {number}": [f"iterated {number}"] * (2 if number == 2 else 1) for number in range(5)},
    }
    states = {each["body"]: each.cause_state for each in ended.of("send") if each.causes}
    assert states == {
        b"after iterated 0": CAUSE_LIVE,
        b"after iterated 1": CAUSE_LIVE,
        b"after iterated 2": CAUSE_LIVE,
        b"still after iterated 2": CAUSE_SETTLED,
        b"after iterated 3": CAUSE_SETTLED,
        b"after iterated 4": CAUSE_LIVE,
    }
    assert ended.of("process") == []
    # The account has what the loop settled; the iterator gave back what it had prefetched.
    account = [(each["did"], each["tag"]) for each in said(ended, "ack")]
    assert [each for each in settled(ended) if each[0] == "ack"] == account
    given_back = [
        (each.outcome, each["delivery_tag"], each["multiple"]) for each in ended.of("settle") if each.outcome != "ack"
    ]
    assert given_back in ([("requeue", 4, None), ("requeue", 5, None)], [("requeue", 5, True)])
    again = [each for each in ended.of("receive") if each["redelivered"]]
    assert bodies(again) == [b"iterated 3", b"iterated 4"]
    assert [each["settings"]["message_count"] for each in again] == [1, 0]


# ---- confirms --------------------------------------------------------------------------------------------------------


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
        assert sends[name]["settings"] == {
            "mandatory": True,
            "confirms": name != b"returned to nobody",
            "reply_code": 312,
            "reply_text": "NO_ROUTE",
        }
    # All but the one that never left have the id that they went with.
    assert [body for body, each in sends.items() if not each["message_id"]] == [b"key too long"]
    assert sends[b"dropped"]["settings"] == {"mandatory": False, "confirms": False}
    (trigger,) = ended.of("trigger")
    assert trigger["message_id"] == sends[b"returned to a callback"]["message_id"]
    assert trigger["handler"]["name"] == "returned_to_callbacks.<locals>.on_return"
    assert sends[b"instead of returned to a callback"].causes == (trigger.sequence,)
    assert [each["settings"]["action"] for each in ended.of("call")] == ["begin transaction", "commit transaction"]
    assert ended.of("receive") == []
    if python == sys.executable:  # before version 10 the name doesn't reach the broker
        assert ended.of("connect")[0]["connection"]["connection_name"] == "confirming"


# ---- topology --------------------------------------------------------------------------------------------------------


def test_declarations_with_every_argument(run: Run, rabbitmq: Rabbitmq, unique: Callable[[str], str]) -> None:
    prefix = unique("topology")
    ended = run("topology", prefix=prefix)
    (unnamed, counted) = (each for each in said(ended, "declare"))

    def facts(each: Operation) -> tuple[Any, ...]:
        settings = {name: value for name, value in each["settings"].items() if value not in (False, None, {}, 0)}
        name = (each["channel"] or "").removeprefix(prefix)
        return (settings.pop("action"), each["channel_kind"], name, each["routing_key"], settings)

    waiting = {"x-message-ttl": 10, "x-dead-letter-exchange": f"{prefix}.dlx", "x-dead-letter-routing-key": "late"}
    many = {
        "x-message-ttl": 60_000,
        "x-expires": 600_000,
        "x-max-length": 100,
        "x-max-length-bytes": 1 << 20,
        "x-overflow": "drop-head",
        "x-max-priority": 5,
        "x-single-active-consumer": True,
    }
    quorum = {"x-queue-type": "quorum", "x-delivery-limit": 3}
    internal = {"internal": True} if said(ended, "inner")[0]["internal"] else {}
    alternate = {"alternate-exchange": "amq.fanout"}
    color = {"x-match": "any", "color": "red"}
    between = {"exchange": f"{prefix}.plain", "arguments": {"note": "exchange to exchange"}}
    assert [facts(each) for each in ended.of("declare")] == [
        ("qos", None, "", None, {"prefetch_count": 7}),
        ("declare", "exchange", ".plain", None, {"exchange_type": "direct", "durable": True, "arguments": alternate}),
        ("declare", "exchange", ".inner", None, {"exchange_type": "topic", **internal, "auto_delete": True}),
        ("bind", "exchange", ".inner", "key", between),
        ("unbind", "exchange", ".inner", "key", between),
        ("declare", "queue", ".queue", None, {"durable": True, "arguments": many}),
        ("declare", "queue", ".quorum", None, {"durable": True, "arguments": quorum}),
        ("declare", "queue", unnamed["queue"], None, {"exclusive": True, "auto_delete": True, "anonymous": True}),
        ("bind", "queue", ".queue", "key", {"exchange": f"{prefix}.plain"}),
        ("bind", "queue", ".queue", f"{prefix}.queue", {"exchange": "amq.headers", "arguments": color}),
        ("unbind", "queue", ".queue", "key", {"exchange": f"{prefix}.plain"}),
        ("declare", "queue", ".queue", None, {"passive": True, "message_count": counted["message_count"]}),
        ("purge", "queue", ".queue", None, {"message_count": 1}),
        ("declare", "exchange", ".dlx", None, {"exchange_type": "fanout", "auto_delete": True}),
        ("declare", "queue", ".dead", None, {"exclusive": True}),
        ("bind", "queue", ".dead", f"{prefix}.dead", {"exchange": f"{prefix}.dlx"}),
        ("declare", "queue", ".waiting", None, {"exclusive": True, "arguments": waiting}),
        ("delete", "queue", ".queue", None, {}),
        ("delete", "queue", ".quorum", None, {}),
        ("delete", "exchange", ".plain", None, {}),
        ("declare", "queue", ".missing", None, {"passive": True}),
    ]
    missing = ended.of("declare")[-1]
    assert (missing.outcome, missing.error_type) == ("raised", "aiormq.exceptions.ChannelNotFoundEntity")

    (consume,) = said(ended, "consume")
    subscriptions = ended.of("subscribe")
    assert [each["settings"]["action"] for each in subscriptions] == ["consume", "cancel"] + ["consume"] * 2 + [
        "cancel"
    ]
    assert subscriptions[0]["settings"]["arguments"] == {"x-priority": 10}
    assert subscriptions[0]["handler"]["doc"] == "Handles what never comes."
    assert {each["consumer_tag"] for each in subscriptions[:2]} == {consume["consumer_tag"]}
    assert {each["channel"] for each in subscriptions[:2]} == {consume["queue"]}
    assert subscriptions[2]["settings"]["no_ack"] is True
    assert subscriptions[3]["handler"] is None

    (receive,) = ended.of("receive")
    assert told(receive) == said(ended, "receive")[0]
    (death,) = dict(receive["headers"])["x-death"]
    assert (death["queue"], death["reason"], death["count"]) == (f"{prefix}.waiting", "expired", 1)

    connect, lost, close = ended.of("connect")
    assert connect["connection"] == {
        "server_address": rabbitmq.host,
        "server_port": rabbitmq.port,
        "virtual_host": "/",
        "user": "guest",
        "tls": False,
        "heartbeat": 30,
        "auth": "PLAIN",
        "broker": "RabbitMQ",
        "broker_version": connect["connection"]["broker_version"],
        "broker_id": connect["connection"]["broker_id"],
        "connection_name": f"{prefix}.connection",
    }
    assert connect["settings"] == {"action": "connect", **connect["connection"]}
    assert (lost["settings"]["action"], lost["settings"]["reply_code"]) == ("channel closed by the broker", 404)
    assert close["settings"] == {"action": "close"}


def test_a_password_is_nowhere(run: Run, rabbitmq: Rabbitmq) -> None:
    url = rabbitmq.url.replace("guest:guest@", "guest:Sesame%21@", 1)
    prefix = "refused"
    ended = record([str(PROGRAMS / "exchanges.py"), url, prefix])
    assert ended.exit_code == 1
    (connect,) = ended.of("connect")
    assert (connect.outcome, connect.error_type) == ("raised", "aiormq.exceptions.ProbableAuthenticationError")
    assert connect["connection"]["user"] == "guest"
    assert "Sesame" not in repr(ended.operations)


# ---- reconnects ------------------------------------------------------------------------------------------------------


def test_a_robust_connection_is_seen_to_come_back(run: Run) -> None:
    ended = run("reconnecting")
    assert [told(each) for each in ended.of("receive")] == said(ended, "receive")
    acks = [(each["did"], each["tag"]) for each in said(ended, "ack")]
    assert settled(ended) == acks
    connects = ended.of("connect")
    actions = [each["settings"]["action"] for each in connects if each.outcome == "ok"]
    assert actions.count("connect") == 3
    assert actions.count("close") == 3
    lost = [each for each in connects if "error" in each["settings"]]
    assert len(lost) == 2
    connections = [each["connection"] for each in connects if each["settings"]["action"] == "connect"]
    assert len({(each["server_address"], each["server_port"]) for each in connections}) == 1
    declared = [each["channel_kind"] for each in ended.of("declare") if each["settings"]["action"] == "declare"]
    assert sorted(declared) == ["exchange"] * 3 + ["queue"] * 3
    assert len([each for each in ended.of("subscribe") if each["settings"]["action"] == "consume"]) == 3


# ---- patterns --------------------------------------------------------------------------------------------------------


def test_remote_calls_and_workers(run: Run, unique: Callable[[str], str]) -> None:
    prefix = unique("patterns")
    ended = run("patterns", prefix=prefix)
    receives = {each.sequence: each for each in ended.of("receive")}
    handled = [
        (receives[each["receipt"]]["channel"], each["handler"]["name"], each.outcome) for each in ended.of("process")
    ]
    own = [each for each in handled if each[0].startswith(prefix)]
    assert own == [
        (f"{prefix}.doubled", "doubled", "ok"),
        (f"{prefix}.failing", "failing", "ok"),
        (f"{prefix}.pickled", "doubled", "ok"),
        *[(f"{prefix}.jobs", "work.<locals>.worker", "ok")] * 3,
    ]
    assert [name for channel, name, _ in handled if not channel.startswith(prefix)] == ["RPC.on_result_message"] * 3
    calls = [each for each in ended.of("send") if each["event_type"] == "call"]
    replies = [each for each in ended.of("send") if each["event_type"] in {"result", "error"}]
    assert [each.outcome for each in calls] == ["ack", "ack", "returned", "ack"]
    answered = [each for each in calls if each.outcome == "ack"]
    assert [each["correlation_id"] for each in replies] == [each["correlation_id"] for each in answered]
    assert [each["routing_key"] for each in replies] == [each["reply_to"] for each in answered]
    processes = by_sequence(ended)
    for call, reply in zip(answered, replies, strict=True):
        (cause,) = reply.causes
        assert receives[processes[cause]["receipt"]]["message_id"] == call["message_id"]
    assert [outcome for outcome, _ in settled(ended)] == ["ack", "ack", "ack", "ack", "reject", "nack"]


# ---- causes ----------------------------------------------------------------------------------------------------------


def test_what_handlers_publish_follows_from_what_they_handle(run: Run) -> None:
    ended = run("causes")
    names = [each["name"] for each in said(ended, "consume")]
    assert following(ended) == {name: [name] * (2 if name == "in_tasks" else 1) for name in names}
    states = {each["body"].decode(): each.cause_state for each in ended.of("send") if b" after " in each["body"]}
    expected = {
        "reply after directly": CAUSE_LIVE,
        "one after in_tasks": CAUSE_LIVE,
        "two after in_tasks": CAUSE_LIVE,
        "work after after_ack": CAUSE_SETTLED,
        "late after in_the_background": CAUSE_SETTLED | CAUSE_ENDED,
        "threaded after from_a_thread": CAUSE_LIVE,
        "optional after with_options": CAUSE_LIVE,
        "reply after object": CAUSE_LIVE,
    }
    assert states == {body: state for body, state in expected.items() if body.rpartition(" ")[2] in names}
    handlers = {each["handler"]["name"] for each in ended.of("process")}
    assert handlers == {"Callable.__call__" if name == "object" else f"Handlers.{name}" for name in names}
    # A delivery comes from elsewhere, whatever was being handled when its channel was opened.
    assert {each.causes for each in ended.of("receive")} == {()}
    sites = {each.site[2] for each in ended.of("send") if each.site and b" after " in each["body"]}
    assert sites == {"Handlers.publish"}


# ---- without aio_pika ------------------------------------------------------------------------------------------------


def test_aiormq_alone(run: Run, unique: Callable[[str], str]) -> None:
    prefix = unique("raw")
    ended = run("raw", prefix=prefix)
    account = said(ended, "receive")
    receives = ended.of("receive")
    assert [(encoded(each["body"]), each["delivery_tag"], each["message_id"]) for each in receives] == [
        (each["body"], each["tag"], each["message_id"]) for each in account
    ]
    assert [each["channel"] for each in receives] == [each["body"].decode() for each in receives]
    assert [each["handler"]["name"] for each in ended.of("process")] == [
        "main.<locals>.by_coroutine",
        "main.<locals>.by_coroutine",
        "main.<locals>.account",
    ]
    assert following(ended) == {f"{prefix}.{name}": [f"{prefix}.{name}"] for name in ("one", "two")}
    assert sorted(settled(ended)) == [("ack", 1), ("ack", 2)]
