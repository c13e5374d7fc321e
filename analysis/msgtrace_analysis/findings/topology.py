"""What there is to send through."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from msgtrace_analysis.findings.evidence import Evidence, Place


@dataclass(frozen=True, slots=True)
class Channel:
    """An exchange, queue, topic, stream, ... as declared and used.

    Attributes:
        name: a pattern where `alike` channels of one kind differ in generated parts only.
        settings: every distinct form in which it was declared or inspected.
        declared_by: services; empty when it was used and never declared in the trace.
        actions: what else was done to it: `delete`, `purge`, ...
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


@dataclass(frozen=True, slots=True)
class Binding:
    """What leads messages from an exchange to a queue or another exchange."""

    system: str
    source: str
    destination: str
    destination_kind: str
    routing_key: str
    settings: Mapping[str, Any]
    declared_by: tuple[str, ...]
    evidence: Evidence


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
    """Where a queue's dead messages go, as its declaration says."""

    queue: str
    exchange: str
    routing_key: str | None
    time_to_live: str | None
    length_limit: str | None
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
