"""redis: publish and subscribe, streams, and lists as queues, in all its clients.

Wrapped: `execute_command` of the clients, sync and asyncio, standalone, behind Sentinel and cluster, where a command is
chosen by its name, so that a GET costs one dictionary lookup; `execute` of the pipelines, whose queued commands become
an operation each, and what they run at once while watching; `PubSub.get_message`, `listen` and `handle_message`, which
is where a message is on its way to the program or to its handler.

Not seen: what scripts and functions do inside the server; what is sent past `execute_command`, as kombu does; lists
read without popping (LRANGE), streams by XRANGE, sorted sets as queues. More in docs/hooks/redis.md.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

from msgtrace.hook import Fetch, Hook, Late, Observe, Point, Send, Several
from msgtrace.hooks import redis_groups, redis_lists, redis_pubsub, redis_retries, redis_streams
from msgtrace.hooks.redis_pipelines import answered, answered_in_cluster, executing
from msgtrace.parts import WITHIN

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from msgtrace.hook import Action

COMMANDS: Final[dict[str, Action]] = {
    **redis_pubsub.COMMANDS,
    **redis_streams.COMMANDS,
    **redis_groups.COMMANDS,
    **redis_lists.COMMANDS,
}


def spelled(commands: Mapping[str, Action]) -> dict[str | bytes, Action]:
    """The commands as programs write them: redis-py itself in capitals, others in small letters, or in bytes.

    Not in bytes with `python -b`: a name and its bytes have the same hash, and to compare them is then a warning.
    """
    table: dict[str | bytes, Action] = {}
    for name, action in commands.items():
        for spelling in (name, name.lower(), name.capitalize()):
            table[spelling] = action
            if not sys.flags.bytes_warning:
                table[spelling.encode()] = action
    return table


def outside(commands: Mapping[str, Action]) -> dict[str, Action]:
    """The same actions, but not for what a cluster's pipeline sends again one by one: these are parts of it."""
    made = {id(action): _outside(action) for action in commands.values()}
    return {name: made[id(action)] for name, action in commands.items()}


def _outside(action: Action) -> Action:
    match action:
        case Send():
            return Send(read=_unless_within(action.read), done=action.done)
        case Fetch():
            return Fetch(read=_unless_within(action.read))
        case Observe():
            return Observe(kind=action.kind, read=_unless_within(action.read))
        case Several():
            return Several(split=_unless_within(action.split))
    raise TypeError(f"no command is a {type(action).__name__}")


def _unless_within(read: Callable[..., Any]) -> Callable[..., Any]:
    def reader(*args: Any, **options: Any) -> Any:
        return None if WITHIN.get() else read(*args, **options)

    return reader


_TABLE: Final = spelled(COMMANDS)
_CLUSTER_TABLE: Final = spelled(outside(COMMANDS))
_EXECUTE: Final = executing(_TABLE)


def _points(package: str, sharded: str = "", transactions: str = "") -> tuple[Point, ...]:
    """The points of the sync or of the asyncio half of the library, and since when it has what not all versions have."""
    client, cluster = f"{package}.client", f"{package}.cluster"
    return (
        Point(f"{client}:Redis.execute_command", table=_TABLE),
        Point(f"{client}:Pipeline.immediate_execute_command", table=_TABLE),
        Point(f"{client}:Pipeline.execute", _EXECUTE),
        Point(f"{client}:Pipeline.raise_first_error", Late(before=True, read=answered)),
        *redis_pubsub.points(client, sharded),
        Point(f"{cluster}:RedisCluster.execute_command", table=_CLUSTER_TABLE),
        Point(f"{cluster}:ClusterPipeline.execute", _EXECUTE),
        Point(
            f"{cluster}:TransactionStrategy._raise_first_error",
            Late(before=True, read=answered_in_cluster),
            versions=transactions,
        ),
        Point(
            f"{cluster}:ClusterPubSub.ssubscribe",
            Send(kind="subscribe", read=redis_pubsub.sharding),
            versions=sharded,
        ),
    )


HOOK = Hook(
    library="redis",
    system="redis",
    distribution="redis",
    versions=">=5,<9",
    points=(
        *_points("redis", transactions=">=6.1"),
        Point("redis.client:PubSub.get_sharded_message", Fetch(read=redis_pubsub.got)),
        *_points("redis.asyncio", sharded=">=8", transactions=">=6.2"),
        *redis_retries.POINTS,
    ),
    found=(*redis_pubsub.GENERATORS, *redis_pubsub.found("redis"), *redis_pubsub.found("redis.asyncio")),
)
