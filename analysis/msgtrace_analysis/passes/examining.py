"""All passes, one after the other: every finding about a trace."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgtrace_analysis.findings import Findings
from msgtrace_analysis.passes.alerts import alerts
from msgtrace_analysis.passes.attempts import tried
from msgtrace_analysis.passes.breakers import breakers
from msgtrace_analysis.passes.completeness import completeness
from msgtrace_analysis.passes.contracts import contracts
from msgtrace_analysis.passes.conversations import conversations
from msgtrace_analysis.passes.criteria import Known
from msgtrace_analysis.passes.dead_letters import dead_letters
from msgtrace_analysis.passes.delivery import guarantees
from msgtrace_analysis.passes.events import catalogue
from msgtrace_analysis.passes.executions import executions
from msgtrace_analysis.passes.exposures import Searching
from msgtrace_analysis.passes.flows import flows
from msgtrace_analysis.passes.graph import build_graph
from msgtrace_analysis.passes.handlers import handlers
from msgtrace_analysis.passes.observations import observe
from msgtrace_analysis.passes.practices import practices, recording
from msgtrace_analysis.passes.preparing import prepare, span_ns
from msgtrace_analysis.passes.rates import frequencies
from msgtrace_analysis.passes.reliability import reliability
from msgtrace_analysis.passes.resilience import resilience
from msgtrace_analysis.passes.retrying import retrying
from msgtrace_analysis.passes.security import security
from msgtrace_analysis.passes.stack import stack
from msgtrace_analysis.passes.timelines import timelines
from msgtrace_analysis.passes.topology import topology
from msgtrace_analysis.passes.traffic import traffic
from msgtrace_analysis.passes.transports import transports
from msgtrace_analysis.passes.uses import uses
from msgtrace_analysis.passes.usual import Usual
from msgtrace_analysis.rules import NO_RULES

if TYPE_CHECKING:
    from collections.abc import Callable

    from msgtrace_analysis.findings import Alerts, Resilience
    from msgtrace_analysis.rules import Rules
    from msgtrace_analysis.study import Study


def _silent(_step: str) -> None:
    """Say nothing."""


def examine(study: Study, rules: Rules = NO_RULES, step: Callable[[str], None] = _silent) -> Findings:
    """Every finding about a trace.

    Args:
        study: the trace.
        rules: what the user says about names.
        step: is told of each before it begins.

    Raises:
        TraceError: the trace went away meanwhile.
    """
    step("naming messages")
    prepare(study, rules)
    step("reading topology")
    extent = recording(study)
    system, channels = stack(study), topology(study)
    step("following causes")
    graph = build_graph(study)
    step("telling flows")
    flowing = flows(study, graph)
    behaviour, known = reliability(study), completeness(study)
    step("checking delivery")
    with Searching(study) as searching:  # personal data, beside what follows
        delivered = guarantees(study)
        step("looking for retries")
        again = tried(study)
        step("looking for personal data")
        protected = security(study, system, channels, searching)
    breaking = breakers(study)
    repeated, dead = retrying(study, channels, again), dead_letters(study, channels, again)
    step("inferring schemas")
    described = contracts(study)
    step("measuring rates")
    often = frequencies(study)
    step("telling conversations")
    return Findings(
        recording=extent,
        stack=system,
        events=catalogue(study, span_ns(extent), rules),
        contracts=described,
        uses=uses(study),
        traffic=traffic(study),
        flows=flowing,
        conversations=conversations(study, graph),
        topology=channels,
        reliability=behaviour,
        completeness=known,
        practices=practices(study),
        frequencies=often,
        retrying=repeated,
        dead_letters=dead,
        observations=observe(system, channels, behaviour, known),
        guarantees=delivered,
        security=protected,
        breakers=breaking,
        handlers=handlers(study),
        resilience=resilience(Known(delivered, channels, protected.transports, breaking, repeated, dead)),
        alerts=alerts(Usual(delivered, channels, dead, often)),
        timelines=timelines(study),
        executions=executions(study, flowing),
    )


def alerts_of(study: Study) -> Alerts:
    """The alert rules of a trace that `prepare` has been given."""
    channels = topology(study)
    return alerts(Usual(guarantees(study), channels, dead_letters(study, channels, tried(study)), frequencies(study)))


def resilience_of(study: Study) -> Resilience:
    """The score of a trace that `prepare` has been given."""
    channels = topology(study)
    delivered, again = guarantees(study), tried(study)
    return resilience(
        Known(
            delivered,
            channels,
            transports(study, stack(study)),
            breakers(study),
            retrying(study, channels, again),
            dead_letters(study, channels, again),
        )
    )
