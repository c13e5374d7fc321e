"""Retry policies that changed, or that only one of two runs has. Pure.

What is declared is known exactly; what was observed is read from delays, which vary, and needs failures to be seen at all.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from msgtrace_analysis.comparing.seen import both_ways, gone
from msgtrace_analysis.findings.differences import Delta
from msgtrace_analysis.passes.policy_differences import AT_LEAST_S, DELAYS, NEAR

if TYPE_CHECKING:
    from collections.abc import Iterator

    from msgtrace_analysis.comparing.run import Declared, Observed, Policy, Run
    from msgtrace_analysis.findings import Certainty

KEPT: Final = frozenset({"dead letter", "raised"})
LOST: Final = frozenset({"dropped", "acknowledged"})
"""Ends of a message after its last attempt: where it is kept, or somebody hears of it; and where it is gone without a trace."""
ENOUGH: Final = 3
"""Messages that were tried again, on each side, before a difference in what was observed is likely."""
Key = tuple[str, str, str, str, str]
"""Source ('' for observed), service, system, channel, code."""


@dataclass(frozen=True, slots=True)
class Told:
    """A policy, declared or observed.

    Attributes:
        mechanism: '' where it is declared.
        messages: that it was seen on; 0 where it is declared.
    """

    policy: Policy
    mechanism: str
    messages: int


def retries(base: Run, head: Run) -> Iterator[Delta]:
    """Policies."""
    yield from both_ways(_vanished, base, head)
    there = _policies(head)
    for key, policies in _policies(base).items():
        others = there.get(key, [])
        # More of one kind at one place can't be told apart.
        if len(policies) == len(others):
            for one, other in zip(policies, others, strict=True):
                yield from _changed(key, one, other)


def compared(run: Run) -> Iterator[tuple[str, str]]:
    """Subject and where of each policy."""
    for key in _policies(run):
        subject, _, where = _subject(key)
        yield subject, where


def _policies(run: Run) -> dict[Key, list[Told]]:
    found = defaultdict(list)
    for declared in run.retrying.declared:
        found[_key(declared.source, declared)].append(Told(declared.policy, "", 0))
    for observed in run.retrying.observed:
        found[_key("", observed)].append(Told(observed.policy, observed.mechanism, observed.messages))
    return dict(sorted(found.items()))


def _key(source: str, each: Declared | Observed) -> Key:
    return source, each.service, each.system, each.channel or "", each.place.label


def _subject(key: Key) -> tuple[str, str, str]:
    """Subject, part, where."""
    source, service, system, channel, label = key
    return channel or label, f"{source or 'observed'} in {service}", " ".join(each for each in (system, label) if each)


def _vanished(base: Run, head: Run) -> Iterator[Delta]:
    there = _policies(head)
    services = {party.service for event in head.event_catalog for party in (*event.producers, *event.consumers)}
    for key, policies in _policies(base).items():
        missing = len(policies) - len(there.get(key, []))
        for each in policies[: max(0, missing)]:
            subject, part, where = _subject(key)
            # A declaration is made when its code is loaded: it is gone where the service runs without it. What was observed needs
            # failures, and that nothing failed says nothing of what would have been done.
            sure = bool(key[0]) and key[1] in services
            breaking = "what fails for good is kept no more" if each.policy.then == "dead letter" else ""
            yield gone("retry policy", subject, part, where, said(each), None, breaking=breaking, sure=sure)


def said(each: Told) -> str:
    """A policy in a few words."""
    policy = each.policy
    most = "" if policy.max_attempts is None else f", at most {policy.max_attempts} attempts"
    by = f" by {each.mechanism}" if each.mechanism else ""
    end = "" if policy.then == "unknown" else f", then {policy.then}"
    return f"{policy.kind}{by}{most}{end}"


def _changed(key: Key, one: Told, other: Told) -> Iterator[Delta]:
    subject, part, where = _subject(key)
    enough = min(one.messages, other.messages) >= ENOUGH or bool(key[0])
    certainty: Certainty = "likely" if enough else "guess"
    for field, was, now in _fields(one, other, exact=bool(key[0])):
        breaking = ""
        if field == "then" and was.partition(" to ")[0] in KEPT and now in LOST and enough:
            breaking = f"what fails for good is {now}, where it was {was}"
        yield Delta("retry policy", "changed", subject, part, where, field, was, now, None, breaking, certainty)


def _fields(one: Told, other: Told, *, exact: bool) -> Iterator[tuple[str, str, str]]:
    mine, theirs = one.policy, other.policy
    for field, was, now in (
        ("mechanism", one.mechanism, other.mechanism),
        ("kind", mine.kind, theirs.kind),
        ("max_attempts", _number(mine.max_attempts), _number(theirs.max_attempts)),
        ("then", _end(mine), _end(theirs)),
    ):
        # Not known on one side is no difference where it is read from traffic.
        if was != now and (exact or not {was, now} & {"unknown", "unlimited"}):
            yield field, was, now
    for field in (*DELAYS, "step_s", "jitter") if exact else DELAYS:
        delay, other_delay = getattr(mine, field), getattr(theirs, field)
        if exact:
            differs = delay != other_delay
        else:
            differs = delay is not None and other_delay is not None and _far(delay, other_delay, mine, theirs)
        if differs:
            yield field, _number(delay, "none"), _number(other_delay, "none")


def _far(delay: float, other: float, mine: Policy, theirs: Policy) -> bool:
    slack = max(NEAR, mine.jitter or 0.0, theirs.jitter or 0.0) * max(delay, other)
    return abs(delay - other) > max(slack, AT_LEAST_S)


def _number(value: float | None, nothing: str = "unlimited") -> str:
    return nothing if value is None else f"{value:g}"


def _end(policy: Policy) -> str:
    return f"{policy.then} to {policy.then_to}" if policy.then_to else policy.then
