"""purgatory: circuit breakers as they are declared, their changes of state, and the calls that an open one refused.

Wrapped: `get_breaker` of both factories, `Context.set_state`, and `OpenedState.handle_new_request`, which refuses. A
breaker is declared once a name and settings.

Not seen: calls that a breaker lets through.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from msgtrace.breaker_events import changed, declared, refused
from msgtrace.hook import Hook, Observe, Point
from msgtrace.policy_parts import Places, plain

if TYPE_CHECKING:
    from msgtrace.records import Message

_STATES: Final = {"ClosedState": "closed", "OpenedState": "open", "HalfOpenedState": "half-open"}
_places: Final = Places()


def got(result: Any, self: Any, *args: Any, **kwargs: Any) -> Message | None:
    """A breaker that is about to be used."""
    if result is None:
        return None
    context = result.context
    name, threshold, ttl = plain(context.name), plain(context.threshold), plain(context.ttl)
    if not _places.is_new((name, threshold, ttl)):
        return None
    return declared(context, name, error_threshold=threshold, reset_timeout_s=ttl, success_threshold=1)


def state_set(result: Any, self: Any, state: Any) -> Message:
    """A change of state. One to `open` follows the failures that its predecessor had counted, or a probe's."""
    now = _STATES.get(type(state).__name__, "")
    before = {"closed": "half-open", "half-open": "open"}.get(now)
    return changed(self, plain(self.name), now, before)


def asked(result: Any, self: Any, context: Any) -> Message | None:
    """A call that was refused: the context is in the very state that was asked."""
    return refused(context, plain(context.name)) if context._state is self else None  # noqa: SLF001 - no public way to it


HOOK = Hook(
    library="purgatory",
    system="purgatory",
    distribution="purgatory",
    versions=">=3,<4",
    points=(
        Point("purgatory.service._sync.circuitbreaker:SyncCircuitBreakerFactory.get_breaker",
              Observe(kind="declare", read=got)),
        Point("purgatory.service._async.circuitbreaker:AsyncCircuitBreakerFactory.get_breaker",
              Observe(kind="declare", read=got)),
        Point("purgatory.domain.model:Context.set_state", Observe(kind="call", read=state_set)),
        Point("purgatory.domain.model:OpenedState.handle_new_request", Observe(kind="call", read=asked)),
    ),
)  # fmt: skip
