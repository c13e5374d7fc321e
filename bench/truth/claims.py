"""What the analysis claims, in the terms of the true answers. Pure.

What is said of an event type is no surer than what it is called.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bench.truth.answers import known_event, version_of
from bench.truth.json_schema import claims as claims_of
from bench.truth.system import normal
from msgtrace_analysis.findings import weakest

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bench.truth.answers import Answers, Item
    from msgtrace_analysis.findings import Certainty, Conversations, Event, Findings, Flow, Place, Rate, Variant


PERIOD = 0.01


@dataclass(slots=True)
class Claims:
    """Category -> item -> how certain it is said to be."""

    made: defaultdict[str, dict[Item, Certainty]] = field(default_factory=lambda: defaultdict(dict))

    def claim(self, category: str, item: Item, certainty: Certainty) -> None:
        """Note a claim; made twice, the surer one stands."""
        known = self.made[category].get(item)
        if known is None or known == "guess" or certainty == "exact":
            self.made[category][item] = certainty


def claimed(findings: Findings, answers: Answers) -> Claims:
    """All claims that there are answers to."""
    made = Claims()
    names: dict[str, str] = {}
    sure: dict[str, Certainty] = {}
    types: defaultdict[str, list[Event]] = defaultdict(list)
    for event in findings.events:
        channels = frozenset({(event.system, normal(event.address))})
        names[event.ref] = name = known_event(answers, event.name, channels)
        sure[event.ref] = event.evidence.certainty
        types[name].append(event)
        for category, parties in (("publishers", event.publishers), ("subscribers", event.consumers)):
            for party in parties:
                said = weakest((party.evidence.certainty, event.evidence.certainty))
                made.claim(category, (name, *_place(party.place)), said)
    for name, events in types.items():
        # What has one name is one type, on as many channels.
        channels = frozenset((event.system, normal(event.address)) for event in events)
        said = weakest(event.evidence.certainty for event in events)
        made.claim("event types", (name, sum(event.sends for event in events), tuple(sorted(channels))), said)
    for contract in findings.contracts:
        name = names.get(contract.event, contract.event)
        _body(made, name, contract.schema, contract.certainty)
        for place, version in enumerate(getattr(contract, "versions", ())):
            _body(made, version_of(name, place), version.schema, contract.certainty)
            if version.verdict is not None:
                made.claim("versions", (name, place, version.verdict), "likely")
    for flow in findings.flows:
        for step in flow.steps:
            about, publisher = names.get(step.event, step.event), _place(step.publisher)
            named = sure.get(step.event, "guess")
            said = weakest((step.evidence.certainty, named))
            if step.because is None:
                made.claim("flow edges", ("starts", *_place(flow.trigger), about), said)
            else:
                made.claim("flow edges", ("follows", *_place(step.because), about), said)
            for delivery in step.deliveries:
                said = weakest((delivery.certainty, named))
                made.claim("flow edges", ("reaches", *publisher, about, *_place(delivery.place)), said)
    _variants(made, findings.flows, names, sure)
    _conversations(made, findings.conversations, names)
    _periods(made, findings.frequencies.of("event"), names, answers)
    return made


def _periods(made: Claims, rates: Iterable[Rate], names: dict[str, str], answers: Answers) -> None:
    true = sorted(answers.true["periods"])
    for rate, schedule in ((each, schedule) for each in rates for schedule in each.schedules):
        item = (schedule.place.service, schedule.place.name, names.get(rate.subject, rate.subject))
        # What is within a hundredth of the true period is it.
        period = next(
            (each[3] for each in true if each[:3] == item and abs(schedule.period_s / each[3] - 1) <= PERIOD),
            schedule.period_s,
        )
        made.claim("periods", (*item, period), schedule.certainty)


def _variants(made: Claims, flows: Iterable[Flow], names: dict[str, str], sure: dict[str, Certainty]) -> None:
    ways: defaultdict[Item, list[Variant]] = defaultdict(list)
    arriving: defaultdict[Item, list[Certainty]] = defaultdict(list)
    for flow, variant in ((each, way) for each in flows for way in each.variants):
        trigger = (*_place(flow.trigger), names.get(flow.arrives, flow.arrives) if flow.arrives else "")
        hops = frozenset(
            (
                names.get(hop.event, hop.event),
                _place(hop.publisher) if hop.publisher else ("", ""),
                _place(hop.target) if hop.target else ("", ""),
                bool(hop.outcome),
            )
            for hop in variant.hops
        )
        ways[*trigger, hops].append(variant)
        if flow.arrives is not None and flow.arrives in sure:
            arriving[*trigger, hops].append(sure[flow.arrives])
    # Ways that differ only in the channel of a type are one.
    for way, variants in ways.items():
        named = weakest(sure[hop.event] for each in variants for hop in each.hops if hop.event in sure)
        said = weakest((named, *arriving[way], *(each.evidence.certainty for each in variants)))
        made.claim("flow variants", way, said)


def _conversations(made: Claims, found: Conversations, names: dict[str, str]) -> None:
    for saga in found.sagas:
        # The true ones are those in which something is undone; what else an id holds together is not asked.
        if saga.compensations:
            steps = tuple(names.get(step.event, step.event) for step in saga.steps if step.role == "step")
            undone = {(names.get(each.undone, each.undone), names.get(each.by, each.by)) for each in saga.compensations}
            made.claim("sagas", (steps, tuple(sorted(undone))), saga.evidence.certainty)
    for each in found.requests:
        if each.reply is not None and each.replier is not None:
            asks, answers = each.requester.service, each.replier.service
            item = (names.get(each.request, each.request), names.get(each.reply, each.reply), asks, answers)
            made.claim("request-reply", item, each.evidence.certainty)


def _place(place: Place) -> tuple[str, str]:
    return place.service, place.name


def _body(made: Claims, event: str, schema: object, certainty: Certainty) -> None:
    for path, claim in claims_of(schema).items():  # type: ignore[arg-type]  # a mapping
        named = bool(path) and not path.endswith(("]", "*"))
        if named:
            made.claim("fields", (event, path), certainty)
        if named and claim.required:
            made.claim("required", (event, path), certainty)
        if path and claim.types:
            made.claim("types", (event, path, tuple(sorted(claim.types))), certainty)
        if claim.format:
            made.claim("formats", (event, path, claim.format), certainty)
        if claim.enum is not None and len(claim.enum) > 1:
            made.claim("enums", (event, path, claim.enum), certainty)
        if claim.is_map:
            made.claim("maps", (event, path), certainty)
        for name, arms in claim.variants.items():
            for value, fields in arms.items():
                made.claim("variants", (event, path, name, value, fields), certainty)
