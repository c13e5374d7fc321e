"""What becomes of a message that a queue gives up, as RabbitMQ has it. Pure; held against a real RabbitMQ by tests.

Sources: https://www.rabbitmq.com/docs/dlx, /docs/ttl, /docs/maxlength, /docs/quorum-queues, rabbit_dead_letter.erl.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from msgtrace_analysis.passes.routing import Router

Reason = Literal["rejected", "expired", "maxlen", "delivery_limit"]
MOST: Final = 1_000
"""Dead letters of one message that are followed: where each is copied to several queues, their number explodes."""
_SMALLER: Final = ("message-ttl", "max-length", "max-length-bytes", "expires", "delivery-limit")
"""Of argument and policy the smaller number counts; of everything else the argument."""


class TooManyWaysError(ValueError):
    """One message would become more dead letters than are followed."""


@dataclass(frozen=True, slots=True)
class QueueRules:
    """What a queue does with messages that it can't keep, by its arguments and policies together.

    Attributes:
        exchange: for dead letters; None: they are dropped.
        key: that they get; None: they keep theirs.
        ttl_ms: how long a message may stay.
        length: messages that it holds at most.
        length_bytes: of bodies, likewise.
        overflow: `drop-head`, `reject-publish` or `reject-publish-dlx`.
        delivery_limit: of a quorum queue: how often a message may come back.
        policy: the exchange for dead letters is a policy's.
    """

    name: str
    type: str = "classic"
    exchange: str | None = None
    key: str | None = None
    ttl_ms: int | None = None
    length: int | None = None
    length_bytes: int | None = None
    overflow: str = "drop-head"
    delivery_limit: int | None = None
    policy: bool = False

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """Why its messages can become dead letters; a message's own time to live comes on top."""
        found: list[Reason] = ["rejected"] if self.type != "stream" else []
        if self.ttl_ms is not None:
            found.append("expired")
        if (self.length is not None or self.length_bytes is not None) and self.overflow != "reject-publish":
            found.append("maxlen")
        if self.delivery_limit is not None:
            found.append("delivery_limit")
        return tuple(found)


def rules_of(name: str, arguments: Mapping[str, Any], policy: Mapping[str, Any] | None = None) -> QueueRules:
    """What a queue's arguments (`x-message-ttl`, ...) and its policies together (`message-ttl`, ...) come to."""
    said = {key.removeprefix("x-"): value for key, value in arguments.items() if key.startswith("x-")}
    whole = dict(policy or {}) | said
    for each in _SMALLER:
        numbers = [known[each] for known in (said, policy or {}) if _whole(known.get(each)) is not None]
        if numbers:
            whole[each] = min(numbers)
    exchange, key = whole.get("dead-letter-exchange"), whole.get("dead-letter-routing-key")
    return QueueRules(
        name=name,
        type=str(said.get("queue-type") or "classic"),
        exchange=exchange if isinstance(exchange, str) else None,
        key=key if isinstance(key, str) else None,
        ttl_ms=_whole(whole.get("message-ttl")),
        length=_whole(whole.get("max-length")),
        length_bytes=_whole(whole.get("max-length-bytes")),
        overflow=str(whole.get("overflow") or "drop-head"),
        delivery_limit=_whole(whole.get("delivery-limit")),
        policy=isinstance(exchange, str) and "dead-letter-exchange" not in said,
    )


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


@dataclass(frozen=True, slots=True)
class Letter:
    """A message as dead-lettering sees it.

    Attributes:
        keys: its routing keys.
        headers: its headers.
        ttl_ms: of its own; it loses it when it is dead-lettered.
        deaths: queue and reason, in the order of `x-death`, where the last one is the first.
    """

    keys: tuple[str, ...]
    headers: Mapping[str, Any]
    ttl_ms: int | None = None
    deaths: tuple[tuple[str, Reason], ...] = ()


@dataclass(frozen=True, slots=True)
class Death:
    """What came of one dead letter.

    Attributes:
        letter: as it goes on.
        queues: that it reaches.
        cycles: queues that it would reach, had it not come from there by itself: RabbitMQ drops it.
        unknown: it may reach others.
    """

    letter: Letter
    queues: frozenset[str]
    cycles: frozenset[str]
    unknown: bool


def die(router: Router, rules: QueueRules, reason: Reason, letter: Letter) -> Death:
    """A message leaves a queue as a dead letter."""
    last: tuple[str, Reason] = (rules.name, reason)
    # RabbitMQ 3.10 turns the array around before each death but the first (group_by_queue_and_reason): a rejection of long
    # ago may so come to stand before what followed it, and a circle without any rejection in it then has no end.
    deaths = (last, *(each for each in reversed(letter.deaths) if each != last))
    headers, keys = letter.headers, letter.keys
    if rules.key is not None:
        keys, headers = (rules.key,), {name: value for name, value in headers.items() if name != "CC"}
    onward = replace(letter, keys=keys, headers=headers, ttl_ms=None, deaths=deaths)
    if rules.exchange is None:
        return Death(onward, frozenset(), frozenset(), unknown=False)
    routed = router.route_keys(rules.exchange, keys, headers)
    # One that was rejected was somebody's will; see detect_cycles in rabbit_dead_letter.erl.
    cycles = frozenset(each for each in routed.queues if reason != "rejected" and _by_itself(each, deaths))
    return Death(onward, routed.queues - cycles, cycles, unknown=bool(routed.unknown))


def _by_itself(queue: str, deaths: Sequence[tuple[str, Reason]]) -> bool:
    """Whether it was in the queue, and no rejection stands before that."""
    for place, (name, _) in enumerate(deaths):
        if name == queue:
            return all(reason != "rejected" for _, reason in deaths[: place + 1])
    return False


def rest(
    router: Router, rules: Mapping[str, QueueRules], queues: Iterable[str], letter: Letter
) -> list[tuple[str, Letter]]:
    """Where the copies of a message end that nobody takes out of any queue: the queue, or '' where one is dropped.

    A message's own time to live counts as if nothing stood before it in its queue.

    Args:
        router: which has to know every exchange.
        rules: of the queues that give messages up.
        queues: that the message is in.
        letter: the message.

    Raises:
        TooManyWaysError: it would become too many.
    """
    ends: list[tuple[str, Letter]] = []
    left = [(queue, letter) for queue in queues]
    steps = 0
    while left:
        if (steps := steps + 1) > MOST:
            raise TooManyWaysError(f"more than {MOST} dead letters of one message")
        name, each = left.pop()
        known = rules.get(name, QueueRules(name))
        if known.ttl_ms is None and each.ttl_ms is None:
            ends.append((name, each))
            continue
        death = die(router, known, "expired", each)
        ends += [("", death.letter)] * (len(death.cycles) or not death.queues)
        left += [(queue, death.letter) for queue in death.queues]
    return ends
