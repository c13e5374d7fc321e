"""Latencies and rates differ where their intervals don't touch, and only then."""

from __future__ import annotations

import pytest

from msgtrace_analysis.comparing.measures import latencies, rates
from msgtrace_analysis.comparing.run import Latency
from tests.analysis.comparing.runs import event, flow, rate, run, step

FAST = Latency(100, 2.0, 4.0, (1.8, 2.2), (3.0, 6.0))


@pytest.mark.parametrize(
    ("other", "told"),
    [
        (FAST, []),
        (Latency(100, 9.0, 12.0, (8.0, 10.0), (11.0, 20.0)), ["p50", "p95"]),
        (Latency(100, 3.5, 5.0, (2.1, 5.0), (4.0, 8.0)), []),
        (Latency(100_000, 2.3, 4.0, (2.25, 2.35), (3.9, 4.1)), []),
        (Latency(3, 900.0, 950.0, None, None), []),
    ],
)
def test_latencies(other: Latency, told: list[str]) -> None:
    one, two = (run(event(), flows=(flow(step(event(), took=each)),)) for each in (FAST, other))
    found = list(latencies(one, two))
    assert [each.what for each in found] == told
    assert all(each.part == "order.placed to billing: on_event" for each in found)


def test_end_to_end() -> None:
    one, two = (run(flows=(flow(end_to_end=each),)) for each in (FAST, Latency(100, 90.0, 99.0, (80.0, 91.0), None)))
    (delta,) = latencies(one, two)
    assert (delta.part, delta.what) == ("end to end", "p50")
    assert (delta.base, delta.head) == ("2 ms (1.8 to 2.2, 100 messages)", "90 ms (80 to 91, 100 messages)")


@pytest.mark.parametrize(("other", "many"), [((1.5, 2.0, 2.5), 0), ((4.0, 5.0, 6.0), 1), ((2.6, 2.7, 2.8), 0)])
def test_rates(other: tuple[float, float, float], many: int) -> None:
    one, two = (run(event(), rates=(rate(event(), *each),)) for each in ((1.5, 2.0, 2.5), other))
    assert len(list(rates(one, two))) == many
