"""Writes retry policies and dead letters: for EVENT_FLOWS.json, and in a few words for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgtrace_analysis.renderers.json_values import evidence, place

if TYPE_CHECKING:
    from msgtrace_analysis.findings import (
        Attempt,
        DeadLetters,
        DeadRoute,
        DeclaredPolicy,
        Dropped,
        ObservedPolicy,
        Poison,
        PolicyDifference,
        Retrying,
        RetryPolicy,
    )


def retrying(value: Retrying) -> dict[str, Any]:
    """All policies."""
    return {
        "observed": [observed(each) for each in value.observed],
        "declared": [declared(each) for each in value.declared],
        "differences": [_difference(each) for each in value.differences],
    }


def policy(value: RetryPolicy) -> dict[str, Any]:
    """A policy, declared or observed."""
    return {
        "kind": value.kind,
        "initial_delay_s": value.initial_delay_s,
        "multiplier": value.multiplier,
        "step_s": value.step_s,
        "max_delay_s": value.max_delay_s,
        "jitter": value.jitter,
        "max_attempts": value.max_attempts,
        "then": value.then,
        "then_to": value.then_to or None,
    }


def observed(value: ObservedPolicy) -> dict[str, Any]:
    """How one consumer's messages were tried again."""
    return {
        "service": value.service,
        "system": value.system,
        "channel": value.channel,
        "place": place(value.place),
        "events": list(value.events),
        "mechanism": value.mechanism,
        "mechanism_certainty": value.mechanism_certainty,
        "reasons": list(value.reasons),
        "route": list(value.route),
        "policy": policy(value.policy),
        "fit_error": None if value.fit_error is None else round(value.fit_error, 4),
        "messages": value.groups,
        "given_up": value.exhausted,
        "recovered": value.recovered,
        "grouped_by": dict(value.grouped_by),
        "errors": dict(value.errors),
        "waits": [
            {
                "attempt": each.attempt,
                "seen": each.seen,
                "shortest_s": each.shortest_s,
                "median_s": each.median_s,
                "longest_s": each.longest_s,
                "fitted_s": each.fitted_s,
            }
            for each in value.waits
        ],
        "examples": [[_attempt(each) for each in group] for group in value.examples],
        "note": value.note or None,
        "evidence": evidence(value.evidence),
    }


def _attempt(value: Attempt) -> dict[str, Any]:
    return {
        "operation_id": value.operation_id,
        "number": value.number,
        "delay_s": value.delay_s,
        "result": value.result,
        "error_type": value.error_type or None,
    }


def declared(value: DeclaredPolicy) -> dict[str, Any]:
    """A policy that code or configuration states."""
    return {
        "source": value.source,
        "service": value.service,
        "system": value.system,
        "channel": value.channel or None,
        "place": place(value.place),
        "policy": policy(value.policy),
        "evidence": evidence(value.evidence),
    }


def _difference(value: PolicyDifference) -> dict[str, Any]:
    return {
        "source": value.declared.source,
        "service": value.observed.service,
        "channel": value.observed.channel,
        "field": value.field,
        "declared": value.declared_value,
        "observed": value.observed_value,
        "certainty": value.certainty,
    }


def dead_letters(value: DeadLetters) -> dict[str, Any]:
    """Where messages end that could not be handled."""
    return {
        "routes": [_route(each) for each in value.routes],
        "poison": [poison(each) for each in value.poison],
        "dropped": [dropped(each) for each in value.dropped],
    }


def _route(value: DeadRoute) -> dict[str, Any]:
    return {
        "system": value.system,
        "source": value.source,
        "by": value.by,
        "exchange": value.exchange,
        "routing_key": value.routing_key,
        "targets": list(value.targets),
        "declared": value.declared,
        "observed": value.observed,
        "retry": value.retry,
        "reasons": dict(value.reasons),
        "messages": value.messages,
        "median_age_s": value.median_age_s,
        "oldest_s": value.oldest_s,
        "retention": list(value.retention),
        "redriven": value.redriven,
        "redriven_by": list(value.redriven_by),
        "certainty": value.certainty,
        "evidence": evidence(value.evidence),
    }


def poison(value: Poison) -> dict[str, Any]:
    """Messages that never succeeded."""
    return {
        "event": value.event,
        "system": value.system,
        "channel": value.channel,
        "place": place(value.place),
        "messages": value.messages,
        "of": value.of,
        "attempts": value.attempts,
        "errors": dict(value.errors),
        "end": dict(value.end),
        "evidence": evidence(value.evidence),
    }


def dropped(value: Dropped) -> dict[str, Any]:
    """Messages that are gone."""
    return {
        "event": value.event,
        "system": value.system,
        "channel": value.channel,
        "place": place(value.place),
        "how": value.how,
        "messages": value.messages,
        "errors": dict(value.errors),
        "evidence": evidence(value.evidence),
    }


def seconds(value: float) -> str:
    """A delay, to three digits.

    >>> seconds(0.05), seconds(2.5), seconds(90.0)
    ('50 ms', '2.5 s', '90 s')
    """
    return f"{value * 1000:.3g} ms" if value < 1 else f"{value:.4g} s"


def delays_text(value: RetryPolicy) -> str:
    """How long a policy waits, in a few words.

    >>> from msgtrace_analysis.findings import RetryPolicy
    >>> delays_text(RetryPolicy("exponential", 0.1, 2.0, 1.0, 0.1, 5, "dead letter", "dead"))
    'exponential from 100 ms, times 2, at most 1 s, jitter 10%'
    """
    if value.kind in {"immediate", "unknown"} or value.initial_delay_s is None:
        return "at once" if value.kind == "immediate" else "unknown"
    jitter = f", jitter {value.jitter:.0%}" if value.jitter else ""
    if value.kind == "fixed":
        return f"fixed {seconds(value.initial_delay_s)}{jitter}"
    growth = f", times {value.multiplier:.3g}" if value.multiplier is not None else ""
    growth += f", {seconds(value.step_s)} more each time" if value.step_s is not None else ""
    most = f", at most {seconds(value.max_delay_s)}" if value.max_delay_s is not None else ""
    return f"{value.kind} from {seconds(value.initial_delay_s)}{growth}{most}{jitter}"


def then_text(value: RetryPolicy) -> str:
    """What follows the last attempt, in a few words."""
    return f"{value.then} to {value.then_to}" if value.then_to else value.then
