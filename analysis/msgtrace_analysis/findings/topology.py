"""What there is to send through."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from msgtrace_analysis.findings.evidence import Evidence, Place

Check = Literal[
    "unused binding",
    "unmatched routing key",
    "queue without consumer",
    "channel without producer",
    "topic without consumer",
    "unused channel",
    "dead letters lost",
    "dead-letter cycle",
    "not durable",
    "short retention",
    "few replicas",
    "idle consumers",
    "unbounded queue",
]
"""What is compared with what; said in docs/topology.md, one by one."""


@dataclass(frozen=True, slots=True)
class Channel:
    """An exchange, queue, topic, stream, ... as declared and used.

    Attributes:
        name: a pattern where `alike` channels of one kind differ in generated parts only.
        settings: every distinct form in which it was declared.
        declared_by: services; empty when it was used and never declared in the trace.
        actions: what else was done to it: `delete`, `purge`, ...
        inspected: every distinct form in which the broker had it when it was last inspected; empty when it was not.
        state: what was measured then, e.g. `messages`, `consumers`; sums over those that are alike.
        inspected_ns: when that was.
    """

    system: str
    kind: str
    name: str
    alike: int
    virtual_hosts: tuple[str, ...]
    settings: tuple[Mapping[str, Any], ...]
    declared_by: tuple[str, ...]
    actions: tuple[str, ...]
    sends: int
    receives: int
    evidence: Evidence
    inspected: tuple[Mapping[str, Any], ...] = ()
    state: Mapping[str, int] | None = None
    inspected_ns: int | None = None


@dataclass(frozen=True, slots=True)
class Binding:
    """What leads messages from an exchange to a queue or another exchange.

    Attributes:
        declared_by: services; empty when only an inspection knows it.
        used: messages of the trace that it led on, by the exchange's own rules; None where that can't be told.
    """

    system: str
    source: str
    destination: str
    destination_kind: str
    routing_key: str
    settings: Mapping[str, Any]
    declared_by: tuple[str, ...]
    evidence: Evidence
    virtual_host: str | None = None
    used: int | None = None


@dataclass(frozen=True, slots=True)
class Subscription:
    """A service that asked for a channel's messages.

    Attributes:
        handlers: functions that were given to the library, where that is how it works.
    """

    system: str
    channel: str
    channel_kind: str
    group: str | None
    service: str
    handlers: tuple[Place, ...]
    settings: tuple[Mapping[str, Any], ...]
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """Where a queue's dead messages go, as its declaration says, and the policies that an inspection found.

    Attributes:
        routing_key: that they get; None: they keep theirs.
        time_to_live: of messages in the queue, milliseconds.
        length_limit: messages.
        origin: who says so.
        overflow: what happens at the length limit.
        delivery_limit: of a quorum queue.
        reasons: why messages of this queue can become dead letters: `rejected`, `expired`, `maxlen`, `delivery_limit`.
        targets: queues that they reach by the bindings that are known; of messages with the keys that were seen.
        outcome: `queue`, they reach one; `nowhere`, they are dropped, for want of the exchange or of a binding;
            `unknown`, it depends on what is not known.
        cycle: `none`; `dropped`: expired messages come back to a queue that they were in, which RabbitMQ ends by
            dropping them; `through rejection`: they come back when they are rejected.
        way: the queues of that cycle, in order.
    """

    queue: str
    exchange: str
    routing_key: str | None
    time_to_live: str | None
    length_limit: str | None
    evidence: Evidence
    virtual_host: str | None = None
    origin: Literal["declaration", "policy"] = "declaration"
    overflow: str | None = None
    delivery_limit: int | None = None
    reasons: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    outcome: Literal["queue", "nowhere", "unknown"] = "unknown"
    cycle: Literal["none", "dropped", "through rejection"] = "none"
    way: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Inspection:
    """A broker that `msgtrace inspect` has read; the last time counts.

    Attributes:
        inspected_ns: when that was, and `inspections` how often it was read in all.
        found: how many of what.
        left_out: how many of what there were beyond the limit.
        unreadable: what could not be read, and why.
    """

    system: str
    server: str
    version: str
    inspected_ns: int
    inspections: int
    found: tuple[tuple[str, int], ...]
    left_out: tuple[tuple[str, int], ...]
    unreadable: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Permission:
    """What a broker lets somebody do, as inspected.

    Attributes:
        principal: a user, or `User:name`; never a secret.
        resource_kind: `virtual host`, `exchange`, `topic`, `group`, ...
        resource: its name or pattern.
        operation: `configure`, `read`, `write`, or Kafka's.
        pattern: what names or keys it holds for; '' for all.
        allowed: or denied.
    """

    system: str
    server: str
    principal: str
    resource_kind: str
    resource: str
    operation: str
    pattern: str
    allowed: bool
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Gap:
    """Where what is declared or inspected and what the traffic used do not go together.

    Attributes:
        check: what was compared.
        name: of the channel, or of the exchange that a binding or key belongs to.
        sentence: with `{0}`, `{1}`, ... for `names`, and `{n}` for the number of operations.
    """

    check: Check
    system: str
    kind: str
    name: str
    sentence: str
    names: tuple[str, ...]
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Setting:
    """Something that a service set for itself and for no channel: how many messages it takes at once, for example."""

    system: str
    service: str
    action: str
    settings: Mapping[str, Any]
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Topology:
    """What is there to send through."""

    channels: tuple[Channel, ...]
    bindings: tuple[Binding, ...]
    subscriptions: tuple[Subscription, ...]
    dead_letters: tuple[DeadLetter, ...]
    limits: tuple[Setting, ...]
    inspections: tuple[Inspection, ...] = ()
    permissions: tuple[Permission, ...] = ()
    gaps: tuple[Gap, ...] = ()
