"""A trace stays within its limits by losing its oldest operations, which are counted; what stays is whole."""

from __future__ import annotations

import io
import os
import time
from typing import TYPE_CHECKING

import fastavro
import pytest

from msgtrace.redaction import Redactor
from msgtrace_collectors.caps import Caps
from msgtrace_collectors.collect import parsed_age, parsed_size
from msgtrace_collectors.collector import Collector, Stop
from tests.collectors.conftest import CollectorProcess, rows
from tests.collectors.made_segments import MadeProcess, begun, completed, introduced, observed

if TYPE_CHECKING:
    from pathlib import Path

CONSISTENT = """
    select
        (select count(*) from operations where body_digest is not null and body is null) as without_body,
        (select count(*) from msgtrace_store.bodies where body_digest not in (
            select body_digest from msgtrace_store.operations where body_digest is not null)) as unused_bodies,
        (select count(*) from msgtrace_store.late_facts where operation_id not in (
            select operation_id from msgtrace_store.operations)) as unused_facts,
        (select count(*) from links where send_id not in (select operation_id from operations)) as broken_links
"""


def _container() -> bytes:
    made = io.BytesIO()
    fastavro.writer(made, {"type": "record", "name": "N", "fields": []}, [{}], sync_marker=b"0123456789abcdef")
    return made.getvalue()


CONTAINER = _container()


def filled(db: Path, spool: Path, count: int, wall_ns: int, body_bytes: int = 800) -> Collector:
    """A collector that has stored operations, one a millisecond, each completed in a later transaction."""
    process = MadeProcess(spool, segment_bytes=1 << 20, wall_ns=wall_ns)
    introduced(process)
    process.write(*(begun(i, i * 10**6, body=os.urandom(body_bytes)) for i in range(1, count + 1)))
    collector = Collector(db, spool, Redactor(), print)
    collector._reader.poll(collector._batch)
    collector.commit(Stop())
    process.write(*(completed(i, i * 10**6 + 5) for i in range(1, count + 1)))
    collector.run(Stop(), until_idle_s=lambda: 0.0, every=lambda: None)
    return collector


def test_size(tmp_path: Path, spool: Path) -> None:
    db = tmp_path / "trace.duckdb"
    collector = filled(db, spool, 20_000, time.time_ns())
    deleted = Caps(max_bytes=12_000_000).enforce(collector.store, now=True)
    assert 0 < deleted < 20_000
    collector.bodies_deleted()
    collector.close()
    (row,) = rows(db, "select count(*) as n, min(sequence) as first, max(sequence) as last from operations")
    assert row == {"n": 20_000 - deleted, "first": deleted + 1, "last": 20_000}, "the oldest go"
    (lost,) = rows(db, "select reason, lost from losses")
    assert lost == {"reason": "expired", "lost": deleted}
    assert set(rows(db, CONSISTENT)[0].values()) == {0}
    (size,) = rows(db, "select used_blocks * block_size as used from pragma_database_size()")
    assert size["used"] <= 12_000_000


def test_age(tmp_path: Path, spool: Path) -> None:
    db = tmp_path / "trace.duckdb"
    collector = filled(db, spool, 10_000, time.time_ns() - 3_600_000_000_000 - 5_000_000_000)
    assert Caps(max_age_s=7200).enforce(collector.store, now=True) == 0
    deleted = Caps(max_age_s=3600).enforce(collector.store, now=True)
    assert 4_900 < deleted < 10_000
    collector.close()
    assert rows(db, "select count(*) as n from operations") == [{"n": 10_000 - deleted}]
    assert set(rows(db, CONSISTENT)[0].values()) == {0}


def test_a_body_that_was_deleted_and_comes_again_is_stored_again(tmp_path: Path, spool: Path) -> None:
    collector = CollectorProcess(tmp_path / "trace.duckdb", spool, options=("--max-age", "1h"))
    collector.start()
    for wall_ns in (1_700_000_000_000_000_000, time.time_ns()):
        process = MadeProcess(spool, wall_ns=wall_ns)
        introduced(process)
        process.write(observed(1, 1, body=b"the same"))
        process.write(observed(2, 2, body=CONTAINER))
        deadline = time.monotonic() + 30
        while process.folder.exists():
            assert time.monotonic() < deadline
            time.sleep(0.05)
        time.sleep(0.3)
    assert collector.end() == (0, "")
    assert rows(collector.db, "select body from operations") == [{"body": b"the same"}, {"body": CONTAINER}]
    # The schema that the body brought along went and came with it.
    assert rows(collector.db, "select name from body_schemas join operations using (body_schema)") == [{"name": "N"}]


def test_schemas_go_with_their_bodies(tmp_path: Path, spool: Path) -> None:
    process = MadeProcess(spool)
    introduced(process)
    process.write(observed(1, 1, body=CONTAINER))
    collector = Collector(tmp_path / "trace.duckdb", spool, Redactor(), print)
    collector.run(Stop(), until_idle_s=lambda: 0.0, every=lambda: None)
    assert Caps(max_age_s=3600).enforce(collector.store, now=True) == 1
    assert collector.store.execute("select count(*) from body_schemas") == [(0,)]
    collector.close()


@pytest.mark.parametrize(
    ("text", "size"), [("500MB", 500_000_000), ("2gb", 2 * 10**9), ("12", 12), ("1.5KB", 1500), ("7B", 7)]
)
def test_sizes(text: str, size: int) -> None:
    assert parsed_size(text) == size


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("30m", 1800), ("12h", 43_200), ("7d", 604_800), ("5", 5)])
def test_ages(text: str, seconds: float) -> None:
    assert parsed_age(text) == seconds


@pytest.mark.parametrize("text", ["", "x", "MB", "h"])
def test_no_sizes_and_no_ages(text: str) -> None:
    with pytest.raises((ValueError, IndexError)):
        parsed_size(text)
    with pytest.raises((ValueError, IndexError)):
        parsed_age(text)
