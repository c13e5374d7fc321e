"""What brought a message back from one attempt to the next, and what became of it after the last. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from msgtrace_analysis.passes.attempt_groups import AGAIN, DEAD

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from msgtrace_analysis.findings import Certainty, Mechanism, Then
    from msgtrace_analysis.passes.attempt_groups import Forward, Group, Receive

CLAIMS: Final = frozenset({"XCLAIM", "XAUTOCLAIM"})


@dataclass(frozen=True, slots=True)
class Hop:
    """The way from one attempt to the next.

    Attributes:
        route: channels in between, in order, the next attempt's own the last.
        began_ns: when it began: the attempt before was over, as far as that is known.
    """

    mechanism: Mechanism
    certainty: Certainty
    reason: str
    route: tuple[str, ...]
    began_ns: int


@dataclass(frozen=True, slots=True)
class Known:
    """What declarations tell.

    Attributes:
        delayed: exchanges that delay messages.
        bound: queues by exchange and routing key.
        dead: for each queue with a dead-letter exchange, where that leads to; empty where bindings don't tell.
        declared: queues whose arguments are known.
        unacknowledged: (service, queue) whose messages are acknowledged when they are delivered.
    """

    delayed: Collection[str]
    bound: Mapping[tuple[str, str], tuple[str, ...]]
    dead: Mapping[str, tuple[str, ...]]
    declared: Collection[str]
    unacknowledged: Collection[tuple[str, str]]


def targets(way: Forward, known: Known) -> tuple[str, ...]:
    """The queues, topics, ... that a send came to, as far as bindings tell; else what it was addressed to."""
    if way.channel_kind != "exchange" or way.channel == "":
        return (way.target,)
    return known.bound.get((way.channel, way.routing_key)) or (way.channel,)


def hops(group: Group, known: Known) -> tuple[Hop, ...]:
    """What brought a message from each attempt to the next."""
    first = group.attempts[0]
    return tuple(
        _by_broker(before, after) if way is None else _by_consumer(first, before, after, way, known)
        for before, after, way in zip(group.attempts, group.attempts[1:], group.ways, strict=False)
    )


def _by_consumer(first: Receive, before: Receive, after: Receive, way: Forward, known: Known) -> Hop:
    certainty: Certainty = "exact" if way.certainty == "exact" else "likely"
    how = f"its handler sent the same {way.told_by} on"
    if way.channel in known.delayed or (way.delay is not None and way.channel_kind == "exchange"):
        reason = f"{how} through an exchange that delays"
        return Hop("delayed exchange", certainty, reason, (way.channel, after.channel), way.at_ns)
    waited = _expired(after, before)
    if waited:
        reason = f"{how} to a queue where it expired"
        return Hop("retry queue", certainty, reason, (*waited, after.channel), way.at_ns)
    to = targets(way, known)
    same = after.channel == before.channel == first.channel
    if same and (before.channel in to or (way.channel == before.exchange and way.routing_key == before.routing_key)):
        return Hop("republish", certainty, f"{how} to where it had it from", (after.channel,), way.at_ns)
    if after.of_log:
        return Hop("retry topic", certainty, f"{how} to another topic", (after.channel,), way.at_ns)
    through = () if to == (after.channel,) else to
    return Hop("retry queue", certainty, f"{how} to another channel", (*through, after.channel), way.at_ns)


def _by_broker(before: Receive, after: Receive) -> Hop:
    over = before.at_ns if before.settled_ns is None else before.settled_ns
    waited = _expired(after, before)
    if len(after.deaths) and (waited or _died_since(after, before)):
        route = (*waited, after.channel)
        return Hop("dead-letter exchange", "exact", "x-death names the queues that it came through", route, over)
    if before.settled == "requeue":
        certainty: Certainty = "exact" if after.redelivered else "likely"
        return Hop("requeue", certainty, "it was given back and delivered again", (after.channel,), over)
    if after.command in CLAIMS:
        return Hop("stream claim", "exact", f"it was claimed with {after.command}", (after.channel,), before.at_ns)
    if before.settled_ns is None and after.redelivered and _new_connection(before, after):
        reason = "it was not settled when its connection ended, and delivered again on another"
        return Hop("reconnect", "likely", reason, (after.channel,), before.at_ns)
    if before.sought_ns is not None and before.connection == after.connection and before.sought_ns <= after.at_ns:
        return Hop("seek back", "exact", "its consumer went back to it", (after.channel,), before.sought_ns)
    if after.of_log:
        if _new_connection(before, after):
            return Hop("reconnect", "likely", "another consumer read the log again", (after.channel,), before.at_ns)
        return Hop("seek back", "likely", "the same consumer read the log again", (after.channel,), before.at_ns)
    if after.channel_kind == "stream" and after.redelivered:
        return Hop("pending read", "exact", "it was read again from what was pending", (after.channel,), before.at_ns)
    return Hop("unknown", "guess", "it was received again", (after.channel,), over)


def _new_connection(before: Receive, after: Receive) -> bool:
    return before.process != after.process or before.connection != after.connection


def _expired(after: Receive, before: Receive) -> tuple[str, ...]:
    """Queues in which a message expired since an attempt, the first one first."""
    counts = {(each.queue, each.reason): each.count for each in before.deaths}
    return tuple(
        each.queue
        for each in reversed(after.deaths)
        if each.reason == "expired" and each.queue != after.channel
        and each.count > (counts.get((each.queue, each.reason), 0) if after.message == before.message else 0)
    )  # fmt: skip


def _died_since(after: Receive, before: Receive) -> bool:
    return sum(each.count for each in after.deaths) > sum(each.count for each in before.deaths)


@dataclass(frozen=True, slots=True)
class End:
    """What became of a message after its last attempt.

    Attributes:
        then: `unknown` where it succeeded or was still under way.
        failed: it did not succeed; None where that can't be told.
        to: where it went.
        by: what took it there: `exchange`, `publish`, or ''.
    """

    then: Then
    failed: bool | None
    to: str = ""
    by: str = ""
    certainty: Certainty = "exact"


def end(group: Group, known: Known, within: Collection[str]) -> End:
    """What became of a group's message.

    Args:
        group: the attempts.
        known: what declarations tell.
        within: channels that messages go through from one attempt to the next.
    """
    last = group.attempts[-1]
    dead = _by_exchange(group, last, known, within)
    if dead is not None:
        return dead
    away = _sent_away(group, known, within)
    if away is not None:
        return away
    if last.handled == "raised":
        if (last.place.service, last.channel) in known.unacknowledged:
            return End("dropped", failed=True)
        if last.settled in {"ack", "commit"}:
            return End("acknowledged", failed=True)
        return End("unknown", failed=None)
    if last.settled in {"ack", "commit"}:
        return End("unknown", failed=False, certainty="likely")
    if last.settled == "requeue" or group.last:
        return End("unknown", failed=None)
    if (last.channel_kind == "list" or last.of_log) and last.settled is None:
        return End("unknown", failed=False, certainty="likely")
    return End("unknown", failed=None)


def _by_exchange(group: Group, last: Receive, known: Known, within: Collection[str]) -> End | None:
    """Whether the broker made a dead letter of a message, or dropped it."""
    for each in group.elsewhere:
        if each.channel not in within and any(death.queue == last.channel for death in each.deaths):
            return End("dead letter", failed=True, to=each.channel, by="exchange")
    if not last.refused:
        return None
    if last.channel not in known.dead:
        return End("dropped", failed=True, certainty="exact" if last.channel in known.declared else "likely")
    found = known.dead[last.channel]
    if any(each in within for each in found):
        return End("unknown", failed=None)
    return End("dead letter", failed=True, to=", ".join(found), by="exchange", certainty="likely")


def _sent_away(group: Group, known: Known, within: Collection[str]) -> End | None:
    """Whether the last attempt sent its message to somewhere that it doesn't come back from."""
    found = [
        (way, to) for way in group.last for to in targets(way, known)
        if to not in within and not (AGAIN.search(to) and not DEAD.search(to))
    ]  # fmt: skip
    if not found:
        return None
    ranked = sorted(found, key=lambda pair: (not DEAD.search(pair[1]), pair[0].send_id))
    way, to = ranked[0]
    if not DEAD.search(to) and len(group.attempts) == 1:
        return None  # passing a message on is what many consumers do
    certainty: Certainty = "exact" if way.certainty == "exact" else "likely"
    return End("dead letter", failed=True, to=to, by="publish", certainty=certainty)


def route_of(hops: Iterable[Hop]) -> tuple[str, ...]:
    """The channels that messages go through, in the order of the longest way."""
    ways: dict[str, None] = {}
    for each in hops:
        ways |= dict.fromkeys(each.route)
    return tuple(ways)


def most(values: Sequence[str]) -> str:
    """The most frequent; of equals the first by name."""
    return min(set(values), key=lambda each: (-values.count(each), each))
