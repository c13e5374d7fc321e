"""The cause follows the work of a handler through tasks, threads and executors, and goes no further."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from integration.interpreters import every_minor_version, needs
from integration.recorded import Recording, record
from integration.traced import run as run_command
from msgtrace.records import CAUSE_ELSEWHERE, CAUSE_ENDED
from msgtrace.settings import Settings

pytestmark = every_minor_version()

PROGRAMS = Path(__file__).parent / "programs" / "context"


def run(python: str, program: str, *arguments: str) -> Recording:
    """Record a program, and hold what it says against what it says when it is not recorded."""
    command = [str(PROGRAMS / program), *arguments]
    recording = record(command, python=python)
    plain = record(command, python=python, traced=False)
    assert (recording.exit_code, recording.stderr, recording.losses) == (0, "", [])
    assert (plain.exit_code, plain.stderr) == (0, "")
    assert sorted(plain.said["effects"], key=str) == sorted(recording.said["effects"], key=str)
    assert {n: v for n, v in plain.said.items() if n != "effects"} == {
        n: v for n, v in recording.said.items() if n != "effects"
    }
    return recording


def seen(recording: Recording) -> Counter[tuple[Any, ...]]:
    """Every emit but the orders: its way, the order that its handler is at, and whether that is over."""
    operations = {each.sequence: each for each in recording.operations}
    found: Counter[tuple[Any, ...]] = Counter()
    for each in recording.of("send"):
        if each["routing_key"] in {"order", "new_listener"}:
            continue
        if each.causes:
            (sequence,) = each.causes
            handling = operations[sequence]
            order = operations[handling["link"]]
            assert (handling.kind, order["routing_key"]) == ("process", "order")
            found[each["routing_key"], order["data"], bool(each.cause_state & CAUSE_ENDED)] += 1
        else:
            found[each["routing_key"], None, False] += 1
    return found


def told(recording: Recording) -> Counter[tuple[Any, ...]]:
    return Counter((way, order, over) for way, order, over in recording.said["effects"])


def check(recording: Recording) -> None:
    wrong, missing = seen(recording) - told(recording), told(recording) - seen(recording)
    assert (wrong, missing) == (Counter(), Counter())


def test_ways_of_asyncio(python: str) -> None:
    check(run(python, "asyncio_ways.py"))


def test_threads_and_executors(python: str) -> None:
    check(run(python, "threads.py"))


def test_a_worker_that_outlives_its_handler(python: str) -> None:
    check(run(python, "workers.py"))


CERTAINTIES = """
select effect.routing_key as way, c.certainty, count(*) as effects
from operations as effect
left join causes as c on c.effect_id = effect.operation_id
where effect.kind = 'send' and effect.routing_key not in ('order', 'new_listener')
group by all
order by all
"""


def test_how_certain_a_trace_is_of_them(python: str, tmp_path: Path) -> None:
    """Of a worker that was started by a handler which is over, not exactly; of what is outside, nothing at all."""
    done = run_command([python, str(PROGRAMS / "workers.py")], tmp_path)
    assert (done.code, done.stderr) == (0, "")
    assert [tuple(row.values()) for row in done.rows(CERTAINTIES)] == [
        ("itself", "exact", 20),
        ("outside", None, 20),
        ("worker", "likely", 20),
    ]


@pytest.mark.parametrize("way", ["task", "thread", "executor", "to_thread"])
def test_a_worker_that_works_for_others_while_its_handler_goes_on(python: str, way: str, tmp_path: Path) -> None:
    """Nineteen of twenty of its emits are other orders': none is said to follow exactly from the handler that started it."""
    check(run(python, "busy_handler.py", way))
    done = run_command([python, str(PROGRAMS / "busy_handler.py"), way], tmp_path)
    assert (done.code, done.stderr) == (0, "")
    assert [tuple(row.values()) for row in done.rows(CERTAINTIES)] == [
        ("itself", "exact", 20),
        ("itself, at last", "exact", 1),
        ("worker", "likely", 20),
    ]


OWN_CODE = {"itself", "itself, at last", "async for"}


@pytest.mark.parametrize("native", ["1", "0"], ids=["compiled", "python"])
def test_what_is_the_handlers_own_code_and_what_it_has_started(python: str, native: str) -> None:
    recording = record([str(PROGRAMS / "asyncio_ways.py")], python=python, env={"MSGTRACE_NATIVE": native})
    own = OWN_CODE | ({"wait_for"} if recording.said["python"] >= [3, 12] else set())  # until then it makes a task
    caused = [each for each in recording.of("send") if each.causes]
    assert len(caused) > 200
    assert {each["routing_key"] for each in caused if not each.cause_state & CAUSE_ELSEWHERE} == own
    assert {each["routing_key"] for each in caused if each.cause_state & CAUSE_ELSEWHERE} & own == set()


def test_greenlets(python: str) -> None:
    needs(python, "gevent")
    check(run(python, "greenlets.py"))


SMALL = Settings(segment_bytes=8192, spool_limit=64 << 20)
"""Segments that are turned all the time, and room for all of them."""


compiled_or_not = pytest.mark.parametrize("native", ["1", "0"], ids=["compiled", "python"])


@compiled_or_not
def test_interrupted_by_signals_and_finalisers(python: str, native: str) -> None:
    env = {"MSGTRACE_NATIVE": native}
    recording = record([str(PROGRAMS / "interrupted.py"), "3000"], settings=SMALL, env=env, python=python)
    assert (recording.exit_code, recording.stderr, recording.losses, recording.dropped) == (0, "", [], 0)
    said = recording.said
    assert said.pop("heard") == said["plain"] == 3000
    assert min(said.values()) > 100, f"too few interruptions to say anything: {said}"
    sends = recording.of("send")
    assert Counter(each["routing_key"] or each["channel"] for each in sends) == said
    assert {each.outcome for each in recording.operations} == {"ok"}
    for event, count in said.items():
        numbers = sorted(e["data"]["number"] for e in sends if event in {e["routing_key"], e["channel"]})
        assert numbers == list(range(count) if event == "plain" else range(1, count + 1))


@compiled_or_not
def test_threads_that_run_freely(python: str, native: str) -> None:
    env = {"MSGTRACE_NATIVE": native}
    recording = record([str(PROGRAMS / "many_threads.py"), "500"], settings=SMALL, env=env, python=python)
    assert (recording.exit_code, recording.stderr, recording.losses, recording.dropped) == (0, "", [], 0)
    threads, ticks = recording.said["threads"], recording.said["ticks"]
    operations = {each.sequence: each for each in recording.operations}
    assert {each.outcome for each in recording.operations} == {"ok"}
    for who in range(threads):
        own = [each for each in recording.operations if each.thread == f"runner {who}"]
        for event in ("tick", "tock"):
            sends = sorted((e for e in own if e["routing_key"] == event), key=lambda each: each.sequence)
            assert [each["data"]["args"] for each in sends] == [[who, number] for number in range(ticks)]
        for each in own:
            if each["routing_key"] == "tock":
                tick = operations[operations[each.causes[0]]["link"]]
                assert (tick["data"], each.cause_state) == (each["data"], 0)
