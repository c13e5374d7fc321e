"""kafka: how a client goes back to brokers that it does not reach.

What it is told is among a connection's facts. Recorded is each failure, where the client decides how long it stays away:
`KafkaConnectionManager.update_backoff`, which nothing calls while all goes well. kafka-python has it since 3.0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from msgtrace.hook import Observe, Point
from msgtrace.hooks.kafka_clients import connection

if TYPE_CHECKING:
    from msgtrace.records import Message


def backed_off(result: Any, self: Any, node_id: Any) -> Message | None:
    """A broker that was not reached, for the `attempt`th time in a row."""
    known = self._backoff.get(node_id)
    if type(result) not in {int, float} or node_id == "metadata" or known is None:
        return None
    return {
        "channel_kind": "retry",
        "connection": connection(self, self.config),
        "attempt": known[0],
        "outcome": "raised",
        "settings": {
            "action": "reconnect",
            "sleep_s": result / 1000,
            "then": "again",
            "loop": f"{id(self)} {node_id}",
        },
    }


POINTS: Final = (
    Point(
        "kafka.net.manager:KafkaConnectionManager.update_backoff",
        Observe(kind="call", read=backed_off),
        versions=">=3",
    ),
)
