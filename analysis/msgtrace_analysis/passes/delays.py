"""The delays between attempts, and whether the handler itself waits. Pure.

A consumer may wait in its handler, after it has failed and before it gives the message back or sends it on; or after it
has got the message again and before it tries. Both look like work. They are told from work by the attempts that do not
wait: the last one has nothing to wait for afterwards, and the first one nothing before.

Of messages that were fetched together, a consumer that takes one after the other begins each when it has done with the
one before; another takes them all at once. The reading in which delays of the same number are more alike is taken.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from dataclasses import dataclass
from statistics import fmean, pstdev
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from msgtrace_analysis.passes.attempt_groups import Group, Receive
    from msgtrace_analysis.passes.mechanisms import Hop

WAITS_S: Final = 0.01
"""Time in the handler beyond the work that is a wait."""
BETTER: Final = 0.6
"""How much more alike delays must be when a wait in the handler is counted in."""
TIMES: Final = 2.5
"""How many times the work it must be in all."""


@dataclass(frozen=True, slots=True)
class Delays:
    """Delays of several groups.

    Attributes:
        of_groups: seconds before each attempt after the first, by group; None where that can't be told.
        waits: where the handler waits.
    """

    of_groups: tuple[tuple[float | None, ...], ...]
    waits: str


@dataclass(frozen=True, slots=True)
class _Spell:
    """The time that a consumer had a message for one attempt; its end is None where not known."""

    began_ns: int
    ended_ns: int | None

    @property
    def seconds(self) -> float | None:
        return None if self.ended_ns is None else (self.ended_ns - self.began_ns) / 1e9


def delays(groups: Sequence[Group], hops: Sequence[Sequence[Hop]]) -> Delays:
    """The delays of one consumer's groups.

    Args:
        groups: with more than one attempt each.
        hops: theirs.
    """
    ends = [
        [_ended(group, its, place) for place in range(len(group.attempts))]
        for group, its in zip(groups, hops, strict=True)
    ]
    spells = [
        [_Spell(each.at_ns, end) for each, end in zip(group.attempts, its, strict=True)]
        for group, its in zip(groups, ends, strict=True)
    ]
    readings = [_read(spells, hops)]
    if any(each.batch is not None for group in groups for each in group.attempts):
        busy = _busy(groups, ends)
        in_turn = [
            [_Spell(_begun(each, end, busy), end) for each, end in zip(group.attempts, its, strict=True)]
            for group, its in zip(groups, ends, strict=True)
        ]
        readings.append(_read(in_turn, hops))
    return min(readings, key=_unlike)


def _ended(group: Group, hops: Sequence[Hop], place: int) -> int | None:
    """When a consumer had done with a message, as far as its settling, sending on, or the handler's end tell."""
    each = group.attempts[place]
    known = [hops[place].began_ns] if place < len(hops) else [way.at_ns for way in group.last]
    known += [at for at in (each.settled_ns, each.ended_ns) if at is not None]
    return min((at for at in known if at > each.at_ns), default=None)


def _busy(groups: Sequence[Group], ends: Sequence[Sequence[int | None]]) -> Mapping[int, Sequence[int]]:
    """When each connection had done with any message, in order."""
    found: defaultdict[int, list[int]] = defaultdict(list)
    for group, its in zip(groups, ends, strict=True):
        for each, end in zip(group.attempts, its, strict=True):
            if end is not None:
                found[each.connection].append(end)
    return {connection: sorted(known) for connection, known in found.items()}


def _begun(each: Receive, end: int | None, busy: Mapping[int, Sequence[int]]) -> int:
    """When a consumer that takes one after the other began with a message."""
    if each.batch is None or end is None:
        return each.at_ns
    known = busy.get(each.connection, ())
    place = bisect_left(known, end)
    return max(each.at_ns, known[place - 1] if place else 0)


def _read(spells: Sequence[Sequence[_Spell]], hops: Sequence[Sequence[Hop]]) -> Delays:
    inside = [[each.seconds for each in its] for its in spells]
    first = [its[0] for its in inside if its[0] is not None]
    later = [each for its in inside for each in its[1:] if each is not None]
    last = [its[-1] for its in inside if its[-1] is not None]
    early = [each for its in inside for each in its[:-1] if each is not None]
    gaps = [
        [max(0, after.began_ns - hop.began_ns) / 1e9 for after, hop in zip(its[1:], ways, strict=True)]
        for its, ways in zip(spells, hops, strict=True)
    ]
    if last and early and _waits(early, last):
        # What it takes the message to come back is the way's own: the wait is over by then.
        work = min(last)
        return Delays(
            tuple(tuple(None if spent is None else max(0.0, spent - work) for spent in its[:-1]) for its in inside),
            "after an attempt, in the handler",
        )
    none = Delays(tuple(map(tuple, gaps)), "")
    if not first or not later:
        return none
    work = min(first)
    before = Delays(
        tuple(
            tuple(
                None if spent is None else gap + max(0.0, spent - work)
                for gap, spent in zip(waited, its[1:], strict=True)
            )
            for waited, its in zip(gaps, inside, strict=True)
        ),
        "before an attempt, after it has the message",
    )
    # Of messages that are due together only the first one waits long in the handler, the others for that one.
    some = max(later) - max(first) > WAITS_S and _unlike(before) < BETTER * _unlike(none)
    return before if some or _waits(later, first) else none


def _waits(longer: Sequence[float], work: Sequence[float]) -> bool:
    return fmean(longer) - fmean(work) > WAITS_S and fmean(longer) > TIMES * fmean(work)


def _unlike(reading: Delays) -> float:
    """How much delays of the same number differ, as shares of their mean."""
    longest = max(map(len, reading.of_groups), default=0)
    columns = [[its[place] for its in reading.of_groups if len(its) > place] for place in range(longest)]
    known = [[each for each in column if each is not None] for column in columns]
    shares = [pstdev(column) / max(fmean(column), 1e-3) for column in known if len(column) > 1]
    return fmean(shares) if shares else 0.0
