"""Replies and commands that the tested server does not have yet, read as redis-py's source and Redis's documents say.

Everything else is tested against a real server, in integration/test_redis*.py.
"""

from typing import Any

import pytest
import redis

from msgtrace import interning
from msgtrace.hooks import redis_groups, redis_lists, redis_pubsub, redis_streams, redis_wire

CLIENT = redis.Redis()


@pytest.fixture(autouse=True)
def _without_recorder(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names stay names, whatever ran before in this process."""
    monkeypatch.setattr(interning, "_recorder", None)
    monkeypatch.setattr(interning, "_texts", {})


def plain(messages: Any) -> list[dict[str, Any]]:
    """Messages without what they all have in common here."""
    return [
        {name: value for name, value in each.items() if name not in {"connection", "channel_kind", "batch_id"}}
        for each in messages
    ]


def test_a_group_read_that_claims_what_lay_too_long() -> None:
    command = ["XREADGROUP", b"GROUP", "g", "me", b"CLAIM", 1000, b"STREAMS", "orders", ">"]
    reply = [[b"orders", [(b"1-1", {b"a": b"1"}, 5000, 2), (b"2-1", {b"a": b"2"}, 0, 0)]]]
    common = {"channel": "orders", "consumer_group": "g", "group_member": "me", "encoding": "redis-stream"}
    assert plain(redis_streams.read(reply, CLIENT, *command)) == [
        {**common, "identity": "1-1", "body": b'{"a":"1"}', "redelivered": True, "attempt": 3},
        {**common, "identity": "2-1", "body": b'{"a":"2"}'},
    ]


@pytest.mark.parametrize(
    "reply",
    [
        [[b"orders", [[b"1-1", [b"a", b"1"]]]]],
        [[b"orders", [(b"1-1", {b"a": b"1"})]]],
        {b"orders": [[b"1-1", [b"a", b"1"]]]},
        {b"orders": [[(b"1-1", {b"a": b"1"})]]},
        {"orders": [("1-1", {"a": "1"})]},
    ],
)
def test_every_form_of_a_read(reply: Any) -> None:
    """Raw RESP2 and RESP3, as inside a transaction, and what each of redis-py's callbacks makes of them."""
    (message,) = plain(redis_streams.read(reply, CLIENT, "xread", "COUNT", 1, "streams", "orders", "0"))
    assert message == {"channel": "orders", "identity": "1-1", "body": b'{"a":"1"}', "encoding": "redis-stream"}


def test_options_of_an_entry() -> None:
    options = [b"NOMKSTREAM", "DELREF", b"IDMP", "producer", b"42", b"MAXLEN", b"~", "100", b"LIMIT", 7]
    message = redis_streams.added(CLIENT, "XADD", "orders", *options, "5-1", "a", 1)
    assert message is not None
    assert message.get("body") == b'{"a":"1"}'
    assert message.get("settings") == {
        "nomkstream": True,
        "delref": True,
        "idmp": ["producer", "42"],
        "approximate": True,
        "maxlen": 100,
        "limit": 7,
    }


def test_acknowledged_and_deleted() -> None:
    command = ["XACKDEL", "orders", "g", "KEEPREF", "IDS", 2, "1-1", b"2-1"]
    assert plain(redis_groups.acked_and_deleted([1, -1], CLIENT, *command)) == [
        {
            "channel": "orders",
            "consumer_group": "g",
            "identity": identity,
            "outcome": "ack",
            "settings": {"command": "XACKDEL", "reply": reply},
        }
        for identity, reply in (("1-1", 1), ("2-1", -1))
    ]


@pytest.mark.parametrize(("mode", "outcome"), [("SILENT", "requeue"), ("FAIL", "requeue"), ("FATAL", "reject")])
def test_refused(mode: str, outcome: str) -> None:
    (message,) = plain(redis_groups.nacked(1, CLIENT, "XNACK", "orders", "g", mode, "IDS", 1, "1-1", b"FORCE"))
    assert (message["identity"], message["outcome"], message["settings"]["mode"]) == ("1-1", outcome, mode)


def test_several_elements_moved_at_once() -> None:
    command = ["LMOVEM", "jobs", "busy", "LEFT", "RIGHT", "COUNT", 2, "BULK"]
    (_, parameters, _), _ = redis_lists.moving(CLIENT, *command)
    assert parameters == (CLIENT, *command)
    taken = redis_lists.popped([b"a", b"b"], *parameters)
    assert [(each.get("channel"), each.get("body")) for each in taken] == [("jobs", b"a"), ("jobs", b"b")]
    assert len({each.get("batch_id") for each in taken}) == 1
    given = redis_lists.moved([b"a", b"b"], *parameters)
    assert [(each.get("channel"), each.get("body")) for each in given] == [("busy", b"a"), ("busy", b"b")]


def test_a_message_that_another_push_handler_took() -> None:
    """With a push handler of the program's, a PubSub gets what that returned."""
    pubsub: Any = CLIENT.pubsub()  # type: ignore[no-untyped-call]  # redis-py has no types for it
    for response in (None, "text", [], [b"message"], [b"pong", b""], [b"invalidate", [b"key"], None]):
        assert redis_pubsub.delivered(pubsub, response) is None
        assert redis_pubsub.confirmed(None, pubsub, response) is None
    assert redis_pubsub.got({"type": "pong", "pattern": None, "channel": None, "data": b""}, pubsub) is None
    assert redis_pubsub.got({"kind": "of the program's own"}, pubsub) is None


def test_trace_contexts() -> None:
    valid = f"00-{'a' * 32}-{'b' * 16}-01"
    for text in (valid, "", "00--", f"00-{'0' * 32}-{'b' * 16}-01", f"00-{'g' * 32}-{'b' * 16}-01", valid[:-20]):
        message: Any = {}
        redis_wire.trace_context(message, text)
        assert message == ({"trace_id": "a" * 32, "span_id": "b" * 16} if text == valid else {})
