"""A trace is opened whoever has it, or refused in one line; what is refused is left byte for byte."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import duckdb
import pytest

from msgtrace.recording_file import lock_path
from msgtrace_collectors import trace as traces
from msgtrace_collectors.trace import TraceError, open_trace
from msgtrace_collectors.trace_file import open_for_writing
from tests.collectors.conftest import CollectorProcess, collected
from tests.collectors.made_segments import MadeProcess, begun, introduced, observed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def stored(tmp_path: Path, spool: Path) -> Path:
    """A trace file with some operations, that nobody records."""
    process = MadeProcess(spool)
    introduced(process)
    process.write(*(observed(i, i, body=os.urandom(500)) for i in range(1, 2_000)))
    path = tmp_path / "trace.duckdb"
    collected(path, spool)
    return path


def refused(path: Path, kind: type[TraceError], *words: str) -> None:
    """Opening it for reading fails with such an error, of one line, and changes nothing."""
    before = path.read_bytes() if path.is_file() else None
    with pytest.raises(kind) as raised:
        open_trace(path)
    text = str(raised.value)
    assert str(path) in text
    assert "\n" not in text
    assert all(word in text for word in words), text
    assert (path.read_bytes() if path.is_file() else None) == before
    assert not lock_path(path).exists()


def not_recorded_into(path: Path, spool: Path) -> str:
    """A collector refuses it too, in one line, and changes nothing."""
    before = path.read_bytes()
    collector = CollectorProcess(path, spool)
    with pytest.raises(RuntimeError) as raised:
        collector.start()
    assert path.read_bytes() == before
    said = str(raised.value).splitlines()
    assert len(said) == 1
    assert said[0].startswith("msgtrace: ")
    return said[0]


def test_no_file(tmp_path: Path) -> None:
    refused(tmp_path / "none.duckdb", traces.MissingTraceError, "msgtrace run")
    refused(tmp_path / "no" / "folder", traces.MissingTraceError)


def test_a_folder(tmp_path: Path) -> None:
    refused(tmp_path, traces.ForeignFileError, "folder")


@pytest.mark.parametrize("content", [b"", b"hello\n", b"PAR1" * 100, b"SQLite format 3\0" * 100, b"\0" * 5000])
def test_a_file_that_is_no_database(tmp_path: Path, spool: Path, content: bytes) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    refused(path, traces.ForeignFileError, "not a trace file")
    if content:
        assert "not a trace file" in not_recorded_into(path, spool)


@pytest.mark.parametrize(
    ("sql", "kind"),
    [
        ("create table t (a int)", traces.ForeignFileError),
        ("create table trace_file (a int)", traces.ForeignFileError),
        ("create table trace_file (schema_version int, msgtrace_version text)", traces.BrokenTraceError),
        (
            "create table trace_file (schema_version int, msgtrace_version text); insert into trace_file values (7, '9.9')",
            traces.OtherVersionError,
        ),
    ],
)
def test_somebody_elses_database(tmp_path: Path, spool: Path, sql: str, kind: type[TraceError]) -> None:
    path = tmp_path / "theirs.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute(sql)
    refused(path, kind)
    not_recorded_into(path, spool)


def test_cut_at_any_byte_or_scribbled_over(stored: Path, spool: Path) -> None:
    whole = stored.read_bytes()
    chance = random.Random(3)
    for length in [1, 8, 12, 100, 4096, 8192, 12288, *(chance.randrange(len(whole)) for _ in range(25))]:
        stored.write_bytes(whole[:length])
        opens_or_says_why(stored)
    for _ in range(25):
        scribbled = bytearray(whole)
        place = chance.randrange(len(whole))
        scribbled[place : place + 64] = chance.randbytes(len(scribbled[place : place + 64]))
        stored.write_bytes(scribbled)
        opens_or_says_why(stored)
    stored.write_bytes(whole[: len(whole) // 2])
    assert "damaged" in not_recorded_into(stored, spool)


def opens_or_says_why(path: Path) -> None:
    """Nothing but a TraceError of one line comes out, and the file stays."""
    before = path.read_bytes()
    try:
        with open_trace(path) as trace:
            trace.query("select count(*), sum(octet_length(body)) from operations")
    except TraceError as error:
        assert "\n" not in str(error)
    assert path.read_bytes() == before


def test_a_file_that_another_program_holds(stored: Path, spool: Path) -> None:
    holding = subprocess.Popen(
        [sys.executable, "-c", f"import duckdb; c = duckdb.connect({str(stored)!r}); print('held', flush=True); input()"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert holding.stdout is not None
    holding.stdout.readline()
    try:
        with pytest.raises(traces.BusyTraceError, match=str(holding.pid)):
            open_trace(stored)
        assert str(holding.pid) in not_recorded_into(stored, spool)
    finally:
        holding.communicate("\n")


def test_a_trace_file_is_its_owners_alone(stored: Path) -> None:
    assert stored.stat().st_mode & 0o777 == 0o600


def test_a_name_that_duckdb_would_confuse_is_refused(tmp_path: Path) -> None:
    with pytest.raises(traces.ForeignFileError, match="name"):
        open_for_writing(tmp_path / "msgtrace_store.duckdb")


# ---- questions --------------------------------------------------------------------------------------------------------


@pytest.fixture(params=["file", "recorded"])
def opened(request: pytest.FixtureRequest, stored: Path, spool: Path) -> object:
    """The same trace, through its file and through a collector that records."""
    if request.param == "recorded":
        collector = CollectorProcess(stored, spool)
        collector.start()
        request.addfinalizer(collector.end)
    trace = open_trace(stored)
    request.addfinalizer(trace.close)
    assert trace.recording == (request.param == "recorded")
    return trace


def test_answers(opened: traces.Trace) -> None:
    assert opened.query("select count(*) as n from operations").to_pylist() == [{"n": 1_999}]
    given = opened.query("select $1 as a, $2 as b, $3 as c", ["x", 5, b"\xff"])
    assert given.to_pylist() == [{"a": "x", "b": 5, "c": b"\xff"}]
    assert opened.query("from operations limit 0").num_rows == 0
    assert opened.query("describe operations").num_rows == 66
    big = opened.query("select a.sequence, b.body from operations a, operations b where a.sequence < 100")
    assert big.num_rows == 99 * 1_999


@pytest.mark.parametrize(
    "sql",
    [
        "", ";", "selec 1", "select * from nowhere", "select 1; select 2", "delete from links", "drop view operations", "insert into links values (1,2,'','')",
        "with gone as (delete from links returning *) from gone", "create table t (a int)", "set threads = 1", "checkpoint", "begin",
        "attach ':memory:' as other", "copy operations to '/tmp/x'", "load httpfs", "install httpfs", "from read_csv('/etc/passwd')",
        "from glob('/*')", "from '/etc/passwd'", "pragma database_size", "update trace_file set schema_version = 2",
        "select cast('x' as int)", "export database '/tmp/x'",
    ],
)  # fmt: skip
def test_only_reading_is_answered(opened: traces.Trace, sql: str) -> None:
    with pytest.raises(traces.QueryError) as raised:
        opened.query(sql)
    assert "\n" not in str(raised.value)
    assert opened.query("select schema_version from trace_file").to_pylist() == [{"schema_version": 3}]


def test_a_parameter_that_cannot_be_sent(collector: CollectorProcess) -> None:
    collector.start()
    with open_trace(collector.db) as trace, pytest.raises(traces.QueryError, match="parameter"):
        trace.query("select ?", [object()])
    collector.end()


def test_a_question_that_takes_too_long_is_stopped(
    collector: CollectorProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    collector.start()
    monkeypatch.setattr(traces, "Request", lambda sql, parameters=(), **more: _quick(sql, list(parameters)))
    with open_trace(collector.db) as trace, pytest.raises(traces.QueryError, match="longer than 0.3 s"):
        trace.query("select sum(a.range * b.range) from range(10000000) a, range(10000000) b")
    collector.end()


def _quick(sql: str, parameters: list[object]) -> object:
    from msgtrace_collectors.query_protocol import Request

    return Request(sql, parameters, timeout_s=0.3)


def test_many_ask_at_once(collector: CollectorProcess) -> None:
    collector.start()
    answers: list[int | None] = []

    def ask() -> None:
        with open_trace(collector.db) as trace:
            for _ in range(10):
                answers.extend(trace.query("select range as n from range(5000)").column("n").to_pylist()[-1:])

    threads = [threading.Thread(target=ask) for _ in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert answers == [4_999] * 240
    assert collector.end() == (0, "")


def test_a_client_that_goes_away_harms_nobody(collector: CollectorProcess) -> None:
    import socket

    collector.start()
    for sent in (b"", b"\x01", b"\xff\xff\xff\xff", b"\x05\0\0\0hello", b"\x40\0\0\0half"):
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(collector.spool / "query.socket"))
            connection.sendall(sent)
    with open_trace(collector.db) as trace:
        assert trace.query("select 1 as one").to_pylist() == [{"one": 1}]
    assert collector.end() == (0, "")


def test_the_socket_is_its_owners_alone(collector: CollectorProcess) -> None:
    collector.start()
    assert (collector.spool / "query.socket").stat().st_mode & 0o777 == 0o600
    collector.end()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can ask as another user")
def test_another_user_is_not_answered(collector: CollectorProcess) -> None:
    collector.start()
    for folder in (collector.spool, collector.db.parent):
        folder.chmod(0o755)
    (collector.spool / "query.socket").chmod(0o666)
    asking = (
        "import os, socket; os.setgid(65534); os.setuid(65534)\n"
        f"c = socket.socket(socket.AF_UNIX); c.connect({str(collector.spool / 'query.socket')!r}); print(c.makefile('rb').read())"
    )
    done = subprocess.run([sys.executable, "-c", asking], capture_output=True, text=True, timeout=60, check=False)
    assert "another user" in done.stdout, done
    collector.end()


def test_recording_ends_between_two_questions(collector: CollectorProcess) -> None:
    collector.start()
    with open_trace(collector.db) as trace:
        assert trace.query("select count(*) as n from operations").to_pylist() == [{"n": 0}]
        process = MadeProcess(collector.spool)
        introduced(process)
        process.write(begun(1, 1), begun(2, 2))
        assert collector.end() == (0, "")
        assert not collector.spool.joinpath("query.socket").exists()
        assert trace.query("select count(*) as n from operations").to_pylist() == [{"n": 2}]
        assert not trace.recording
    collector.start()
    assert collector.end() == (0, "")


def test_a_folder_with_a_long_name(tmp_path: Path) -> None:
    spool = tmp_path / ("s" * 100) / ("t" * 100)
    db = tmp_path / ("d" * 100) / "trace.duckdb"
    collector = CollectorProcess(db, spool)
    spool.mkdir(parents=True, mode=0o700)
    collector.start()
    with open_trace(db) as trace:
        assert trace.recording
        assert trace.query("select 1 as one").to_pylist() == [{"one": 1}]
    assert collector.end() == (0, "")


def test_a_second_collector_is_refused(collector: CollectorProcess, tmp_path: Path) -> None:
    collector.start()
    second = CollectorProcess(collector.db, tmp_path / "other-spool")
    with pytest.raises(RuntimeError, match="another collector"):
        second.start()
    with open_trace(collector.db) as trace:
        assert trace.recording
    assert collector.end() == (0, "")


@pytest.mark.parametrize("mode", [0o755, 0o770])
def test_a_spool_that_others_can_read_is_refused(collector: CollectorProcess, mode: int) -> None:
    collector.spool.chmod(mode)
    with pytest.raises(RuntimeError, match="yours alone"):
        collector.start()


def wait_for(condition: Callable[[], bool], seconds: float = 20) -> None:
    """Until it holds, within a bound."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_operations_are_there_while_recording(collector: CollectorProcess) -> None:
    collector.start()
    process = MadeProcess(collector.spool, alive=True)
    introduced(process)
    with open_trace(collector.db) as trace:
        for n in range(1, 4):
            process.write(observed(n, n, body=b"x"))
            wait_for(lambda n=n: trace.query("select count(*) as n from operations").to_pylist() == [{"n": n}])  # type: ignore[misc]
        trace.link()
    code, said = collector.end()
    assert code == 0
    assert "1 traced processes still run" in said


def test_a_trace_is_attached_to_a_database_of_the_callers_and_given_back(stored: Path) -> None:
    with open_trace(stored) as trace, duckdb.connect() as database:
        with trace.attached(database, "it's") as attached:
            assert attached
            ((there,),) = database.execute('select schema_version from "it\'s".trace_file').fetchall()
            with pytest.raises(duckdb.InvalidInputException, match="read-only"):
                database.execute('delete from "it\'s".links')
        assert database.execute("select count(*) from duckdb_databases() where database_name = 'it''s'").fetchall() == [
            (0,)
        ]
        assert trace.query("select schema_version from trace_file").column(0).to_pylist() == [there]


def test_what_a_collector_may_want_is_not_attached(stored: Path) -> None:
    lock_path(stored).touch()
    with open_trace(stored) as trace, duckdb.connect() as database, trace.attached(database, "it") as attached:
        assert not attached
        assert trace.query("select 1 as one").column(0).to_pylist() == [1]
