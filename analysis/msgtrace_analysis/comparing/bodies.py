"""What is different in the bodies of event types that both runs have. Pure.

Judged by the same comparison as versions within a trace (`passes.schema.versions`). Versions that the messages themselves
tell apart are compared by name: what changed within one changed without a new number.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from msgtrace_analysis.comparing.chance import is_sure, of_samples, rounded
from msgtrace_analysis.comparing.seen import gone, mirrored
from msgtrace_analysis.findings.differences import Delta
from msgtrace_analysis.passes.schema.counts import shape_of
from msgtrace_analysis.passes.schema.said_versions import may_count_something_else
from msgtrace_analysis.passes.schema.versions import differences, together

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from msgtrace_analysis.comparing.run import Event, Run
    from msgtrace_analysis.findings import Verdict
    from msgtrace_analysis.findings.differences import Compatibility, How
    from msgtrace_analysis.passes.schema.shapes import Shape

DRIFT: Final = "drift"
WHOLE: Final = "(whole body)"
HOW: Final[dict[tuple[str, bool], How]] = {
    ("added", True): "appeared",
    ("added", False): "not seen before",
    ("removed", True): "vanished",
    ("removed", False): "not seen",
}
LOST: Final[dict[str, frozenset[Verdict]]] = {
    "forward": frozenset({"backward", "none"}),
    "backward": frozenset({"forward", "none"}),
    "full": frozenset({"backward", "forward", "none"}),
    "none": frozenset(),
}
"""Compatibility that is to be kept -> what changes leave that don't keep it."""
WHY: Final[dict[Verdict, str]] = {
    "backward": "who reads by BASE's schema can't read it",
    "forward": "who reads by HEAD's schema can't read what was sent in BASE",
    "none": "neither schema reads the other's messages",
    "full": "",
}


def bodies(base: Run, head: Run, keeps: Compatibility) -> Iterator[Delta]:
    """Fields and versions."""
    there = {each.id: each for each in head.event_catalog}
    for event in base.event_catalog:
        other = there.get(event.id)
        if other is None or event.schema_counts is None or other.schema_counts is None:
            continue
        before, after = _said(event), _said(other)
        for name in sorted(before.keys() & after.keys()):
            yield from _fields(event, f" (version {name})", shape_of(before[name]), shape_of(after[name]), keeps)
        last = _last(event, event.schema_counts), _last(other, other.schema_counts)
        steps = list(_fields(event, "", shape_of(last[0]), shape_of(last[1]), keeps))
        if not (before and after):
            yield from steps
            continue
        old, new = list(before)[-1], list(after)[-1]
        if old != new and (steps or not _may_count_something_else(event)):
            yield from steps
            yield _step(event, old, new, steps)
        yield from _only(event, other, before, after, {old, new})
        yield from map(mirrored, _only(other, event, after, before, {old, new}))


def _said(event: Event) -> dict[str, dict[str, Any]]:
    """The counts of each version that messages themselves tell apart, oldest first; none where only time does."""
    if event.version_said is not None and event.schema_counts is not None:
        return {event.version_said.version: event.schema_counts}
    return {each.name: each.counts for each in event.versions} if event.versioned_by != DRIFT else {}


def _last(event: Event, whole: dict[str, Any]) -> dict[str, Any]:
    return event.versions[-1].counts if event.versions else whole


def _may_count_something_else(event: Event) -> bool:
    return event.version_said is not None and may_count_something_else(event.version_said.said_by)


def _fields(event: Event, label: str, before: Shape, after: Shape, keeps: Compatibility) -> Iterator[Delta]:
    if not before.count or not after.count:
        return
    for each in differences(before, after, unseen=of_samples):
        change, sure = each.change, is_sure(each.chance)
        yield Delta(
            aspect="field",
            how=HOW.get((change.what.rpartition(" ")[2], sure), "changed"),
            subject=event.name,
            part=f"{change.path or WHOLE}{label}",
            where=event.id,
            what=change.what,
            base=each.before,
            head=each.after,
            verdict=change.reads,
            breaking=WHY[change.reads] if sure and change.reads in LOST[keeps] else "",
            certainty="likely" if sure else "guess",
            chance=rounded(each.chance),
        )


def _step(event: Event, old: str, new: str, steps: Sequence[Delta]) -> Delta:
    fits = together(each.verdict for each in steps if each.verdict is not None and each.certainty != "guess")
    return Delta("version", "changed", event.name, "", event.id, "", old, new, fits, "", "likely")


def _only(
    event: Event, other: Event, before: Collection[str], after: Collection[str], told: Collection[str]
) -> Iterator[Delta]:
    """Versions that only one has, besides those that the step between the last ones tells of."""
    samples = {each.name: each.samples for each in event.versions}
    for name in before:
        if name not in after and name not in told:
            yield gone("version", event.name, name, event.id, f"{samples[name]} of {event.schema_samples} bodies",
                       of_samples(samples[name], event.schema_samples, other.schema_samples))  # fmt: skip
