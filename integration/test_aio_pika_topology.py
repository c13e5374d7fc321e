"""aio_pika: declarations, bindings, subscriptions and connections."""

from collections.abc import Callable
from typing import Any

import pytest

from integration.aio_pika_program import PROGRAMS, PYTHONS, Run, runner, said, settled, told
from integration.brokers import Rabbitmq
from integration.recorded import Operation, record

pytestmark = pytest.mark.rabbitmq


@pytest.fixture(params=PYTHONS)
def run(request: pytest.FixtureRequest, rabbitmq: Rabbitmq, unique: Callable[[str], str]) -> Run:
    return runner(request.param, rabbitmq.url, unique)


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
        "sasl_mechanism": "PLAIN",
        "broker": "RabbitMQ",
        "broker_version": connect["connection"]["broker_version"],
        "broker_id": connect["connection"]["broker_id"],
        "connection_name": f"{prefix}.connection",
    }
    assert connect["settings"] == {"action": "connect", **connect["connection"]}
    assert (lost["settings"]["action"], lost["settings"]["reply_code"]) == ("channel closed by the broker", 404)
    assert close["settings"] == {"action": "close"}


def test_a_password_is_nowhere(rabbitmq: Rabbitmq) -> None:
    url = rabbitmq.url.replace("guest:guest@", "guest:Sesame%21@", 1)
    prefix = "refused"
    ended = record([str(PROGRAMS / "exchanges.py"), url, prefix])
    assert ended.exit_code == 1
    (connect,) = ended.of("connect")
    assert (connect.outcome, connect.error_type) == ("raised", "aiormq.exceptions.ProbableAuthenticationError")
    assert connect["connection"]["user"] == "guest"
    assert "Sesame" not in repr(ended.operations)


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
