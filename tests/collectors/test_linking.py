"""Which send is which receive, and what settles what: rule by rule, and what the rules must not claim."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from msgtrace_collectors.linking import is_linked, link
from msgtrace_collectors.trace_file import open_for_writing
from tests.collectors.conftest import collected
from tests.collectors.made_trace import Programs

if TYPE_CHECKING:
    from pathlib import Path

MQ = "mq:5672/shop"


@pytest.fixture
def programs(tmp_path: Path, spool: Path) -> Programs:
    return Programs(tmp_path, spool)


# ---- links ------------------------------------------------------------------------------------------------------------


def test_in_process(programs: Programs) -> None:
    a = programs.program()
    emit = a.did("send", "pyee", channel="bus", channel_kind="bus")
    ran = [a.did("process", "pyee", channel="bus", channel_kind="bus", link=emit) for _ in range(2)]
    assert programs.joined("links") == dict.fromkeys([(emit, each) for each in ran], ("call", "exact"))


def test_offsets(programs: Programs) -> None:
    a, b = programs.program(), programs.program()
    log: dict[str, Any] = {"channel": "orders", "channel_kind": "topic", "body": b"same"}
    sends = [
        a.did("send", "kafka", connection="k:9092#c1", partition_id=p, log_offset=o, **log)
        for p in (0, 1)
        for o in (5, 6)
    ]
    got = [
        b.did("receive", "kafka", connection="other:9092#c1", partition_id=1, log_offset=6, consumer_group=g, **log)
        for g in "xy"
    ]
    elsewhere = b.did("receive", "kafka", connection="k:9092#c2", partition_id=0, log_offset=5, **log)
    unknown = b.did("receive", "kafka", connection="alias:9092", partition_id=0, log_offset=6, **log)
    links = programs.joined("links")
    assert links.pop((sends[1], unknown)) == ("offset", "likely")
    assert links == dict.fromkeys([(sends[3], each) for each in got], ("offset", "exact"))
    assert elsewhere not in {receive for _, receive in links}


def test_a_send_whose_offset_nobody_told(programs: Programs) -> None:
    a, b = programs.program(), programs.program()
    log: dict[str, Any] = {"channel": "orders", "channel_kind": "topic"}
    sends = [
        a.did("send", "kafka", connection="k:9092", partition_id=0, message_key=b"k", body=body, **log)
        for body in (b"1", b"2", b"1")
    ]
    got = [
        b.did(
            "receive",
            "kafka",
            connection="k:9092",
            partition_id=0,
            log_offset=o,
            message_key=b"k",
            body=body,
            consumer_group="g",
            **log,
        )
        for o, body in enumerate((b"1", b"2", b"1"))
    ]
    assert programs.joined("links") == dict.fromkeys(zip(sends, got, strict=True), ("digest", "likely"))


def test_stream_ids_and_websockets(programs: Programs) -> None:
    a, b = programs.program(), programs.program()
    entry: dict[str, Any] = {"identity": "1-0", "channel_kind": "stream"}
    added = a.did("send", "redis", connection="r:6379", channel="s", **entry)
    other = a.did("send", "redis", connection="r:6379", channel="t", **entry)
    read = [b.did("receive", "redis", connection="r:6379", channel="s", consumer_group=g, **entry) for g in "xy"]
    frame: dict[str, Any] = {"channel_kind": "connection", "identity": "ws:abc:c2s:1"}
    sent = a.did("send", "websocket", connection="public:443", channel="/ws", **frame)
    taken = b.did("receive", "websocket", connection="10.0.0.1:8000", channel="/ws", **frame)
    links = programs.joined("links")
    assert links == {(added, r): ("identity", "exact") for r in read} | {(sent, taken): ("identity", "exact")}
    assert other not in {send for send, _ in links}


def test_amqp_message_ids(programs: Programs) -> None:
    a, b = programs.program(), programs.program()
    out: dict[str, Any] = {"connection": MQ, "channel": "ex", "channel_kind": "exchange"}
    into: dict[str, Any] = {"connection": MQ, "channel": "q", "channel_kind": "queue"}
    once = a.did("send", message_id="1", body=b"a", routing_key="x", **out)
    got = b.did("receive", message_id="1", body=b"a", routing_key="x", settings={"exchange": "ex"}, **into)
    dead = b.did("receive", message_id="1", body=b"a", routing_key="dead", settings={"exchange": "dlx"}, **into)
    other_host = b.did(
        "receive", message_id="1", body=b"a", connection="mq:5672/test", channel="q", channel_kind="queue"
    )
    # The same id on a message that is published again, changed.
    first = a.did("send", message_id="2", body=b"b", routing_key="x", **out)
    first_got = b.did("receive", message_id="2", body=b"b", routing_key="x", settings={"exchange": "ex"}, **into)
    again = b.did("send", message_id="2", body=b"B", routing_key="x", **out)
    again_got = b.did("receive", message_id="2", body=b"B", routing_key="x", settings={"exchange": "ex"}, **into)
    links = programs.joined("links")
    assert links == {
        (once, got): ("message_id", "exact"), (once, dead): ("message_id", "exact"),
        (first, first_got): ("message_id", "likely"), (again, again_got): ("message_id", "likely"),
    }  # fmt: skip
    assert other_host not in {receive for _, receive in links}


def test_amqp_without_ids_by_body_and_order(programs: Programs) -> None:
    a, b = programs.program(), programs.program()
    out: dict[str, Any] = {"connection": MQ, "channel": "ex", "channel_kind": "exchange", "routing_key": "x"}
    into: dict[str, Any] = {
        "connection": MQ,
        "channel_kind": "queue",
        "routing_key": "x",
        "settings": {"exchange": "ex"},
    }
    sends = [a.did("send", body=body, **out) for body in (b"1", b"2", b"1")]
    first = [b.did("receive", channel="q", body=body, **into) for body in (b"1", b"2")]
    back = b.did("receive", channel="q", body=b"2", redelivered=True, **into)
    last = b.did("receive", channel="q", body=b"1", **into)
    copy = [b.did("receive", channel="audit", body=body, **into) for body in (b"1", b"2", b"1")]
    expected = [*zip(sends, [*first, last], strict=True), *zip(sends, copy, strict=True), (sends[1], back)]
    assert programs.joined("links") == dict.fromkeys(expected, ("digest", "likely"))


def test_pub_sub(programs: Programs) -> None:
    a, b, c = programs.program(), programs.program(), programs.program()
    about: dict[str, Any] = {"channel": "news", "channel_kind": "pubsub"}
    missed = a.did("send", "redis", connection="r:6379", body=b"tick", **about)
    sends = [a.did("send", "redis", connection="r:6379", body=body, **about) for body in (b"tick", b"one", b"tick")]
    early = [
        b.did("receive", "redis", connection="r:6379@1", body=body, **about) for body in (b"tick", b"one", b"tick")
    ]
    late = c.did("receive", "redis", connection="r:6379@1", body=b"tick", **about)
    elsewhere = c.did("receive", "redis", connection="r:6379@1", body=b"one", channel="other", channel_kind="pubsub")
    links = programs.joined("links")
    assert links == {
        (sends[0], early[0]): ("digest", "likely"), (sends[1], early[1]): ("digest", "exact"),
        (sends[2], early[2]): ("digest", "likely"), (sends[2], late): ("digest", "likely"),
    }  # fmt: skip
    assert missed not in {send for send, _ in links}
    assert elsewhere not in {receive for _, receive in links}


def test_two_producers_of_one_channel_are_never_exact(programs: Programs) -> None:
    a, b, c = programs.program(), programs.program(), programs.program()
    about: dict[str, Any] = {"channel": "news", "channel_kind": "pubsub"}
    one = a.did("send", "redis", connection="r:6379", body=b"1", **about)
    b.did("send", "redis", connection="r:6379", body=b"2", **about)
    got = c.did("receive", "redis", connection="r:6379", body=b"1", **about)
    assert programs.joined("links") == {(one, got): ("digest", "likely")}


def test_lists(programs: Programs) -> None:
    a, b, c = programs.program(), programs.program(), programs.program()
    jobs: dict[str, Any] = {"connection": "r:6379", "channel": "jobs", "channel_kind": "list"}
    sends = [a.did("send", "redis", body=body, **jobs) for body in (b"1", b"2", b"2", b"3")]
    got = [(b, b"3"), (c, b"2"), (b, b"1"), (c, b"2")]
    receives = [who.did("receive", "redis", body=body, **jobs) for who, body in got]
    assert programs.joined("links") == {
        (sends[3], receives[0]): ("digest", "exact"), (sends[1], receives[1]): ("digest", "likely"),
        (sends[0], receives[2]): ("digest", "exact"), (sends[2], receives[3]): ("digest", "likely"),
    }  # fmt: skip


def test_a_loopback_is_another_machines_on_another_machine(programs: Programs) -> None:
    here, same, there = programs.program("one"), programs.program("one"), programs.program("two")
    jobs: dict[str, Any] = {"channel": "jobs", "channel_kind": "list", "body": b"x"}
    sent = here.did("send", "redis", connection="localhost:6379", **jobs)
    got = same.did("receive", "redis", connection="127.0.0.1:6379", **jobs)
    there.did("receive", "redis", connection="localhost:6379", **jobs)
    assert programs.joined("links") == {(sent, got): ("digest", "exact")}


def test_nothing_is_received_before_it_is_sent(programs: Programs) -> None:
    a, b = programs.program(), programs.program()
    about: dict[str, Any] = {"connection": "r:6379", "channel": "news", "channel_kind": "pubsub", "body": b"x"}
    b.did("receive", "redis", at_ms=1_000, **about)
    a.did("send", "redis", at_ms=5_000, **about)
    assert programs.joined("links") == {}


def test_traceparent(programs: Programs) -> None:
    a, b = programs.program(), programs.program()
    span, trace = "00f067aa0ba902b7", "4bf92f3577b34da6a3ce929d0e0e4736"
    ids: dict[str, Any] = {"span_id": span, "trace_id": trace}
    carried = [("traceparent", f"00-{trace}-{span}-01")]
    about: dict[str, Any] = {"connection": "r:6379", "channel": "news", "channel_kind": "pubsub"}
    sent = a.did("send", "redis", body=b"x", headers=carried, **ids, **about)
    got = b.did("receive", "redis", body=b"changed by a proxy", headers=carried, **ids, **about)
    # Made inside the program's own span, which the message does not carry.
    span_only = b.did("receive", "redis", body=b"other", **ids, **about)
    links = programs.joined("links")
    assert links == {(sent, got): ("traceparent", "exact")}
    assert span_only not in {receive for _, receive in links}


# ---- settlements ------------------------------------------------------------------------------------------------------


def test_amqp_settlements(programs: Programs) -> None:
    a = programs.program()
    place: dict[str, Any] = {"connection": MQ, "delivery_channel": 1}
    got = {tag: a.did("receive", delivery_tag=tag, **place) for tag in (1, 2, 3, 4)}
    other = a.did("receive", delivery_tag=2, connection=MQ, delivery_channel=2)
    single = a.did("settle", delivery_tag=2, outcome="nack", **place)
    several = a.did("settle", delivery_tag=3, multiple=True, outcome="ack", **place)
    # The channel is opened anew under its number, and tags begin from 1.
    later = a.did("receive", delivery_tag=1, **place)
    again = a.did("settle", delivery_tag=1, outcome="ack", **place)
    settled = programs.joined("settlements")
    assert set(settled) == {(single, got[2]), (several, got[1]), (several, got[3]), (again, later)}
    assert other not in {receive for _, receive in settled}


def test_commits(programs: Programs) -> None:
    a = programs.program()
    log: dict[str, Any] = {"channel": "orders", "partition_id": 0, "consumer_group": "g"}
    got = [a.did("receive", "kafka", log_offset=o, **log) for o in range(5)]
    elsewhere = a.did("receive", "kafka", log_offset=0, channel="orders", partition_id=1, consumer_group="g")
    other_group = a.did("receive", "kafka", log_offset=0, channel="orders", partition_id=0, consumer_group="h")
    first = a.did("settle", "kafka", log_offset=2, **log)
    a.did("settle", "kafka", log_offset=2, **log)
    second = a.did("settle", "kafka", log_offset=4, **log)
    settled = programs.joined("settlements")
    assert set(settled) == {(first, got[0]), (first, got[1]), (second, got[2]), (second, got[3])}
    assert {elsewhere, other_group, got[4]}.isdisjoint({receive for _, receive in settled})


def test_acknowledged_entries_and_receipts(programs: Programs) -> None:
    a = programs.program()
    entry: dict[str, Any] = {"channel": "s", "consumer_group": "g", "identity": "1-0"}
    a.did("receive", "redis", **entry)
    claimed = a.did("receive", "redis", redelivered=True, **entry)
    acked = a.did("settle", "redis", **entry)
    got = a.did("receive", "sqs")
    deleted = a.did("settle", "sqs", receipt=got)
    assert set(programs.joined("settlements")) == {(acked, claimed), (deleted, got)}


# ---- the linker itself ------------------------------------------------------------------------------------------------


def test_it_is_the_same_however_often_and_notices_what_is_new(programs: Programs, spool: Path) -> None:
    a = programs.program()
    emit = a.did("send", "pyee")
    a.did("process", "pyee", link=emit)
    db = programs.folder / "trace.duckdb"
    before = programs.joined("links")
    connection = open_for_writing(db)
    assert is_linked(connection)
    connection.execute("delete from msgtrace_store.linked")
    assert not is_linked(connection)
    link(connection, db)
    assert is_linked(connection)
    tables = connection.execute("select table_name from duckdb_tables() where temporary").fetchall()
    assert tables == [], "nothing of the linker's is left"
    assert (
        connection.execute(
            "select function_name from duckdb_functions() where not internal and database_name <> 'temp'"
        ).fetchall()
        == []
    )
    connection.close()
    assert programs.joined("links") == before
    more = Programs(programs.folder, spool).program()
    more.did("send", "pyee")
    collected(db, spool)
    with_more = open_for_writing(db)
    assert not is_linked(with_more)
    with_more.close()
