"""aio_pika: what a robust connection is told of connecting again. Each attempt is a `connect` of aiormq's.

Wrapped is `RobustConnection.__init__`, for a connection that waits for its broker returns from nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from msgtrace import interning
from msgtrace.hook import Observe, Point
from msgtrace.policy_parts import plain

if TYPE_CHECKING:
    from msgtrace.records import Message

_PORTS: Final = {"amqp": 5672, "amqps": 5671}


def made(result: Any, self: Any, url: Any, *args: Any, **kwargs: Any) -> Message | None:
    """A connection that will be made again whenever it is lost."""
    held = self.__dict__
    if "reconnect_interval" not in held:
        return None  # it raised
    scheme = url.scheme
    return {
        "channel_kind": "retry",
        "connection": interning.server(url.host, url.port or _PORTS.get(scheme, 0), tls=scheme == "amqps"),
        "settings": {
            "action": "retry policy",
            "library": "aio-pika",
            "reconnect_interval": plain(held["reconnect_interval"]),
            "fail_fast": plain(held.get("fail_fast")),
        },
    }


POINTS: Final = (Point("aio_pika.robust_connection:RobustConnection.__init__", Observe(kind="declare", read=made)),)
