"""Lays what is declared beside what was observed, and says where the two differ. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgtrace_analysis.findings import PolicyDifference

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from msgtrace_analysis.findings import DeclaredPolicy, ObservedPolicy, RetryPolicy

NEAR: Final = 0.15
"""The share by which a delay may be off."""
AT_LEAST_S: Final = 0.02
DELAYS: Final = ("initial_delay_s", "max_delay_s", "multiplier")
TTL: Final = "x-message-ttl"
"""How long a message waits at least: then it waits for its turn, as others do."""


def differences(declared: Sequence[DeclaredPolicy], observed: Sequence[ObservedPolicy]) -> tuple[PolicyDifference, ...]:
    """Every field in which a declared policy and an observed one of the same code or channel differ."""
    return tuple(
        PolicyDifference(one, other, field, wanted, seen, "likely" if other.groups >= 3 else "guess")
        for one in declared
        for other in observed
        if beside(one, other)
        for field, wanted, seen in _differing(one.policy, other.policy, at_least=one.source == TTL)
    )


def beside(declared: DeclaredPolicy, observed: ObservedPolicy) -> bool:
    """Whether a declaration is about what was observed."""
    if declared.source == TTL:
        return (
            declared.system == observed.system and declared.channel in observed.route[:-1] and len(observed.route) == 2
        )
    if declared.channel and declared.system == observed.system:
        # A queue may be declared by another service than the one that consumes from it; a function is one service's.
        own = declared.source.startswith("x-") or declared.service == observed.service
        return declared.channel == observed.channel and own
    same_site = bool(declared.place.site) and declared.place.site == observed.place.site
    same_name = bool(declared.place.name) and declared.place.name == observed.place.name
    return declared.service == observed.service and (same_site or same_name)


def _differing(one: RetryPolicy, other: RetryPolicy, *, at_least: bool) -> Iterator[tuple[str, str, str]]:
    if None not in {one.max_attempts, other.max_attempts} and one.max_attempts != other.max_attempts:
        yield "max_attempts", str(one.max_attempts), str(other.max_attempts)
    if one.max_attempts is None and one.then == "unknown" and other.kind == "immediate" and one.initial_delay_s:
        yield "kind", one.kind, other.kind
        return
    for field in DELAYS:
        wanted, seen = getattr(one, field), getattr(other, field)
        if wanted is None or seen is None:
            continue
        slack = max(NEAR, one.jitter or 0.0, other.jitter or 0.0) * wanted
        if abs(seen - wanted) > max(slack, AT_LEAST_S) and not (at_least and seen > wanted):
            yield field, f"{wanted:g}", f"{seen:g}"
    known = {"dead letter", "dropped", "acknowledged", "raised"}
    if one.then in known and other.then in known and one.then != other.then:
        yield "then", one.then, other.then
