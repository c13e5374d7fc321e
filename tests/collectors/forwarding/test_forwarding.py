"""What is forwarded is in the central's trace as it would be in one of its own: all of it, once, without its secrets."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from msgtrace import records
from msgtrace_collectors.forwarding.overflow import give_up
from tests.collectors.conftest import collected, rows
from tests.collectors.forwarding.central import Cutting, forwarded, running_central
from tests.collectors.made_segments import MadeProcess, begun, completed, encode, introduced, observed

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

OPERATIONS = """
    select
        * exclude (operation_id, process_id, connection_id, handler_id, body_digest),
        -- Digests are each trace's own; equal ones are of equal bodies in both.
        min(sequence) over (partition by body_digest) as same_body
    from operations
    order by service, sequence
"""
LOSSES = "select service, reason, detail, lost from losses order by all"


def busy_process(spool: Path, service: str = "shop", count: int = 300) -> MadeProcess:
    """One that did a bit of everything, over several segments."""
    process = MadeProcess(spool)
    introduced(process, service=service, argv=["python", "--password", "hunter2hunter2"])
    process.record(records.DEFINE, records.CONNECTIONS, 4, {"server_address": "::1", "password": "hunter2hunter2"})
    process.record(
        records.DEFINE,
        records.HANDLERS,
        5,
        {"path": "/app/h.py", "line": 3, "name": "on", "doc": "Bearer abcdefgh12345678"},
    )
    process.record(records.DEFINE, records.TEXTS, 6, "orders")
    for n in range(1, count):
        body: Any = json.dumps({"n": n, "password": f"hunter2-{n}"}).encode()
        process.write(
            begun(
                n, n * 1000, channel=6, routing_key="a.b", message_key=b"\xff\x00" if n % 2 else b"k1", connection=4, handler=5,
                headers=[("authorization", f"Bearer abcdefghijkl{n:08}"), ("n", n), ("raw", b"\xff"), ("n", [b"v", None])],
                body=body if n % 3 else body.decode(), message_id=f"m{n}", settings={"secret": "hunter2", "n": [n]},
                causes=n - 1 or None, data=None,
            ),
        )  # fmt: skip
        if n % 4:
            process.write(completed(n, n * 1000 + 5, log_offset=n, settings={"token": "abcdefgh12345678abcd"}))
    process.write(observed(count, 10**9, data={"api_key": "hunter2hunter2", "n": [1, 2.5, None]}, channel_kind="bus"))
    process.write(observed(count + 1, 10**9, body=b"\x00\x01\xfe" * 10_000, body_size=200_000))
    process.record(records.LOSS, "unsupported", 3, "something of postgres://u:hunter2hunter2@h/db")
    process.write(b"no record", encode([0, "no sequence"]))
    return process


def test_as_if_it_had_been_here(tmp_path: Path, spool: Path) -> None:
    (spool / "a").mkdir(mode=0o700)
    busy_process(spool / "a")
    here = tmp_path / "here.duckdb"
    with running_central(tmp_path, spool) as central:
        (spool / "b").mkdir(mode=0o700)
        for folder in (spool / "a").iterdir():
            (spool / "b" / folder.name).mkdir(mode=0o700)
            for file in folder.iterdir():
                (spool / "b" / folder.name / file.name).write_bytes(file.read_bytes())
        collected(here, spool / "a")
        assert forwarded(central, spool / "b") == 1
        assert not list((spool / "b").iterdir()), "what is stored is removed"
        central.end()
        there = rows(central.db, OPERATIONS)
        assert there == rows(here, OPERATIONS)
        assert len(there) == 301
        assert rows(central.db, LOSSES) == rows(here, LOSSES)
        for name in ("causes", "connections", "handlers", "topology", "body_schemas"):
            question = f"select count(*) as n from {name}"
            assert rows(central.db, question) == rows(here, question)
        assert b"hunter2" not in central.db.read_bytes()


@settings(
    max_examples=3,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(st.lists(st.integers(2_500, 60_000), min_size=1, max_size=6), st.integers(0, 3))
def test_once_however_often_it_is_cut(
    tmp_path_factory: pytest.TempPathFactory, spool: Path, cuts: list[int], restarts: int
) -> None:
    folder = tmp_path_factory.mktemp("cut")
    local = spool / folder.name
    local.mkdir(mode=0o700)
    busy_process(local, count=1500)
    with running_central(folder, local) as central:
        proxy = Cutting(central.port, cuts)
        forwarded(central, local, port=proxy.port)
        proxy.close()
        if restarts:
            central.end()
            central.start()
            busy_process(local, "again", count=restarts)
            forwarded(central, local)
        central.end()
        assert rows(central.db, "select count(*) as n, count(distinct sequence) as d from operations where service = 'shop'") == [
            {"n": 1501, "d": 1501}
        ]  # fmt: skip


def test_two_machines_share_digests_and_keep_apart(tmp_path: Path, spool: Path) -> None:
    with running_central(tmp_path, spool) as central:
        for name in ("east", "west"):
            (spool / name).mkdir(mode=0o700)
            process = MadeProcess(spool / name, process_id=b"p" * 16)  # even under the same id
            introduced(process, service=name)
            process.write(observed(1, 5, body=b"the same"))
            forwarded(central, spool / name, name)
        central.end()
        (row,) = rows(
            central.db,
            "select count(*) as n, count(distinct body_digest) as digests, count(distinct process_id) as p from operations",
        )
        assert row == {"n": 2, "digests": 1, "p": 2}


def test_a_child_finds_its_parent(tmp_path: Path, spool: Path) -> None:
    with running_central(tmp_path, spool) as central:
        (spool / "east").mkdir(mode=0o700)
        parent = MadeProcess(spool / "east")
        introduced(parent)
        parent.write(observed(1, 5))
        child = MadeProcess(spool / "east")
        introduced(child, first_sequence=2, forked_from=parent.process_id.hex())
        child.write(observed(2, 9, causes=1))
        forwarded(central, spool / "east")
        central.end()
        assert rows(
            central.db,
            "select c.cause_id // 1000000000000 = p.process_number as ours from msgtrace_store.recorded_causes as c"
            " join processes as p on p.forked_from is null",
        ) == [{"ours": True}]


def test_over_its_quota_a_sender_is_counted(tmp_path: Path, spool: Path) -> None:
    with running_central(tmp_path, spool, quota_bytes=30_000) as central:
        (spool / "east").mkdir(mode=0o700)
        busy_process(spool / "east", count=2000)
        forwarded(central, spool / "east")
        central.end()
        (kept,) = rows(central.db, "select count(*) as n from operations")
        (lost,) = rows(central.db, "select lost from losses where reason = 'quota'")
        assert kept["n"] < 2000 < lost["lost"]


def test_what_ended_processes_left_is_bounded(spool: Path) -> None:
    for _ in range(5):
        process = MadeProcess(spool)
        introduced(process)
        process.write(observed(1, 5))
    running = MadeProcess(spool, alive=True)
    introduced(running)
    assert give_up(spool, 1 << 30) == 0
    lost = give_up(spool, 3 * running.segment_bytes)
    assert lost % 6 == 0 < lost  # clock, process, three definitions and an operation
    assert running.folder.exists()
    assert give_up(spool, 0) == 30 - lost
    assert [folder.name for folder in spool.iterdir()] == [running.folder.name]
