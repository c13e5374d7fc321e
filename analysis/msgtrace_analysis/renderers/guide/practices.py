"""Best Practices: advice, each from a finding that it names. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from msgtrace_analysis.renderers.guide.catalog import loose_fields
from msgtrace_analysis.renderers.guide.failing import Told
from msgtrace_analysis.renderers.guide.flows import told_ways
from msgtrace_analysis.renderers.guide.words import channel, criterion, number, of, place, way
from msgtrace_analysis.renderers.markdown import Safe, code, text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from msgtrace_analysis.findings import Evidence, Findings

MOST: Final = 20
"""Pieces of advice of one kind."""


def values(findings: Findings) -> dict[str, Any]:
    """What is advised."""
    return {
        "design": [*_differing(findings), *_deviating(findings), *_nameless(findings), *_personal(findings)],
        "handling": list(_failing_criteria(findings)),
        "testing": [*_failing_ways(findings), *_again(findings), *_without(findings)],
    }


def _evidence_of(findings: Findings, *refs: str) -> tuple[Evidence, ...]:
    known = {event.ref: event.evidence for event in findings.events}
    return tuple(known[ref] for ref in refs if ref in known)


def _differing(findings: Findings) -> Iterator[Told]:
    events = {event.ref: event for event in findings.events}
    seen: set[frozenset[str]] = set()
    for contract in findings.contracts:
        for other in contract.elsewhere:
            pair = frozenset({contract.event, other.event})
            if not other.count or pair in seen:
                continue
            seen.add(pair)
            here, there = events[contract.event], events[other.event]
            fields = ", ".join(f"{code(each.path)} {text(each.what)}" for each in other.differences)
            yield Told(
                Safe(
                    f"One name, two bodies: {code(here.name)} on {text(here.system)} {code(here.address)} and on "
                    f"{text(there.system)} {code(there.address)} differ ({fields}). "
                    "Say in the name or in a version which one it is."
                ),
                _evidence_of(findings, contract.event, other.event),
            )


def _deviating(findings: Findings) -> Iterator[Told]:
    for each in findings.conversations.deviations[:MOST]:
        sentence = each.sentence.format(*(code(name) for name in each.names))
        yield Told(
            Safe(f"{place(each.place)}, {each.side} of {code(each.name)}, is not like the others: {sentence}"),
            (each.evidence,),
        )


def _nameless(findings: Findings) -> Iterator[Told]:
    for event in findings.events[:]:
        if event.named_by == "channel":
            yield Told(
                Safe(
                    f"Messages on {text(event.system)} {text(event.channel_kind)} {code(event.address)} do not say what they "
                    "are: with a second type on that channel, receivers could not tell them apart. Give them a type."
                ),
                (event.evidence,),
            )


def _personal(findings: Findings) -> Iterator[Told]:
    events = {event.ref: event for event in findings.events}
    for each in findings.security.exposures:
        event = events.get(each.event)
        if event is None:
            continue
        services = sorted({party.place.service for party in event.consumers})
        others = [name for name in services if name not in {party.place.service for party in event.publishers}]
        if others:
            what = "a secret" if each.kind == "secret" else f"personal data ({each.kind})"
            yield Told(
                Safe(
                    f"{code(event.name)} carries {what} in {code(each.field or each.where)} to {', '.join(map(code, others))}, "
                    f"for {number(each.messages)} of {of(each.of, 'message')}: leave out what they do not need."
                ),
                (each.evidence,),
            )


def _failing_criteria(findings: Findings) -> Iterator[Told]:
    ends = {target for route in findings.dead_letters.routes if not route.retry for target in route.targets}
    for score in findings.resilience.scores[1:]:
        for each in score.criteria:
            if each.state != "fail" or not each.remedy or each.evidence is None:
                continue
            if each.name == "dead-letter route" and score.channel in ends:
                continue  # it is where dead letters end
            yield Told(
                Safe(f"{code(score.subject)}, {text(each.name)}: {text(each.remedy)}. {criterion(each)}"),
                (each.evidence,),
            )


def _failing_ways(findings: Findings) -> Iterator[Told]:
    for flow in findings.flows[:]:
        for variant in told_ways(flow):
            if variant.failed:
                yield Told(
                    Safe(
                        f"Play what went wrong after {code(flow.name)} in {number(variant.executions)} of "
                        f"{number(flow.triggered)}: {way(variant)}."
                    ),
                    (variant.evidence,),
                )


def _again(findings: Findings) -> Iterator[Told]:
    for each in findings.guarantees.duplicates:
        known = {
            "unknown": "what handling one twice does is not known",
            "repeated": "handling one twice sent messages twice",
            "not repeated": "handling one twice sent nothing twice",
        }[each.effects]
        yield Told(
            Safe(
                f"Deliver a message of {channel(each)} twice: {of(each.messages, 'message')} came again, and {known}."
            ),
            (each.evidence,),
        )


def _without(findings: Findings) -> Iterator[Told]:
    events = {event.ref: event for event in findings.events}
    for ref, (absent, nulls) in list(loose_fields(findings.contracts).items()):
        event = events[ref]
        if not event.consumers or not (absent or nulls):
            continue
        missing = ", ".join(code(each.path) for each in absent[:6])
        null = ", ".join(code(each.path) for each in nulls[:6])
        what = " and ".join(
            part for part in (f"without {missing}" if missing else "", f"with null in {null}" if null else "") if part
        )
        handlers = ", ".join(place(party.place) for party in event.consumers[:6])
        yield Told(
            Safe(f"Give {handlers} {article(event.name)} {code(event.name)} {what}: they came so."), (event.evidence,)
        )


def article(name: str) -> str:
    """What stands before a name.

    >>> article("order.placed"), article("payment.failed")
    ('an', 'a')
    """
    return "an" if name[:1].lower() in set("aeiou") else "a"
