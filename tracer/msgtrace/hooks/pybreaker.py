"""pybreaker: circuit breakers as they are declared, their changes of state, and the calls that an open one refused.

Wrapped: `CircuitBreaker.__init__`; `_create_new_state`, which every change of state ends in, a listener's or another
process's too; `CircuitOpenState.before_call`, which refuses.

Not seen: calls that a breaker lets through; a failure count that is kept in Redis.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from msgtrace.breaker_events import changed, declared, refused
from msgtrace.hook import Hook, Observe, Point
from msgtrace.policy_parts import plain

if TYPE_CHECKING:
    from msgtrace.records import Message

_SETTINGS: Final = {
    "fail_max": "error_threshold",
    "reset_timeout": "reset_timeout_s",
    "success_threshold": "success_threshold",
}


def made(result: Any, self: Any, *args: Any, **kwargs: Any) -> Message | None:
    """A breaker's settings; None when making it raised."""
    held = object.__getattribute__(self, "__dict__")
    if "_throw_new_error_on_trip" not in held:
        return None
    settings = {ours: plain(held.get(f"_{name}")) for name, ours in _SETTINGS.items()}
    return declared(self, held["_name"], excluded=plain(held["_excluded_exceptions"]), **settings)


def state_made(result: Any, self: Any, new_state: Any, prev_state: Any = None, notify: bool = False) -> Message | None:
    """A change of state; the first state is none."""
    if not notify or result is None:
        return None
    held = object.__getattribute__(self, "__dict__")
    before = object.__getattribute__(prev_state, "__dict__").get("_name") if prev_state is not None else None
    storage = held.get("_state_storage")
    failures = storage.counter if type(storage).__name__ == "CircuitMemoryStorage" else None
    return changed(self, held.get("_name"), plain(new_state), plain(before), plain(failures) if failures else None)


def before_called(result: Any, self: Any, *args: Any, **kwargs: Any) -> Message | None:
    """A call that an open breaker refused: it is open still, in the very state that was asked."""
    breaker = self._breaker
    held = object.__getattribute__(breaker, "__dict__")
    return refused(breaker, held.get("_name")) if held.get("_state") is self else None


HOOK = Hook(
    library="pybreaker",
    system="pybreaker",
    distribution="pybreaker",
    versions=">=1.2,<2",
    points=(
        Point("pybreaker:CircuitBreaker.__init__", Observe(kind="declare", read=made)),
        Point("pybreaker:CircuitBreaker._create_new_state", Observe(kind="call", read=state_made)),
        Point("pybreaker:CircuitOpenState.before_call", Observe(kind="call", read=before_called)),
    ),
)
