"""Puts the receives and forwards of one message together: every time that one consumer had it, in order. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from msgtrace_analysis.findings import Place

DEAD: Final = re.compile(r"dead|dlq|dlx|dlt|poison|parking|parked|\bfailed\b|quarantine", re.IGNORECASE)
"""Names of where messages go to stay."""
AGAIN: Final = re.compile(r"retr(?:y|ies)|delay|backoff|wait|later|requeue", re.IGNORECASE)
"""Names of where messages go to come back."""


@dataclass(frozen=True, slots=True)
class Death:
    """An entry of `x-death` (https://www.rabbitmq.com/docs/dlx#effects), the latest first."""

    queue: str
    reason: str
    exchange: str
    count: int


@dataclass(frozen=True, slots=True)
class Receive:
    """One time that a consumer had a message. Times are nanoseconds.

    Attributes:
        handled: how the handler's call ended, where it is called; `settled` the last settlement.
        sought_ns: when its consumer went back to it.
        command: of Redis, that it was had with.
    """

    message: str
    operation_id: int
    at_ns: int
    system: str
    channel: str
    channel_kind: str
    routing_key: str
    exchange: str
    group: str
    place: Place
    event: str
    name: str
    redelivered: bool
    attempt: int | None
    deliveries: int | None
    deaths: tuple[Death, ...]
    command: str | None
    connection: int
    process: str
    of_log: bool
    batch: int | None
    handled: str | None
    error_type: str
    ended_ns: int | None
    settled: str | None
    settled_ns: int | None
    sought_ns: int | None

    @property
    def refused(self) -> bool:
        """It was refused for good."""
        return self.settled in {"reject", "nack"}

    @property
    def failed(self) -> bool:
        """It is known that it did not succeed."""
        return self.settled in {"reject", "nack", "requeue"} or self.handled == "raised"


@dataclass(frozen=True, slots=True)
class Forward:
    """A send of the same message by what handled it."""

    receive_id: int
    send_id: int
    certainty: str
    told_by: str
    at_ns: int
    channel: str
    channel_kind: str
    routing_key: str
    expiration: str | None
    delay: str | None

    @property
    def target(self) -> str:
        """The channel by the name that a receiver would know it by, as far as the send tells."""
        return self.routing_key if self.channel_kind == "exchange" and self.channel == "" else self.channel


@dataclass(frozen=True, slots=True)
class Group:
    """All attempts of one message at one consumer, in order, and what its handling sent on.

    Attributes:
        ways: for each attempt after the first, the forward that brought it; None where the broker did.
        last: what the last attempt sent on.
        elsewhere: receives of the message by others, after the last attempt.
    """

    attempts: tuple[Receive, ...]
    ways: tuple[Forward | None, ...]
    last: tuple[Forward, ...]
    elsewhere: tuple[Receive, ...]


@dataclass(frozen=True, slots=True)
class Tried:
    """All that was tried again, or failed."""

    groups: tuple[Group, ...]
    receives: Mapping[str, tuple[Receive, ...]]


def grouped(
    receives: Mapping[str, tuple[Receive, ...]], forwards: Mapping[int, Sequence[Forward]]
) -> tuple[Group, ...]:
    """All groups, the one that began first first.

    Args:
        receives: by message, each message's in the order of time.
        forwards: by the receive whose handling sent them.
    """
    return tuple(_Grouping(receives, forwards).groups())


@dataclass(slots=True)
class _Grouping:
    """Follows each message from its first receive."""

    receives: Mapping[str, tuple[Receive, ...]]
    forwards: Mapping[int, Sequence[Forward]]

    def groups(self) -> Iterator[Group]:
        taken: set[int] = set()
        order = sorted((known[0].at_ns, known[0].operation_id, message) for message, known in self.receives.items())
        for _, _, message in order:
            for first in self.receives[message]:
                if first.operation_id not in taken:
                    group = self._from(first)
                    taken |= {each.operation_id for each in group.attempts}
                    yield group

    def _from(self, first: Receive) -> Group:
        attempts, ways = [first], list[Forward | None]()
        seen, waiting = {first.operation_id}, [first]
        found: list[tuple[Receive, Forward | None]] = []
        while waiting:
            at = waiting.pop()
            nexts: list[tuple[Receive, Forward | None]] = [(each, None) for each in self.receives[at.message]]
            for sent in self.forwards.get(at.operation_id, ()):
                nexts += [(each, sent) for each in self.receives.get(f"send {sent.send_id}", ())]
            for each, way in nexts:
                if each.operation_id not in seen and each.at_ns >= first.at_ns and self._continues(first, each, way):
                    seen.add(each.operation_id)
                    found.append((each, way))
                    waiting.append(each)
        for each, way in sorted(found, key=lambda pair: (pair[0].at_ns, pair[0].operation_id)):
            attempts.append(each)
            ways.append(way)
        last = attempts[-1]
        return Group(
            tuple(attempts), tuple(ways), tuple(self.forwards.get(last.operation_id, ())),
            tuple(each for each in self._others(last) if each.operation_id not in seen),
        )  # fmt: skip

    def _continues(self, first: Receive, each: Receive, way: Forward | None) -> bool:
        """Whether a receive is an attempt of the consumer that had the message first."""
        if each.system != first.system or each.place.service != first.place.service:
            return False
        if DEAD.search(each.channel) and not DEAD.search(first.channel):
            return False
        if each.channel == first.channel and each.channel_kind == first.channel_kind:
            return each.group == first.group
        if way is None and not each.deaths:
            return False  # a copy of its own in another queue
        if first.of_log and each.group != first.group and not AGAIN.search(each.channel):
            return False
        same_code = each.place == first.place
        return same_code or bool(AGAIN.search(each.channel)) or each.operation_id in self.forwards

    def _others(self, last: Receive) -> Iterable[Receive]:
        for each in self.receives[last.message]:
            if each.at_ns > last.at_ns:
                yield each
        for way in self.forwards.get(last.operation_id, ()):
            yield from self.receives.get(f"send {way.send_id}", ())
