"""kombu on Redis: which lists its consumers take messages from.

Wrapped: `Channel.basic_consume`, with which every consumer begins. Queues of fanout exchanges are not lists, but
subscriptions, which the hook of redis sees.

Not seen: the taking itself, for kombu writes BRPOP to the connection past the client's methods, and what becomes of the
messages. So a list has its consumer, and no receives.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from msgtrace import interning
from msgtrace.hook import Hook, Observe, Point
from msgtrace.hooks.redis_servers import connection

if TYPE_CHECKING:
    from msgtrace.records import Message

COMMAND: Final = "kombu's BRPOP"


def consumed(result: Any, self: Any, queue: Any, no_ack: Any = None, *args: Any, **kwargs: Any) -> Message | None:
    """A consumer of a queue that is a list."""
    if type(queue) is not str or queue in self._fanout_queues:
        return None
    message: Message = {
        "channel": interning.text(queue),
        "channel_kind": "list",
        "settings": {"command": COMMAND, "no_ack": no_ack if type(no_ack) is bool else None},
    }
    client = self.__dict__.get("client")
    if client is not None:  # it is made when it is first needed
        message["connection"] = connection(client)
    return message


HOOK = Hook(
    library="kombu",
    system="redis",
    distribution="kombu",
    versions=">=5.4,<6",
    points=(Point("kombu.transport.redis:Channel.basic_consume", Observe(kind="subscribe", read=consumed)),),
)
