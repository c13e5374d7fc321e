"""Runs the scenarios of `programs/delivery`, and holds what is found against what their processes have noted."""

from __future__ import annotations

import json
import sys
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from integration.traced import PROGRAMS, Started
from msgtrace_analysis.passes import prepare
from msgtrace_analysis.passes.delivery import guarantees
from msgtrace_analysis.study import Study
from msgtrace_collectors.trace import open_trace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from integration.traced import Ended
    from msgtrace_analysis.findings import Consumer, Guarantees, Lag, Order

HERE = PROGRAMS / "delivery"


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a scenario: what was found, and what its processes noted."""

    found: Guarantees
    notes: list[dict[str, Any]]

    def noted(self, what: str) -> list[dict[str, Any]]:
        return [note for note in self.notes if note["what"] == what]

    def receipts(self) -> list[tuple[int, int]]:
        """The messages that workers were given, in order of time."""
        return [(note["number"], note.get("turn", 0)) for note in self.noted("received")]

    @property
    def again(self) -> int:
        """Deliveries beyond the first."""
        return len(self.receipts()) - len(set(self.receipts()))

    def consumer(self) -> Consumer:
        (consumer,) = self.found.consumers
        return consumer

    def order(self, scope: str) -> Order:
        (order,) = [each for each in self.found.orders if each.scope == scope]
        return order

    def lag(self) -> Lag:
        (lag,) = self.found.lags
        return lag

    def waiting(self) -> tuple[int, int]:
        """Messages sent and not received: the most, within one, and at the end."""
        changes = [(note["at_ns"], 1) for note in self.noted("sent")]
        seen: set[int] = set()
        for note in self.noted("received"):
            if note["number"] not in seen:
                seen.add(note["number"])
                changes.append((note["at_ns"], -1))
        depth = largest = 0
        for _, change in sorted(changes):
            depth += change
            largest = max(largest, depth)
        return largest, depth

    def delivered_again_is_right(self) -> None:
        """Hold the duplicates against the notes."""
        counted = Counter(self.receipts())
        found = self.found.duplicates
        assert sum(each.messages for each in found) == sum(count > 1 for count in counted.values())
        assert sum(each.deliveries for each in found) == self.again

    def lag_is_right(self) -> None:
        """Hold the lag against the notes; a send is noted when it has ended, and found when it begins."""
        largest, last = self.waiting()
        assert self.lag().last == last
        assert abs(self.lag().largest - largest) <= 1


def overtaken(positions: Iterable[int]) -> int:
    """Of positions in order of time, those that come after a later one; each counts the first time."""
    reached, late, seen = -1, 0, set()
    for position in positions:
        if position not in seen:
            seen.add(position)
            late += position < reached
            reached = max(reached, position)
    return late


def examined(ended: Ended, ledgers: Path) -> Run:
    assert ended.code == 0, ended.stderr[-2_000:]
    with open_trace(ended.trace) as trace, Study(trace) as study:
        prepare(study)
        found = guarantees(study)
    lines = [line for path in ledgers.glob("*.jsonl") for line in path.read_text().splitlines()]
    notes = sorted((json.loads(line) for line in lines if line.endswith("}")), key=lambda note: note["at_ns"])
    return Run(found, notes)


def play(
    driver: str,
    folder: Path,
    *arguments: str,
    env: dict[str, str] | None = None,
    fault: Callable[[], None] | None = None,
) -> Run:
    """Run a scenario under `msgtrace run`, and make a fault when it is ready for it."""
    ledgers = folder / "ledgers"
    ledgers.mkdir()
    with Started([sys.executable, str(HERE / driver), str(ledgers), *arguments], folder, env=env) as started:
        if fault is not None:
            started.wait_for("ready")
            fault()
            (ledgers / "go").touch()
        ended = started.end()
    return examined(ended, ledgers)


def through_a_fault(run: Run) -> None:
    """Hold everything against the notes of a run whose connections were cut."""
    run.delivered_again_is_right()
    published = [(note["number"], note["turn"]) for note in run.noted("publish")]
    firsts = [published.index(each) for each in run.receipts()]
    assert run.order("queue").violations == overtaken(firsts)
    gone = {(note["number"], note["turn"]) for note in run.noted("failed")} - set(run.receipts())
    refused = [each for each in run.found.missing if each.kind == "refused" and each.channel.endswith(".jobs")]
    # aio-pika refuses some before there is anything to record.
    assert sum(each.messages for each in refused) <= len(gone)
    assert run.lag().last == 0
    assert not [each for each in run.found.missing if each.kind == "not received"]


def in_order_by_partition(run: Run) -> None:
    """Hold the order of each partition against the notes."""
    places: dict[int, list[int]] = {}
    for note in run.noted("received"):
        places.setdefault(note["partition"], []).append(note["offset"])
    assert run.order("partition").violations == sum(overtaken(offsets) for offsets in places.values())
    assert run.order("partition").lanes == len(places)
