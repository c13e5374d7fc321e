"""aiobreaker: circuit breakers as they are declared, their changes of state, and the calls that an open one refused.

Wrapped: `CircuitBreaker.__init__`; `_create_new_state`, which every change of state ends in; the two methods of
`CircuitOpenState` that refuse a call.

Not seen: calls that a breaker lets through; a failure count that is kept in Redis.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from msgtrace.breaker_events import changed, declared, refused
from msgtrace.hook import Hook, Observe, Point
from msgtrace.policy_parts import plain

if TYPE_CHECKING:
    from msgtrace.records import Message

_STATES: Final = {"CLOSED": "closed", "OPEN": "open", "HALF_OPEN": "half-open"}


def made(result: Any, self: Any, *args: Any, **kwargs: Any) -> Message | None:
    """A breaker's settings; None when making it raised."""
    held = object.__getattribute__(self, "__dict__")
    if "_name" not in held:
        return None
    return declared(
        self,
        held["_name"],
        error_threshold=plain(held["_fail_max"]),
        reset_timeout_s=plain(held["_timeout_duration"]),
        success_threshold=1,
        excluded=plain(held["_excluded_exceptions"]),
    )


def _state(member: Any) -> str | None:
    return _STATES.get(getattr(member, "_name_", ""))


def state_made(result: Any, self: Any, new_state: Any, prev_state: Any = None, notify: bool = False) -> Message | None:
    """A change of state; the first state is none."""
    if not notify or result is None:
        return None
    held = object.__getattribute__(self, "__dict__")
    before = object.__getattribute__(prev_state, "__dict__").get("_state") if prev_state is not None else None
    storage = held.get("_state_storage")
    failures = storage.counter if type(storage).__name__ == "CircuitMemoryStorage" else None
    return changed(self, held.get("_name"), _state(new_state), _state(before), plain(failures) if failures else None)


def called(result: Any, self: Any, *args: Any, **kwargs: Any) -> Message | None:
    """A call that an open breaker refused: it is open still, in the very state that was asked."""
    held = object.__getattribute__(self._breaker, "__dict__")
    return refused(self._breaker, held.get("_name")) if held.get("_state") is self else None


HOOK = Hook(
    library="aiobreaker",
    system="aiobreaker",
    distribution="aiobreaker",
    versions=">=1.2,<2",
    points=(
        Point("aiobreaker.circuitbreaker:CircuitBreaker.__init__", Observe(kind="declare", read=made)),
        Point("aiobreaker.circuitbreaker:CircuitBreaker._create_new_state", Observe(kind="call", read=state_made)),
        Point("aiobreaker.state:CircuitOpenState.call", Observe(kind="call", read=called)),
        Point("aiobreaker.state:CircuitOpenState.call_async", Observe(kind="call", read=called)),
    ),
)
