"""bench/: a workload runs in its modes, its numbers can be read and compared. Says nothing about time."""

from __future__ import annotations

import json
import urllib.request
from math import comb
from statistics import median

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench import tables
from bench.catalogue import MODES, WORKLOADS, Workload
from bench.results import figures, interval
from bench.sink import Sink, sink
from bench.starting import Place, RunFailed, Sample, run
from bench.workloads import measuring

NOWHERE = Place(url="", channel="bench-test", sink=Sink("http://127.0.0.1:9"))
PYEE = next(workload for workload in WORKLOADS if workload.name == "pyee emit")


def test_a_workload_runs_untraced_and_traced_and_its_table_says_what_was_recorded() -> None:
    samples = [run(PYEE, mode, NOWHERE, scale=0.005, number=1) for mode in ("base", "msgtrace")]

    base, traced = samples
    assert base.operations == {}
    assert traced.operations == {"process": 1, "send": 1}
    assert traced.linked == 1
    assert traced.losses == {}
    found = figures(PYEE, samples)
    assert found is not None
    assert found.operations_per_message == 2
    assert "process 1, send 1" in tables.row(found)[3]
    assert len(tables.markdown([found]).splitlines()) == 3


def test_a_workload_that_fails_says_why() -> None:
    broken = next(workload for workload in WORKLOADS if workload.name == "redis publish")

    with pytest.raises(RunFailed, match=r"exit code 1: redis\.exceptions\.ConnectionError"):
        run(broken, "base", Place("redis://127.0.0.1:9/0", "bench-test", NOWHERE.sink), scale=0.01)


@pytest.mark.parametrize("workload", WORKLOADS, ids=lambda workload: workload.name)
def test_every_workload_has_its_program(workload: Workload) -> None:
    assert workload.program.is_file()
    assert "msgtrace" not in workload.program.read_text()
    assert set(workload.modes) <= set(MODES)


def test_bodies_are_json_of_two_hundred_bytes_and_distinct() -> None:
    bodies = measuring.bodies(2_000)

    assert {len(body) for body in bodies} == {measuring.BODY_BYTES}
    assert len(set(bodies)) == 2_000
    assert json.loads(bodies[-1]) == measuring.event(1_999)


def test_differences_are_taken_within_a_round() -> None:
    base = {1: 10.0, 2: 30.0, 3: 11.0}
    samples = [Sample(PYEE.name, "base", number, cpu, cpu) for number, cpu in base.items()]
    samples += [
        Sample(
            PYEE.name,
            "msgtrace",
            number,
            cpu + 4,
            cpu,
            operations={"send": 1, "process": 1},
            losses={"dropped": number},
        )
        for number, cpu in base.items()
    ]

    found = figures(PYEE, samples)

    assert found is not None
    assert found.added["msgtrace"].median_us == 4
    assert found.per_operation_us == 2
    assert found.losses == {"dropped": 6}
    assert not found.added["msgtrace"].noise


def test_a_small_part_of_the_base_is_noise() -> None:
    samples = [Sample(PYEE.name, "base", 1, 100, 100), Sample(PYEE.name, "otel", 1, 109, 100, spans=1)]

    found = figures(PYEE, samples)

    assert found is not None
    assert found.added["otel"].noise
    assert tables.row(found)[6].startswith("~9.00")


@given(st.lists(st.floats(-50, 50), min_size=1, max_size=60))
def test_the_interval_of_a_median_holds_it_and_is_as_certain_as_it_says(differences: list[float]) -> None:
    low, high, confidence = interval(differences)

    ordered = sorted(differences)
    inside = [rank for rank in range(1, len(ordered)) if low <= ordered[rank - 1] and ordered[rank] <= high]
    assert low <= median(differences) <= high
    assert confidence <= sum(comb(len(ordered), rank) for rank in inside) / 2 ** len(ordered) + 1e-9
    assert confidence >= 0.95 or len(differences) < 6


def test_a_target_is_held_or_missed_only_when_the_whole_interval_is() -> None:
    verdicts = []
    for differences in ([1, 2, 3, 2, 1, 2], [-13, 20, 26, 4, 2, 7], [9, 10, 11, 9, 9, 12]):
        samples = [Sample(PYEE.name, "base", n, 100, 100) for n in range(6)]
        samples += [
            Sample(PYEE.name, "msgtrace", n, 100 + d, 100, operations={"send": 1}) for n, d in enumerate(differences)
        ]
        found = figures(PYEE, samples)
        assert found is not None
        verdicts.append(found.verdict)

    assert verdicts == ["held", "not resolved", "MISSED"]


def test_the_sink_counts_the_spans_that_arrived_since_it_was_asked() -> None:
    with sink() as running:
        for path, content in (
            ("/v0.4/traces", [[{"name": "a"}, {"name": "b"}], [{"name": "c"}]]),
            ("/v0.5/traces", [["", "a"], [[[0, 1]]]]),
            ("/telemetry/proxy/api/v2/apmtelemetry", []),
        ):
            request = urllib.request.Request(running.url + path, msgspec.msgpack.encode(content), method="PUT")
            with urllib.request.urlopen(request, timeout=10) as answer:
                assert answer.status == 200

        assert running.spans() == 4
        assert running.spans() == 0
