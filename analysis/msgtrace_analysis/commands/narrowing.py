"""Findings of what was chosen of a trace: the documents of one service, of some channels, of some event types. Pure.

Flows stay whole, and so do long transactions and requests with their replies: each that has a chosen event type is there with
all of its event types, which are therefore in the catalogue, too. What is said of the trace as a whole (stack, completeness,
the system's resilience score, how many messages carry what) stays as it is.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from msgtrace_analysis.passes.observations import observe

if TYPE_CHECKING:
    from msgtrace_analysis.commands.choosing import Choice
    from msgtrace_analysis.findings import (
        Conversations,
        DeadLetters,
        Findings,
        Flow,
        Frequencies,
        Guarantees,
        Rate,
        Reliability,
        Resilience,
        Retrying,
        Saga,
        Security,
        Topology,
    )


def narrowed(findings: Findings, choice: Choice) -> Findings:
    """The findings about what is wanted.

    Args:
        findings: of a whole trace.
        choice: what is wanted.
    """
    if choice.everything:
        return findings
    return _Chosen(findings, choice).findings()


class _Chosen:
    def __init__(self, findings: Findings, choice: Choice) -> None:
        self._all = findings
        self._choice = choice
        wanted = set(choice.wanted(findings.events))
        self._flows = tuple(each for each in findings.flows if wanted & _events_of(each))
        self._sagas = tuple(each for each in findings.conversations.sagas if wanted & _steps_of(each))
        self._requests = tuple(
            each for each in findings.conversations.requests if wanted & {each.request, each.reply or ""}
        )
        self._refs = wanted.union(
            *map(_events_of, self._flows), *map(_steps_of, self._sagas),
            *({each.request, each.reply or ""} for each in self._requests),
        )  # fmt: skip
        self._events = tuple(event for event in findings.events if event.ref in self._refs)
        self._uses = tuple(each for each in findings.uses if each.event in self._refs)
        self._channels = {each.channel for each in self._uses} | {event.address for event in self._events}
        self._channels |= {
            target for each in findings.topology.dead_letters if each.queue in self._channels for target in each.targets
        }

    def findings(self) -> Findings:
        every = self._all
        topology, reliability = self._topology(every.topology), self._reliability(every.reliability)
        return replace(
            every,
            events=self._events,
            contracts=tuple(each for each in every.contracts if each.event in self._refs),
            uses=self._uses,
            traffic=tuple(each for each in every.traffic if each.event in self._refs),
            flows=self._flows,
            conversations=self._conversations(every.conversations),
            topology=topology,
            reliability=reliability,
            frequencies=self._frequencies(every.frequencies),
            retrying=self._retrying(every.retrying),
            dead_letters=self._dead_letters(every.dead_letters),
            observations=observe(every.stack, topology, reliability, every.completeness),
            guarantees=self._guarantees(every.guarantees),
            security=self._security(every.security),
            breakers=replace(every.breakers, breakers=tuple(
                each for each in every.breakers.breakers if self._choice.fits_service(each.service)
            )),
            resilience=self._resilience(every.resilience),
        )  # fmt: skip

    def _conversations(self, found: Conversations) -> Conversations:
        refs, fits = self._refs, self._choice.fits_service
        return replace(
            found,
            requests=self._requests,
            sagas=self._sagas,
            calls=tuple(each for each in found.calls if fits(each.caller.service)),
            fallbacks=tuple(each for each in found.fallbacks if each.event in refs),
            cycles=tuple(each for each in found.cycles if refs & {reference for reference, _ in each.events}),
            loose_ends=tuple(each for each in found.loose_ends if each.event in refs),
            deviations=tuple(each for each in found.deviations if each.event in refs),
        )

    def _topology(self, found: Topology) -> Topology:
        known = self._channels
        return replace(
            found,
            channels=tuple(each for each in found.channels if each.name in known),
            bindings=tuple(each for each in found.bindings if {each.source, each.destination} & known),
            subscriptions=tuple(each for each in found.subscriptions if each.channel in known),
            dead_letters=tuple(each for each in found.dead_letters if each.queue in known),
            limits=tuple(each for each in found.limits if self._choice.fits_service(each.service)),
            gaps=tuple(each for each in found.gaps if each.name in known),
        )

    def _reliability(self, found: Reliability) -> Reliability:
        return replace(
            found,
            retries=tuple(each for each in found.retries if each.event in self._refs),
            outcomes=tuple(each for each in found.outcomes if each.channel in self._channels),
            failures=tuple(each for each in found.failures if each.channel in self._channels),
        )

    def _frequencies(self, found: Frequencies) -> Frequencies:
        return replace(
            found,
            rates=tuple(each for each in found.rates if self._keeps(each)),
            backlogs=tuple(each for each in found.backlogs if each.event in self._refs),
        )

    def _keeps(self, rate: Rate) -> bool:
        match rate.scope:
            case "service":
                return self._choice.fits_service(rate.subject)
            case "channel":
                return rate.name in self._channels
        return rate.subject in self._refs

    def _retrying(self, found: Retrying) -> Retrying:
        observed = tuple(each for each in found.observed if self._refs.intersection(each.events))
        declared = tuple(
            each for each in found.declared
            if (each.channel in self._channels if each.channel else self._choice.fits_service(each.service))
        )  # fmt: skip
        differences = tuple(
            each for each in found.differences if each.observed in observed and each.declared in declared
        )
        return replace(found, observed=observed, declared=declared, differences=differences)

    def _dead_letters(self, found: DeadLetters) -> DeadLetters:
        return replace(
            found,
            routes=tuple(each for each in found.routes if each.source in self._channels),
            poison=tuple(each for each in found.poison if each.event in self._refs),
            dropped=tuple(each for each in found.dropped if each.event in self._refs),
        )

    def _guarantees(self, found: Guarantees) -> Guarantees:
        known = self._channels
        return replace(
            found,
            consumers=tuple(each for each in found.consumers if each.channel in known),
            producers=tuple(each for each in found.producers if each.channel in known),
            duplicates=tuple(each for each in found.duplicates if each.channel in known),
            orders=tuple(each for each in found.orders if each.channel in known),
            missing=tuple(each for each in found.missing if each.channel in known),
            lags=tuple(each for each in found.lags if each.channel in known),
            loads=tuple(each for each in found.loads if each.channel in known),
            pressures=tuple(each for each in found.pressures if each.channel in known),
            rebalances=tuple(each for each in found.rebalances if known.intersection(each.channels)),
        )

    def _security(self, found: Security) -> Security:
        known, fits = self._channels, self._choice.fits_service
        return replace(
            found,
            transports=tuple(each for each in found.transports if any(map(fits, each.services))),
            access=tuple(each for each in found.access if each.channel in known),
            exposures=tuple(each for each in found.exposures if each.event in self._refs or not each.event),
            hazards=tuple(each for each in found.hazards if each.channel in known),
            protections=tuple(each for each in found.protections if each.channel in known),
        )

    def _resilience(self, found: Resilience) -> Resilience:
        return replace(
            found,
            scores=tuple(
                each for each in found.scores
                if each.scope == "system" or each.channel in self._channels
                or (each.scope == "server" and not self._choice.services)
            ),
        )  # fmt: skip


def _events_of(flow: Flow) -> set[str]:
    return {step.event for step in flow.steps} | ({flow.arrives} if flow.arrives else set())


def _steps_of(saga: Saga) -> set[str]:
    return {step.event for step in saga.steps} | {saga.begins}
