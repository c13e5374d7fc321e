"""What processes recorded is in the trace once, whenever the collector stores it and however often it starts again."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from msgtrace import records
from msgtrace.redaction import Redactor
from msgtrace_collectors import collector as collectors
from msgtrace_collectors.collector import Collector, Stop
from tests.collectors.conftest import collected, rows
from tests.collectors.made_segments import WALL_NS, MadeProcess, begun, completed, encode, introduced, observed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

EVERYTHING = """
    select * exclude (operation_id, connection_id, handler_id, observed_at, body_digest), epoch_ns(observed_at) as observed_ns
    from operations
    order by process_id, sequence
"""


def test_one_operation_in_full(tmp_path: Path, spool: Path) -> None:
    process = MadeProcess(spool)
    introduced(process)
    process.record(records.DEFINE, records.CONNECTIONS, 4, {
        "server_address": "::1", "server_port": 5672, "virtual_host": "/", "cluster_id": "c1", "password": "hunter2",
    })  # fmt: skip
    process.record(
        records.DEFINE,
        records.HANDLERS,
        5,
        {"path": "/app/h.py", "line": 3, "end_line": 9, "name": "on", "module": "h"},
    )
    process.record(records.DEFINE, records.TEXTS, 6, "orders")
    process.write(
        begun(
            7, 1_000, channel=6, channel_kind="exchange", routing_key="a.b", message_key=b"\xff\x00", connection=4, handler=5,
            headers=[("n", 1), ("n", b"two"), ("raw", b"\xff"), ("table", {"k": [b"v", None]})], body='{"total": 1.50}',
            producer_time_ms=1_700_000_000_123, delivery_mode=2, settings={"mandatory": True}, message_id="m1",
        ),
        completed(7, 3_500, partition_id=3, log_offset=9, message_id="m2", settings={"retries": 1}),
    )  # fmt: skip
    db = tmp_path / "t.duckdb"
    assert collected(db, spool) == []
    (row,) = rows(db, "select * exclude (observed_at), epoch_ns(observed_at) as observed_ns from operations")
    headers = {"n": [1, "two"], "raw": {"base64": "/w=="}, "table": {"k": ["v", None]}}
    expected: dict[str, Any] = {
        "kind": "send", "system": "rabbitmq", "client": "aio_pika 10.2", "service": "shop", "host": "here",
        "process_id": process.process_id.hex(), "pid": 7, "thread": "MainThread", "sequence": 7,
        "observed_ns": WALL_NS + 1_000, "monotonic_ns": 1_000, "duration_ns": 2_500,
        "server": "[::1]:5672", "broker_id": "c1", "virtual_host": "/", "channel": "orders", "channel_kind": "exchange",
        "routing_key": "a.b", "message_key": r"\xFF\x00", "partition_id": 3, "log_offset": 9, "message_id": "m2",
        "delivery_mode": 2, "body": b'{"total": 1.50}', "body_json": '{"total": 1.50}', "body_size": 15, "encoding": "json",
        "truncated": False, "redacted": 0, "outcome": "ok", "code_site": "/app/app.py:12", "code_function": "main",
        "handler_site": "/app/h.py:3",
    }  # fmt: skip
    assert {name: row[name] for name in expected} == expected
    assert json.loads(row["headers"]) == headers
    assert json.loads(row["settings"]) == {"retries": 1}
    assert [(pair["name"], pair["value"]) for pair in row["raw_headers"]] == [
        ("n", b"1"), ("n", b"two"), ("raw", b"\xff"), ("table", b'{"k":["v",null]}'),
    ]  # fmt: skip
    assert row["producer_time"].isoformat() == "2023-11-14T22:13:20.123000"
    assert len(row["body_digest"]) == 32
    facts = rows(db, "select facts from msgtrace_store.connections")[0]["facts"]
    assert "hunter2" not in facts
    assert not list(spool.glob("*/")), "folders of ended processes are removed"


@pytest.mark.parametrize(
    ("intent", "completion", "expected"),
    [
        (None, None, "unknown"), ("ack", None, "unknown"), (None, "ok", "ok"), ("ack", "ok", "ack"),
        ("nack", "raised", "raised"), (None, "returned", "returned"),
    ],
)  # fmt: skip
def test_outcomes(tmp_path: Path, spool: Path, intent: str | None, completion: str | None, expected: str) -> None:
    process = MadeProcess(spool)
    introduced(process, kind="settle")
    process.write(begun(2, 10, **dict[str, Any](outcome=intent) if intent else {}))
    if completion:
        process.write(completed(2, 20, completion))
    collected(tmp_path / "t.duckdb", spool)
    assert [row["outcome"] for row in rows(tmp_path / "t.duckdb", "select outcome from operations")] == [expected]


def test_a_definition_that_comes_late_is_known(tmp_path: Path, spool: Path) -> None:
    process = MadeProcess(spool)
    process.write(observed(1, 5, point=1, channel=9))
    collector = Collector(tmp_path / "t.duckdb", spool, Redactor(), print)
    collector._reader.poll(collector._batch)
    collector.commit(Stop())
    introduced(process)
    process.record(records.DEFINE, records.TEXTS, 9, "late")
    collector.close()
    collected(tmp_path / "t.duckdb", spool)
    assert rows(tmp_path / "t.duckdb", "select kind, channel from operations") == [{"kind": "send", "channel": "late"}]


def test_a_child_knows_its_parents_operations_as_causes(tmp_path: Path, spool: Path) -> None:
    parent, child = MadeProcess(spool), MadeProcess(spool)
    introduced(child, kind="send", first_sequence=50, forked_from=parent.process_id.hex())
    child.write(observed(51, 100, causes=3), observed(52, 101, causes=51))
    introduced(parent, kind="receive")
    parent.write(observed(3, 50))
    db = tmp_path / "t.duckdb"
    collected(db, spool, linked=True)
    found = rows(
        db,
        "select c.sequence as cause, e.sequence as effect from causes join operations c on c.operation_id = cause_id "
        "join operations e on e.operation_id = effect_id order by effect",
    )
    assert found == [{"cause": 3, "effect": 51}, {"cause": 51, "effect": 52}]


def test_what_makes_no_sense_is_counted_and_the_rest_is_there(tmp_path: Path, spool: Path) -> None:
    process = MadeProcess(spool)
    introduced(process)
    process.write(
        b"\xff\x00\x01", b"\x91" * 3000, encode([99, 1]), encode("text"), encode([0, 2**63, 1, 1, 1, 1, None, 0, {}]),
        encode([0, 0, 1, 1, 1, 1, None, 0, {}]), encode([0, 1, -5, 1, 1, 1, None, 0, {}]),
        encode([3, 77, 1, "x"]), encode([3, 0, 10**7, ["x"]]), encode([5, -1, 2**63 - 1]), b"\x93\x06\xa2\xff\xfe\x01",
        begun(8, 80, channel="c", priority="high", delivery_tag=2**64 - 1, body=5, message_key=[1], producer_time_ms=10**18),
        completed(8, 90, log_offset=4), encode([1, 8, 95, "ok", None, None, {"identity": 7}]),
        encode([6, "hook failed", 3, "x: token=abcdef"]),
    )  # fmt: skip
    process.words[7] = 5
    db = tmp_path / "t.duckdb"
    collected(db, spool)
    (row,) = rows(
        db, "select channel, priority, delivery_tag, log_offset, producer_time, body_json, encoding from operations"
    )
    assert row == {
        "channel": "c", "priority": None, "delivery_tag": None, "log_offset": 4, "producer_time": None, "body_json": "5",
        "encoding": "object",
    }  # fmt: skip
    lost = {(r["reason"], r["detail"]): r["lost"] for r in rows(db, "select reason, detail, lost from losses")}

    assert lost["hook failed", "x: token=[redacted:token]"] == 3
    assert lost["dropped", "no room in the segments: records were not written"] == 5
    assert sum(n for (reason, _), n in lost.items() if reason == "undecodable") == 11
    assert sum(n for (reason, _), n in lost.items() if reason == "field") == 3


def test_a_cut_body_is_said_to_be_cut(tmp_path: Path, spool: Path) -> None:
    process = MadeProcess(spool)
    introduced(process)
    process.write(
        observed(1, 1, body=b'{"a": "bc', body_size=5_000), observed(2, 2, body=b"", body_size=0), observed(3, 3)
    )
    collected(tmp_path / "t.duckdb", spool)
    found = rows(
        tmp_path / "t.duckdb",
        "select body, body_json, body_size, truncated, encoding from operations order by sequence",
    )
    assert [tuple(row.values()) for row in found] == [
        (b'{"a": "bc', None, 5_000, True, "text"), (b"", None, 0, False, "text"), (None, None, None, False, None),
    ]  # fmt: skip
    assert [(r["reason"], r["lost"]) for r in rows(tmp_path / "t.duckdb", "from losses")] == [("truncated", 1)]


@pytest.mark.parametrize(
    "body",
    [
        b"[NaN]",
        b"[1,]",
        b"{a:1}",
        b'{"a":"\\ud800"}',
        b"[" * 5_000,
        b"[" * 5_000 + b"]" * 5_000,
        b'"\xff"',
        b"\0\1\2",
        b'{"a":1}x',
    ],
)
def test_a_body_that_is_no_json_is_never_shown_as_json(tmp_path: Path, spool: Path, body: bytes) -> None:
    process = MadeProcess(spool)
    introduced(process)
    process.write(observed(1, 1, body=body, content_type="application/json"))
    collected(tmp_path / "t.duckdb", spool)
    assert rows(tmp_path / "t.duckdb", "select body, body_json, body_json ->> '$.a' as a from operations") == [
        {"body": body, "body_json": None, "a": None}
    ]


def test_what_ended_processes_left_is_stored_however_long_that_takes(
    tmp_path: Path, spool: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Time is short for those that go on and never stop; a slow machine may take longer for what is there."""
    monkeypatch.setattr(collectors, "DRAIN_AT_MOST_S", 0.0)
    for count in (400, 900):
        process = MadeProcess(spool, segment_bytes=1 << 12)
        introduced(process)
        for number in range(1, count + 1):
            process.write(observed(number, number, channel="c", channel_kind="topic", body=b"{}"))
    db, said = tmp_path / "t.duckdb", list[str]()
    collector = Collector(db, spool, Redactor(), said.append)
    collector.run(Stop(requested=True), until_idle_s=lambda: None, every=lambda: None)
    collector.close()
    assert said == []
    assert rows(db, "select count(*) as n from operations group by process_id order by all") == [{"n": 400}, {"n": 900}]
    assert list(spool.glob("*/")) == []


def test_each_distinct_body_is_stored_once(tmp_path: Path, spool: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("msgtrace_collectors.bodies.MAX_KNOWN", 3)
    db = tmp_path / "t.duckdb"
    for turn in range(3):
        process = MadeProcess(spool)
        introduced(process)
        process.write(*(observed(i + 1, i, body=b'{"n":%d}' % (i % 20)) for i in range(60 + turn)))
        collected(db, spool)
    assert rows(db, "select count(*) as n, count(distinct body_digest) as d from msgtrace_store.bodies") == [
        {"n": 20, "d": 20}
    ]
    assert rows(db, "select count(*) as n from operations where body is null") == [{"n": 0}]


# ---- exactly once -----------------------------------------------------------------------------------------------------


def made(process: MadeProcess, count: int, variant: int) -> list[Callable[[], None]]:
    """Steps that record operations: some completed at once, some late, some twice, some never, some in one record."""
    steps: list[Callable[[], None]] = [lambda: introduced(process)]
    late: list[Callable[[], None]] = []
    for i in range(2, count + 2):
        body = json.dumps({"n": i % 7, "password": "x"}).encode()
        how = (i * 7 + variant) % 5
        if how == 0:
            steps.append(lambda i=i, b=body: process.write(observed(i, i * 100, body=b, causes=i - 1, channel="c")))  # type: ignore[misc]
            continue
        steps.append(lambda i=i, b=body: process.write(begun(i, i * 100, body=b, headers=[("i", i)], channel="c")))  # type: ignore[misc]
        if how > 1:
            late.append(lambda i=i: process.write(completed(i, i * 100 + 50, identity=f"{i}-0")))  # type: ignore[misc]
        if how == 2:
            facts = {"log_offset": i, "settings": {"i": i}}
            late.append(lambda i=i, f=facts: process.write(completed(i, i * 100 + 90, "returned", **f)))  # type: ignore[misc]
        if how == 3:
            late.append(lambda i=i: process.write(completed(i, i * 100 + 95, None, identity=f"{i}-1", channel="d")))  # type: ignore[misc]
        if i % 3 == 0:
            steps += late
            late.clear()
    return steps + late


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_the_same_operations_whatever_the_interleaving_the_batches_and_the_restarts(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("traces")
    plain, disturbed = folder / "plain", folder / "disturbed"
    ids = [bytes([n]) * 16 for n in range(1, data.draw(st.integers(1, 3)) + 1)]
    sizes = [data.draw(st.integers(1, 30)) for _ in ids]
    for spool in (plain, disturbed):
        spool.mkdir(mode=0o700)
    for number, process_id in enumerate(ids):
        for step in made(MadeProcess(plain, process_id, segment_bytes=1 << 11), sizes[number], number):
            step()
    collected(folder / "plain.duckdb", plain)

    queues = [
        made(MadeProcess(disturbed, process_id, segment_bytes=1 << 11), sizes[n], n) for n, process_id in enumerate(ids)
    ]
    db = folder / "disturbed.duckdb"
    collector = Collector(db, disturbed, Redactor(), print)
    while any(queues):
        queue = data.draw(st.sampled_from([queue for queue in queues if queue]))
        for _ in range(data.draw(st.integers(1, 8))):
            if queue:
                queue.pop(0)()
        match data.draw(st.sampled_from(["nothing", "poll", "commit", "die", "die unread"])):
            case "poll":
                _poll(collector)
            case "commit":
                _poll(collector)
                collector.commit(Stop())
            case "die":
                _poll(collector)
                collector.close()
                collector = Collector(db, disturbed, Redactor(), print)
            case "die unread":
                collector.close()
                collector = Collector(db, disturbed, Redactor(), print)
    collector.close()
    collected(db, disturbed)

    assert rows(db, EVERYTHING) == rows(folder / "plain.duckdb", EVERYTHING)
    for table in ("bodies", "recorded_causes"):
        count = f"select count(*) as n from msgtrace_store.{table}"
        assert rows(db, count) == rows(folder / "plain.duckdb", count)


def _poll(collector: Collector) -> None:
    """Read without asking whether a process lives: ours "ended" long ago, and still write."""
    reader = collector._reader
    reader._discover()
    for tail in reader._tails.values():
        payloads = tail.read(ended=False)
        if payloads:
            collector._batch.add(tail.state, payloads)
            collector.registry.changed[tail.state.number] = tail.state
