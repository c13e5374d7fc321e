"""Renders messaging_analysis.json: the system in a few numbers. Pure.

What each number counts is said beside it, under `counted`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from msgtrace_analysis.renderers.json_values import text
from msgtrace_analysis.renderers.retry_values import delays_text, then_text
from msgtrace_analysis.renderers.values import value

if TYPE_CHECKING:
    from msgtrace_analysis.findings import Channel, Findings, Flow, RetryPolicy, Score

FORMAT: Final = "msgtrace/messaging-analysis"
VERSION: Final = 1
CRITICAL: Final = 10
"""Flows that are named at most."""
QUEUES: Final = frozenset({"queue", "topic", "stream", "list"})
"""Kinds of channels that hold messages until they are taken."""
COUNTED: Final = {
    "technologies": "systems that messages went through, in-process buses among them",
    "total_event_types": "types on an address: one that is on two channels counts twice",
    "total_queues": "queues, topics, streams and lists that were declared, inspected or used; those that differ in generated "
    "parts of their names only count each",
    "total_subscribers": "places in the code, of each service, that received messages",
    "message_flows": "triggers that messages followed from",
    "retry_patterns": "of each consumer, as observed, and as declared where nothing was observed",
    "dlq_configured": "true: a way of dead messages that is no way back was declared or seen; false: queues were declared or "
    "inspected, and none has one; null: neither was seen",
    "critical_flows": f"flows that go between services, those of most messages first, at most {CRITICAL}",
    "resilience_score": "points of 100; what is not known earns none",
}


def render(findings: Findings) -> str:
    """The whole file, ending in a newline."""
    system = next((score for score in findings.resilience.scores if score.scope == "system"), None)
    return text({
        "format": FORMAT,
        "version": VERSION,
        "trace": value(findings.recording),
        "messaging_analysis": {
            "technologies": sorted({event.system for event in findings.events}),
            "total_event_types": len(findings.events),
            "total_queues": sum(each.alike for each in findings.topology.channels if each.kind in QUEUES),
            "total_subscribers": len({party.place for event in findings.events for party in event.consumers}),
            "message_flows": sum(1 for flow in findings.flows if flow.steps),
            "retry_patterns": retry_patterns(findings),
            "dlq_configured": dlq_configured(findings),
        },
        "critical_flows": critical_flows(findings.flows),
        "resilience_score": None if system is None else system.points,
        "resilience": None if system is None else _resilience(system),
        "counted": COUNTED,
    })  # fmt: skip


def retry_patterns(findings: Findings) -> list[dict[str, Any]]:
    """How messages are tried again, per consumer; what is declared where nothing was observed."""
    observed = [
        {
            "service": each.service, "channel": each.channel, "mechanism": each.mechanism, **_policy(each.policy),
            "source": "observed", "certainty": each.evidence.certainty,
        }
        for each in findings.retrying.observed
    ]  # fmt: skip
    seen = {(each.service, each.channel) for each in findings.retrying.observed}
    declared = [
        {
            "service": each.service, "channel": each.channel or None, "mechanism": None, **_policy(each.policy),
            "source": f"declared by {each.source}", "certainty": each.evidence.certainty,
        }
        for each in findings.retrying.declared
        if (each.service, each.channel) not in seen
    ]  # fmt: skip
    return observed + declared


def _policy(policy: RetryPolicy) -> dict[str, Any]:
    return {
        "kind": policy.kind, "delays": delays_text(policy), "max_attempts": policy.max_attempts, "then": then_text(policy),
    }  # fmt: skip


def dlq_configured(findings: Findings) -> bool | None:
    """Whether dead messages have somewhere to go; None where nothing was seen that tells."""
    if any(not route.retry and (route.declared or route.observed) for route in findings.dead_letters.routes):
        return True
    if any(each.outcome == "queue" and each.cycle == "none" for each in findings.topology.dead_letters):
        return True
    return False if any(map(_known, findings.topology.channels)) else None


def _known(channel: Channel) -> bool:
    """Whether it is a queue whose arguments are known, so that a dead-letter exchange would be."""
    return channel.kind == "queue" and bool(
        channel.inspected or any(not form.get("passive") for form in channel.settings if form)
    )


def critical_flows(flows: tuple[Flow, ...]) -> list[dict[str, Any]]:
    """Flows that go between services, those of most messages first."""
    between = [(flow, reached) for flow in flows for reached in [services(flow)] if len(reached) > 1]
    between.sort(key=lambda each: (-sum(step.messages for step in each[0].steps), each[0].group, each[0].name))
    return [
        {
            "group": flow.group,
            "name": flow.name,
            "triggered": flow.triggered,
            "messages": sum(step.messages for step in flow.steps),
            "services": reached,
            "end_to_end": value(flow.end_to_end),
            "failed_executions": sum(each.executions for each in flow.variants if each.failed),
            "evidence": value(flow.evidence),
        }
        for flow, reached in between[:CRITICAL]
    ]


def services(flow: Flow) -> list[str]:
    """The services that a flow goes through."""
    return sorted(
        {flow.trigger.service}
        | {step.publisher.service for step in flow.steps}
        | {delivery.place.service for step in flow.steps for delivery in step.deliveries}
    )


def _resilience(score: Score) -> dict[str, Any]:
    """What a score comes from, and what would raise it."""
    return {
        "points": score.points,
        "of": 100,
        "best": score.best,
        "known": score.known,
        "raised_by": [
            {"check": each["check"], "state": each["state"], "reason": each["reason"], "remedy": each["remedy"]}
            for each in map(value, score.criteria)
            if each["remedy"]
        ],
    }
