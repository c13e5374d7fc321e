"""kombu: the retry policies that publishing and connecting are done with. Once a policy and process.

Wrapped: `Connection.ensure`, with which a producer publishes when it is to retry, and `_ensure_connection`, with which it
connects again.

Not seen: the attempts, and the messages: those have no hook.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from msgtrace import interning
from msgtrace.hook import Hook, Observe, Point
from msgtrace.policy_parts import Places, plain

if TYPE_CHECKING:
    from msgtrace.records import Message

_places: Final = Places()


def _declared(what: str, limit: Any, start: Any, step: Any, longest: Any) -> Message | None:
    found = plain(limit), plain(start), plain(step), plain(longest)
    if not _places.is_new((what, *map(str, found))):
        return None
    names = ("max_retries", "interval_start", "interval_step", "interval_max")
    return {
        "channel": interning.text(what),
        "channel_kind": "retry",
        "settings": {"action": "retry policy", **dict(zip(names, found, strict=True))},
    }


def ensured(
    result: Any,
    self: Any,
    obj: Any,
    fun: Any,
    errback: Any = None,
    max_retries: Any = None,
    interval_start: Any = 1,
    interval_step: Any = 1,
    interval_max: Any = 1,
    *args: Any,
    **kwargs: Any,
) -> Message | None:
    """A call that is to be repeated over lost connections: publishing, for the most part."""
    return _declared("publish", max_retries, interval_start, interval_step, interval_max)


def connected(
    result: Any,
    self: Any,
    errback: Any = None,
    max_retries: Any = None,
    interval_start: Any = 2,
    interval_step: Any = 2,
    interval_max: Any = 30,
    *args: Any,
    **kwargs: Any,
) -> Message | None:
    """Connecting, again and again."""
    return _declared("connect", max_retries, interval_start, interval_step, interval_max)


HOOK = Hook(
    library="kombu",
    system="kombu",
    distribution="kombu",
    versions=">=5.4,<6",
    points=(
        Point("kombu.connection:Connection.ensure", Observe(kind="declare", read=ensured)),
        Point("kombu.connection:Connection._ensure_connection", Observe(kind="declare", read=connected)),
    ),
)
