"""Recording from inside of a program: it begins, ends with everything stored and put back, and can begin again."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import textwrap
import time
from typing import TYPE_CHECKING, Any

import pyee.base
import pytest

import msgtrace
from msgtrace.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

EVENTS = (
    "select kind, routing_key, body_json ->> '$.id' as id from operations where kind = 'send' order by operation_id"
)


@pytest.fixture
def emitter() -> pyee.base.EventEmitter:
    made = pyee.base.EventEmitter()
    made.on("order", lambda _: None)
    return made


def ids(trace: msgtrace.Trace) -> list[str]:
    return [row["id"] for row in trace.query(EVENTS).to_pylist()]


def standing() -> dict[str, Any]:
    return dict(vars(pyee.base.EventEmitter))


def ran(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program), *arguments],
        check=False, capture_output=True, text=True, timeout=60,
    )  # fmt: skip


def test_what_is_done_inside_is_recorded_and_nothing_else(tmp_path: Path, emitter: pyee.base.EventEmitter) -> None:
    before, variables = standing(), dict(os.environ)
    emitter.emit("order", {"id": "before"})
    with msgtrace.tracing(tmp_path / "trace.duckdb", service="shop") as trace:
        assert vars(pyee.base.EventEmitter)["emit"] is not before["emit"]
        emitter.emit("order", {"id": "inside"})
    emitter.emit("order", {"id": "after"})
    assert standing() == before
    assert all(vars(pyee.base.EventEmitter)[name] is each for name, each in before.items())
    assert dict(os.environ) == variables
    assert ids(trace) == ["inside"]
    assert trace.said == []
    assert trace.query("select service, ended from processes").to_pylist() == [{"service": "shop", "ended": True}]


def test_it_begins_again_and_again_and_no_cause_is_of_an_earlier_recording(tmp_path: Path) -> None:
    """A handler that goes on through two recordings: what it sends in the second has no cause in it."""
    emitter = pyee.base.EventEmitter()
    traces = []

    def handler(_order: Any) -> None:
        msgtrace.uninstall()
        traces.append(msgtrace.install(tmp_path / "second.duckdb"))
        emitter.emit("first of the second", {"id": "1"})
        emitter.emit("later", {"id": "2"})

    emitter.on("order", handler)
    msgtrace.install(tmp_path / "first.duckdb")
    for _ in range(3):
        emitter.emit("nothing", {})
    emitter.emit("order", {"id": "0"})
    assert msgtrace.uninstall() is traces[0]
    assert ids(traces[0]) == ["1", "2"]
    assert traces[0].query("from causes").num_rows == 0


def test_a_trace_is_continued(tmp_path: Path, emitter: pyee.base.EventEmitter) -> None:
    trace = msgtrace.Trace(tmp_path / "trace.duckdb")
    for number in "012":
        with msgtrace.tracing(trace.db):
            emitter.emit("order", {"id": number})
    assert ids(trace) == ["0", "1", "2"]
    assert trace.query("select distinct process_id from processes").num_rows == 3


def test_it_is_asked_while_it_records(tmp_path: Path, emitter: pyee.base.EventEmitter) -> None:
    with msgtrace.tracing(tmp_path / "trace.duckdb") as trace:
        emitter.emit("order", {"id": "0"})
        while not ids(trace):
            time.sleep(0.05)


def test_in_a_coroutine_the_loop_goes_on(tmp_path: Path, emitter: pyee.base.EventEmitter) -> None:
    async def main() -> tuple[msgtrace.Trace, int]:
        ticks = 0

        async def tick() -> None:
            nonlocal ticks
            while True:
                await asyncio.sleep(0.01)
                ticks += 1

        ticking = asyncio.create_task(tick())
        async with msgtrace.tracing(tmp_path / "trace.duckdb") as trace:
            emitter.emit("order", {"id": "0"})
        ticking.cancel()
        return trace, ticks

    trace, ticks = asyncio.run(main())
    assert ids(trace) == ["0"]
    assert ticks > 3


def test_what_it_starts_is_recorded_too_unless_that_is_not_wanted(tmp_path: Path) -> None:
    child = "import pyee.base; pyee.base.EventEmitter().emit('order', {'id': 'child'})"
    for children in (True, False):
        with msgtrace.tracing(tmp_path / f"{children}.duckdb", children=children) as trace:
            subprocess.run([sys.executable, "-c", child], check=True, timeout=60)
        assert ids(trace) == (["child"] if children else [])


def test_a_forked_child_records_of_its_own_and_ends_for_itself(tmp_path: Path) -> None:
    program = """
        import os, sys
        import pyee.base
        import msgtrace

        emitter = pyee.base.EventEmitter()
        plain = vars(pyee.base.EventEmitter)["emit"]
        trace = msgtrace.install(sys.argv[1])
        emitter.emit("order", {"id": "parent"})
        child = os.fork()
        if not child:
            emitter.emit("order", {"id": "child"})
            assert msgtrace.uninstall() is None
            assert vars(pyee.base.EventEmitter)["emit"] is plain
            emitter.emit("order", {"id": "nobody"})
            sys.exit()  # its exit handlers run, and the parent's recording goes on
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        silent = os.fork()
        if not silent:  # has recorded nothing, and must not write into its parent's segment
            msgtrace.uninstall()
            emitter.emit("order", {"id": "nobody"})
            sys.exit()
        assert os.waitstatus_to_exitcode(os.waitpid(silent, 0)[1]) == 0
        emitter.emit("order", {"id": "parent again"})
        print(os.listdir(f"/dev/shm/{os.environ['MSGTRACE_SPOOL'].rpartition('/')[2]}") != [])
        # It is not uninstalled: the interpreter's end does that.
    """
    ended = ran(program, str(tmp_path / "trace.duckdb"))
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "True\n", "")
    assert sorted(ids(msgtrace.Trace(tmp_path / "trace.duckdb"))) == ["child", "parent", "parent again"]


def test_a_process_that_is_killed_loses_nothing(tmp_path: Path) -> None:
    program = """
        import os, signal, sys
        import pyee.base
        import msgtrace

        msgtrace.install(sys.argv[1])
        pyee.base.EventEmitter().emit("order", {"id": "last"})
        print(os.environ["MSGTRACE_SPOOL"], flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
    """
    ended = ran(program, str(tmp_path / "trace.duckdb"))
    assert ended.returncode == -9
    spool = ended.stdout.strip()
    while os.path.exists(spool):  # noqa: PTH110 - its collector ends by itself, and clears it away
        time.sleep(0.05)
    assert ids(msgtrace.Trace(tmp_path / "trace.duckdb")) == ["last"]


def test_twice_at_once_is_refused(tmp_path: Path) -> None:
    with (
        msgtrace.tracing(tmp_path / "trace.duckdb"),
        pytest.raises(msgtrace.CannotRecordError, match=r"already.*uninstall"),
    ):
        msgtrace.install(tmp_path / "other.duckdb")
    assert msgtrace.uninstall() is None


def test_under_run_it_is_refused(tmp_path: Path) -> None:
    program = "import msgtrace\ntry: msgtrace.install()\nexcept msgtrace.CannotRecordError as error: print(error)"
    ended = subprocess.run(
        [sys.executable, "-m", "msgtrace", "run", "--db", str(tmp_path / "t.duckdb"), "--", sys.executable, "-c", program],
        check=False, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert "already" in ended.stdout
    assert "msgtrace run" in ended.stdout


@pytest.mark.parametrize(
    ("chosen", "words"),
    [
        ({"only": ["rediss"]}, "rediss"),
        ({"redact": ["pattern:("]}, "pattern"),
        ({"db": "/proc/nowhere/trace.duckdb"}, "/proc/nowhere"),
    ],
)
def test_what_makes_no_sense_is_said_and_nothing_is_left(chosen: dict[str, Any], words: str) -> None:
    before, variables = standing(), dict(os.environ)
    with pytest.raises(msgtrace.CannotRecordError, match=words) as raised:
        msgtrace.install(**chosen)
    assert "\n" not in str(raised.value)
    assert standing() == before
    assert dict(os.environ) == variables


def test_a_function_that_somebody_wrapped_since_is_left_and_said(tmp_path: Path, monkeypatch: Any) -> None:
    emitter = pyee.base.EventEmitter()
    plain = pyee.base.EventEmitter.emit
    try:
        with msgtrace.tracing(tmp_path / "trace.duckdb") as trace:
            ours = pyee.base.EventEmitter.emit

            def theirs(self: Any, event: Any, *args: Any) -> bool:
                return ours(self, event, *args)

            pyee.base.EventEmitter.emit = theirs  # type: ignore[method-assign]
            emitter.emit("order", {"id": "0"})
        emitter.emit("order", {"id": "1"})
        assert len(trace.said) == 1
        assert "EventEmitter.emit: wrapped again by somebody else" in trace.said[0]
        with msgtrace.tracing(tmp_path / "trace.duckdb") as trace:
            emitter.emit("order", {"id": "2"})
        assert ids(trace) == ["0", "2"]
    finally:
        pyee.base.EventEmitter.emit = plain  # type: ignore[method-assign]


def test_no_bytes_of_bodies_can_be_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also when the environment says otherwise, and also when what is asked for is the default."""
    monkeypatch.setenv("MSGTRACE_BODY_LIMIT", "10")
    assert Settings.chosen(body_limit=0).body_limit == 0
    assert Settings.chosen(body_limit=64 * 1024).body_limit == 64 * 1024
    assert Settings.chosen(body_limit=None).body_limit == 10


def test_the_report_is_written(tmp_path: Path, emitter: pyee.base.EventEmitter) -> None:
    with msgtrace.tracing(tmp_path / "trace.duckdb") as trace:
        emitter.emit("order", {"id": "0"})
    trace.report(tmp_path / "report")
    assert "order" in (tmp_path / "report" / "MESSAGING_GUIDE.md").read_text()
    (tmp_path / "taken").write_text("")
    with pytest.raises(msgtrace.CannotRecordError, match="taken"):
        trace.report(tmp_path / "taken")


def test_to_import_it_loads_nothing() -> None:
    program = "from __future__ import annotations; import sys; before = set(sys.modules); import msgtrace; print(sorted(set(sys.modules) - before), dir(msgtrace))"
    ended = ran(program)
    assert ended.stdout.startswith("['msgtrace'] [")
    assert all(name in ended.stdout for name in msgtrace.__all__)
    with pytest.raises(AttributeError, match="nothing"):
        msgtrace.nothing  # noqa: B018


def test_without_the_tools_it_says_which(tmp_path: Path) -> None:
    program = """
        import sys
        for name in ("duckdb", "pyarrow"):
            sys.modules[name] = None
        import msgtrace
        for attempt in (msgtrace.install, lambda: msgtrace.Trace("trace.duckdb").query("from operations")):
            try:
                attempt()
            except msgtrace.CannotRecordError as error:
                print(error)
    """
    ended = ran(program)
    assert ended.stdout.count("pip install 'msgtrace[tools]'") == 2, ended
