"""circuitbreaker: circuit breakers as they are declared, their changes of state, and the calls that an open one refused.

Wrapped: `CircuitBreaker.decorate`, at which a breaker has its name; the method that counts a failure; `reset`, which every
success ends in; the making of a `CircuitBreakerError`. A breaker that decorates nothing is declared by its first failure.

Not seen: that a breaker is half open, which is a matter of time alone: the call that finds it so closes or opens it again;
calls that one with a fallback function answers by that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from weakref import ref

from msgtrace.breaker_events import changed, declared, refused
from msgtrace.hook import Hook, Observe, Point
from msgtrace.policy_parts import name_of, plain

if TYPE_CHECKING:
    from msgtrace.records import Message

_met: Final[dict[int, ref[Any]]] = {}
"""Breakers that have been declared, by identity."""
_open: Final[dict[int, ref[Any]]] = {}
"""Breakers that a failure has opened and nothing has closed since, by identity."""


def _note(breaker: Any, seen: dict[int, ref[Any]]) -> bool:
    """Whether a breaker was not there yet; from now on it is."""
    identity = id(breaker)
    known = seen.get(identity)
    if known is not None and known() is breaker:
        return False
    seen[identity] = ref(breaker, lambda _: seen.pop(identity, None))
    return True


def _declared(breaker: Any, function: Any = None) -> Message:
    held = object.__getattribute__(breaker, "__dict__")
    fallback = held.get("_fallback_function")
    return declared(
        breaker,
        held.get("_name"),
        function,
        error_threshold=plain(held.get("_failure_threshold")),
        reset_timeout_s=plain(held.get("_recovery_timeout")),
        success_threshold=1,
        fallback=None if fallback is None else name_of(fallback),
    )


def decorated(result: Any, self: Any, function: Any) -> Message | None:
    """A function that a breaker guards."""
    if result is None:
        return None
    _note(self, _met)
    return _declared(self, function)


def failed(result: Any, self: Any) -> list[Message]:
    """A failure, of which only those are told that open the breaker."""
    held = object.__getattribute__(self, "__dict__")
    found = [_declared(self)] if _note(self, _met) else []
    if held.get("_state") == "open":
        was_closed = _note(self, _open)
        failures = plain(held.get("_failure_count")) if was_closed else None
        found.append(changed(self, held.get("_name"), "open", "closed" if was_closed else "half-open", failures))
    return found


def reset(result: Any, self: Any) -> Message | None:
    """A success, or the program's will."""
    known = _open.get(id(self))
    if known is None or known() is not self:
        return None
    del _open[id(self)]
    return changed(self, object.__getattribute__(self, "__dict__").get("_name"), "closed", "half-open")


def error_made(result: Any, self: Any, circuit_breaker: Any, *args: Any, **kwargs: Any) -> Message:
    """A call that was refused."""
    return refused(circuit_breaker, object.__getattribute__(circuit_breaker, "__dict__").get("_name"))


HOOK = Hook(
    library="circuitbreaker",
    system="circuitbreaker",
    distribution="circuitbreaker",
    versions=">=2,<3",
    points=(
        Point("circuitbreaker:CircuitBreaker.decorate", Observe(kind="declare", read=decorated)),
        Point("circuitbreaker:CircuitBreaker._CircuitBreaker__call_failed", Observe(kind="call", read=failed)),
        Point("circuitbreaker:CircuitBreaker.reset", Observe(kind="call", read=reset)),
        Point("circuitbreaker:CircuitBreakerError.__init__", Observe(kind="call", read=error_made)),
    ),
)
