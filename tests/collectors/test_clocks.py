"""Clocks of hosts that differ are found from messages in both directions; those that can be right are left alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st

from msgtrace_analysis.findings.system import HostClock
from msgtrace_analysis.passes import prepare
from msgtrace_analysis.renderers.clock_lines import clock_line
from msgtrace_analysis.rules import NO_RULES
from msgtrace_analysis.study import Study
from msgtrace_collectors.clocks import ROUNDING_NS, aligned
from msgtrace_collectors.trace import open_trace
from tests.collectors.conftest import collected, rows
from tests.collectors.made_segments import WALL_NS, MadeProcess, introduced, observed

if TYPE_CHECKING:
    from pathlib import Path

HOSTS: tuple[str, ...] = ("a", "b", "c", "d")
SECOND = 1_000_000_000


@given(
    st.lists(st.integers(-3600 * SECOND, 3600 * SECOND), min_size=4, max_size=4),
    st.dictionaries(
        st.tuples(st.sampled_from(HOSTS), st.sampled_from(HOSTS)).filter(lambda pair: pair[0] != pair[1]),
        st.integers(0, 5 * SECOND),
        max_size=12,
    ),
)
def test_no_message_arrives_before_it_was_sent(offsets: list[int], delays: dict[tuple[str, str], int]) -> None:
    """Whatever the offsets and delays: corrected times are possible, and the truth is within the bounds."""
    ahead: dict[str, int] = dict(zip(HOSTS, offsets, strict=True))
    seemed = {(a, b): delay + ahead[b] - ahead[a] for (a, b), delay in delays.items()}
    clocks = aligned(seemed, {"a": 10})
    shifts = {clock.host: clock.shift_ns for clock in clocks}
    for (a, b), least in seemed.items():
        assert least - shifts.get(b, 0) + shifts.get(a, 0) >= -ROUNDING_NS
    for clock in clocks:
        assert not clock.contradicted
        truth = ahead[clock.host] - ahead[clock.reference]
        assert clock.least_ns is None or clock.least_ns <= truth
        assert clock.most_ns is None or truth <= clock.most_ns
    if all(least >= 0 for least in seemed.values()):
        assert not any(shifts.values())


def test_clocks_that_no_shift_makes_right() -> None:
    (clock,) = aligned({("a", "b"): -SECOND, ("b", "a"): -SECOND}, {"a": 2, "b": 1})
    assert (clock.host, clock.reference, clock.shift_ns, clock.contradicted) == ("b", "a", 0, True)
    line = clock_line(HostClock("b", "a", 0, None, None, 2, contradicted=True))
    assert line is not None
    assert "can't be aligned" in line


def skewed(spool: Path, ahead_ns: int) -> None:
    """Two hosts that ask and answer over lists and streams; the second's clock is ahead by some time, and each way takes 10 ms."""
    here = MadeProcess(spool, wall_ns=WALL_NS)
    there = MadeProcess(spool, wall_ns=WALL_NS + ahead_ns)
    for process, host in ((here, "here"), (there, "there")):
        introduced(process, system="redis", kind="send", host=host, service=host)
        process.record(3, 0, 7, ["redis", "8", "redis", "receive", "x"])
    for n in range(1, 21):
        at = n * SECOND
        stream: dict[str, Any] = {"channel_kind": "stream", "channel": "requests", "identity": f"{n}-0"}
        answers: dict[str, Any] = {"channel_kind": "list", "channel": "answers", "body": f"answer {n % 2}".encode()}
        replies: dict[str, Any] = {"channel_kind": "stream", "channel": "replies", "identity": f"{n}-1"}
        here.write(observed(4 * n, at, **stream))
        there.write(observed(4 * n, at + 10_000_000, 7, **stream))
        there.write(observed(4 * n + 1, at + 20_000_000, **replies))
        here.write(observed(4 * n + 1, at + 30_000_000, 7, **replies))
        # What is found by body and time alone.
        there.write(observed(4 * n + 2, at + 40_000_000, **answers))
        here.write(observed(4 * n + 2, at + 50_000_000, 7, **answers))


LINKED = "select method, count(*) as n from links group by all order by all"
LATENCIES = """
    select distinct r.observed_ns - s.observed_ns
    from links as l join operations as s on s.operation_id = l.send_id join operations as r on r.operation_id = l.receive_id
"""


def studied(db: Path) -> tuple[list[int], tuple[HostClock, ...]]:
    with open_trace(db) as trace, Study(trace) as study:
        prepare(study, NO_RULES)
        return sorted(row[0] for row in study.rows(LATENCIES)), study.clocks


def test_times_and_links_are_corrected(tmp_path: Path, spool: Path) -> None:
    for ahead_s in (0, 5, -3600):
        folder = spool / f"{ahead_s}"
        folder.mkdir(mode=0o700)
        skewed(folder, ahead_s * SECOND)
        db = tmp_path / f"{ahead_s}.duckdb"
        collected(db, folder, linked=True)
        assert rows(db, LINKED) == [{"method": "digest", "n": 20}, {"method": "identity", "n": 40}]
        latencies, (clock,) = studied(db)
        assert latencies == [10_000_000], f"{ahead_s} s"
        assert (clock.shift_ns, clock.contradicted) == (
            {"there": 1, "here": -1}[clock.host] * ahead_s * SECOND,
            False,
        )
        assert clock.least_ns is not None
        assert clock.most_ns is not None
        assert clock.most_ns - clock.least_ns == 20_000_000
        line = clock_line(clock)
        assert (line is None) == (ahead_s == 0)
        if line is not None:
            assert f"{abs(ahead_s) if ahead_s == 5 else '3.6e+03'} s" in line
