"""Runs the workloads in interleaved rounds: in each round every workload, of each its modes one after the other."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bench.starting import Place, RunFailed, Sample, run, step

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from bench.catalogue import Mode, Workload
    from bench.sink import Sink
    from integration.brokers.address import Address


@dataclass(slots=True)
class Rounds:
    """What came of the rounds.

    Attributes:
        samples: one for each run that worked.
        failures: workload and mode -> why it was not measured, or not in every round.
    """

    samples: list[Sample] = field(default_factory=list)
    failures: dict[str, str] = field(default_factory=dict)


def measure(
    workloads: Sequence[Workload],
    brokers: Mapping[str, Address | str],
    sink: Sink,
    *,
    rounds: int,
    scale: float,
    only_modes: Sequence[Mode],
    tell: Callable[[str], None],
) -> Rounds:
    """Measure.

    Args:
        workloads: what.
        brokers: by name, its address, or why there is none.
        sink: for what other tracers export.
        rounds: how many.
        scale: of the number of messages.
        only_modes: those wanted.
        tell: says how far it is.
    """
    done = Rounds()
    places = _places(workloads, brokers, sink, done)
    _prepare([w for w in workloads if w.name in places and w.prepared == "once"], places, scale, done)
    try:
        for number in range(1, rounds + 1):
            for workload in workloads:
                for pair in range(workload.pairs if workload.name in places else 0):
                    run = (number - 1) * workload.pairs + pair
                    # The other way round every other time, so that what changes by and by favours neither.
                    for mode in workload.modes[:: -1 if run % 2 else 1]:
                        if mode in only_modes:
                            tell(f"round {number} of {rounds}: {workload.name}, {mode}")
                            _one(workload, mode, places[workload.name], scale, run, done)
    finally:
        for workload in workloads:
            if workload.prepared and workload.name in places:
                _attempt(
                    done, f"cleaning up after {workload.name}", step, workload, places[workload.name], scale, "clean"
                )
    return done


def _places(
    workloads: Sequence[Workload], brokers: Mapping[str, Address | str], sink: Sink, done: Rounds
) -> dict[str, Place]:
    places = {}
    for workload in workloads:
        address = brokers.get(workload.broker, "")
        if workload.broker and isinstance(address, str):
            done.failures[workload.name] = f"no {workload.broker}: {address}"
            continue
        url = "" if isinstance(address, str) else address.url.removeprefix("kafka://")
        places[workload.name] = Place(url, f"bench-{uuid.uuid4().hex[:12]}", sink)
    return places


def _prepare(workloads: Sequence[Workload], places: dict[str, Place], scale: float, done: Rounds) -> None:
    for workload in workloads:
        if not _attempt(done, workload.name, step, workload, places[workload.name], scale, "prepare"):
            del places[workload.name]


def _one(workload: Workload, mode: Mode, place: Place, scale: float, number: int, done: Rounds) -> None:
    name = f"{workload.name}, {mode}"
    if workload.prepared == "each" and not _attempt(done, name, step, workload, place, scale, "prepare"):
        return
    try:
        done.samples.append(run(workload, mode, place, scale, number))
    except RunFailed as failure:
        done.failures[name] = f"run {number}: {failure}"


def _attempt(done: Rounds, name: str, act: Callable[..., None], *arguments: object) -> bool:
    try:
        act(*arguments)
    except RunFailed as failure:
        done.failures[name] = str(failure)
        return False
    return True
