"""How failures are dealt with, as an agent needs it: retries, dead letters, breakers, promises of delivery. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from msgtrace_analysis.renderers.memory.brief import proof, short, some, where
from msgtrace_analysis.renderers.retry_values import delays_text, then_text
from msgtrace_analysis.renderers.values import value

if TYPE_CHECKING:
    from msgtrace_analysis.findings import (
        Breaker,
        Consumer,
        DeadRoute,
        DeclaredPolicy,
        Findings,
        Load,
        ObservedPolicy,
        Pressure,
        RetryPolicy,
        Score,
    )

REMEDY_CHARACTERS: Final = 400


def all_of(findings: Findings) -> list[dict[str, Any]]:
    """The system's score first, then retries, ways of dead messages, breakers, consumers, and what went wrong."""
    dead = findings.dead_letters
    return [
        *(_score(each) for each in findings.resilience.scores if each.scope == "system"),
        *(_observed(each) for each in findings.retrying.observed),
        *(_declared(each) for each in findings.retrying.declared),
        *(_route(each) for each in dead.routes),
        *(_breaker(each) for each in findings.breakers.breakers),
        *(_consumer(each) for each in findings.guarantees.consumers),
        *(_load(each) for each in findings.guarantees.loads),
        *(_pressure(each) for each in findings.guarantees.pressures),
        *(_failed("never succeeded", each.channel, where(each.place), each.messages, each) for each in dead.poison),
        *(_failed(each.how, each.channel, where(each.place), each.messages, each) for each in dead.dropped),
    ]


def _score(each: Score) -> dict[str, Any]:
    return {
        "name": "resilience score",
        "what": "score",
        "points_of_100": each.points,
        "best_if_unknown_were_well": each.best,
        "known": each.known,
        "raised_by": some(
            (
                f"{check['check']} ({check['state']}): {check['reason']} {check['remedy']}"
                for check in map(value, each.criteria)
                if check["remedy"]
            ),
            REMEDY_CHARACTERS,
        ),
    }


def _policy(policy: RetryPolicy) -> dict[str, Any]:
    return {
        "delays": delays_text(policy), "max_attempts": policy.max_attempts, "then": short(then_text(policy)),
    }  # fmt: skip


def _observed(each: ObservedPolicy) -> dict[str, Any]:
    return {
        "name": short(f"{each.service} on {each.channel}"),
        "what": "retry policy, observed",
        "place": where(each.place),
        "events": some(each.events),
        "mechanism": each.mechanism,
        "route": some(each.route),
        **_policy(each.policy),
        "messages": each.groups,
        "recovered": each.recovered,
        "given_up": each.exhausted,
        "errors": dict(each.errors),
        "note": each.note or None,
        "evidence": proof(each.evidence),
    }


def _declared(each: DeclaredPolicy) -> dict[str, Any]:
    return {
        "name": short(f"{each.service} on {each.channel or each.place.name}"),
        "what": "retry policy, declared",
        "by": each.source,
        "place": where(each.place),
        **_policy(each.policy),
        "settings": dict(each.settings) or None,
        "evidence": proof(each.evidence),
    }


def _route(each: DeadRoute) -> dict[str, Any]:
    return {
        "name": short(each.source),
        "what": "way back for a retry" if each.retry else "way of dead messages",
        "by": each.by,
        "exchange": each.exchange,
        "routing_key": each.routing_key,
        "to": some(each.targets),
        "declared": each.declared,
        "observed": each.observed,
        "messages": each.messages,
        "reasons": dict(each.reasons),
        "retention": list(each.retention),
        "redriven": each.redriven,
        "evidence": proof(each.evidence),
    }


def _breaker(each: Breaker) -> dict[str, Any]:
    return {
        "name": short(each.name),
        "what": "circuit breaker" if each.library else "circuit breaker, told from failures and silences",
        "library": each.library or None,
        "place": where(each.place),
        "error_threshold": each.error_threshold,
        "timeout_s": each.timeout_s,
        "reset_timeout_s": each.reset_timeout_s,
        "openings": each.openings,
        "evidence": proof(each.evidence),
    }


def _consumer(each: Consumer) -> dict[str, Any]:
    return {
        "name": short(f"{each.service} on {each.channel}"),
        "what": "delivery",
        "group": each.group or None,
        "guarantee": each.guarantee,
        "acknowledges": f"{each.mode}, {each.moment}",
        "because": short(value(each)["reason"]),
        "certainty": each.certainty,
        "evidence": proof(each.evidence),
    }


def _load(each: Load) -> dict[str, Any]:
    return {
        "name": short(f"{each.service} on {each.channel}"),
        "what": "limits and load",
        "group": each.group or None,
        "limit": each.limit,
        "limit_name": each.limit_name or None,
        "most_in_flight": each.in_flight,
        "most_handlers_at_once": each.at_once,
        "handler_ms": {"median": each.p50_ms, "p95": each.p95_ms, "longest": each.longest_ms},
        "saturated": each.saturated,
        "because": short(each.reason),
        "evidence": proof(each.evidence),
    }


def _pressure(each: Pressure) -> dict[str, Any]:
    return {
        "name": short(f"{each.service} on {each.channel}"),
        "what": f"back-pressure: {each.kind}",
        "operation": each.operation,
        "error": short(each.error),
        "evidence": proof(each.evidence),
    }


def _failed(how: str, channel: str, place: str, messages: int, each: Any) -> dict[str, Any]:
    return {
        "name": short(f"{each.name} on {channel}"),
        "what": f"messages that failed: {how}",
        "place": place,
        "messages": messages,
        "errors": dict(each.errors),
        "evidence": proof(each.evidence),
    }
