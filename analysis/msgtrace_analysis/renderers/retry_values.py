"""Writes retry policies in a few words for people. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from msgtrace_analysis.findings import RetryPolicy


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
