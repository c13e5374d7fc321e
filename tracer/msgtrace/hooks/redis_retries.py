"""redis: each time that a client tries again.

Recorded where a back-off is asked for the next delay, which happens after a failure only: what goes well costs nothing. A
back-off of the program's own class is not seen, nor what a cluster's client does when a node has moved.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

from msgtrace.hook import Observe, Point
from msgtrace.hooks import redis_servers
from msgtrace.policy_parts import error_name, plain

if TYPE_CHECKING:
    from types import FrameType

    from msgtrace.records import Message

NESTED: Final = 12
"""Frames between a back-off and the client whose it is."""


def backed_off(result: Any, self: Any, failures: Any) -> Message | None:
    """A failure that `Retry` takes for one that may pass, and how long it waits before it tries again."""
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001 - the documented way to a frame without a traceback
    for _ in range(NESTED):
        if frame is None or frame.f_code.co_name == "call_with_retry":
            break
        frame = frame.f_back
    if frame is None or frame.f_code.co_name != "call_with_retry" or type(failures) is not int:
        return None  # a cluster's client, or the program itself, asks by other ways
    message: Message = {
        "channel_kind": "retry",
        "attempt": failures,
        "outcome": "raised",
        "settings": {
            "action": "reconnect",
            "error": error_name(sys.exc_info()[1]),
            "sleep_s": plain(result),
            "then": "again",
            "loop": id(frame),
        },
    }
    number = _connection(frame.f_back)
    if number:
        message["connection"] = number
    return message


def _connection(frame: FrameType | None) -> int:
    """Of the client or pool for which a `Retry` runs; of the connection alone where that is nobody's."""
    alone = None
    for _ in range(NESTED):
        if frame is None or not str(frame.f_globals.get("__name__", "")).startswith("redis."):
            break
        owner = frame.f_locals.get("self")
        held = getattr(owner, "__dict__", {})
        if "connection_pool" in held:
            return redis_servers.connection(owner)
        if "connection_kwargs" in held:
            return redis_servers.pooled(owner)
        if "retry" in held and alone is None:
            alone = owner
        frame = frame.f_back
    return 0 if alone is None else redis_servers.own(alone)


_COMPUTE: Final = Observe(kind="call", read=backed_off)
POINTS: Final = (
    *(
        Point(f"redis.backoff:{name}.compute", _COMPUTE)
        for name in (
            "ConstantBackoff",
            "ExponentialBackoff",
            "FullJitterBackoff",
            "EqualJitterBackoff",
            "DecorrelatedJitterBackoff",
        )
    ),
    Point("redis.backoff:ExponentialWithJitterBackoff.compute", _COMPUTE, versions=">=6"),
)
