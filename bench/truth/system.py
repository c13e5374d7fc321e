"""A generated system, by specification: services, channels, event types, who sends and takes what, what starts it. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from bench.truth.structure import Node

Broker = Literal["exchange", "queue", "topic", "pubsub", "stream", "list", "bus"]
"""What the channel is: RabbitMQ's first two, Kafka's, Redis' three, pyee's."""
Naming = Literal["header", "property", "body", "key", "channel"]
"""Where a message says what it is: a header, AMQP's `type`, a field of the body, routing key or event name, nowhere else."""
SYSTEMS: dict[Broker, str] = {
    "exchange": "rabbitmq", "queue": "rabbitmq", "topic": "kafka", "pubsub": "redis", "stream": "redis", "list": "redis",
    "bus": "pyee",
}  # fmt: skip


def normal(name: str) -> str:
    """A name or template whose placeholders are all called the same."""
    return re.sub(r"\{[^{}]*\}", "{}", name)


@dataclass(frozen=True, slots=True)
class Channel:
    """A place to send to.

    Attributes:
        name: with `{}` where a number stands, another for each message, and `{uuid}` where a UUID does.
        naming: how the types of its messages are told.
        telling: the header or field that tells, where one does.
        dispatched: each subscribing service has one handler for all types of it, not one for each.
    """

    broker: Broker
    name: str
    naming: Naming
    telling: str
    dispatched: bool

    @property
    def system(self) -> str:
        """As the trace names it."""
        return SYSTEMS[self.broker]


@dataclass(frozen=True, slots=True)
class Version:
    """One of the forms that an event type has had.

    Attributes:
        number: as its body says it; '' where it says none.
        share: of the time that it was in use.
        verdict: what the step from the version before was: `backward`, `forward`, `full` or `none`; '' for the first.
        change: what was done.
    """

    node: Node
    number: str = ""
    share: float = 1.0
    verdict: str = ""
    change: str = ""


@dataclass(frozen=True, slots=True)
class EventType:
    """A type of message.

    Attributes:
        name: by which its messages are called; `{}` where an id stands.
        key: AMQP routing key, event name on a bus; else ''.
        versions: oldest first.
        version_field: of the body, where it says its version.
        version_header: beside it, where that does.
        correlation: where the id of the whole transaction stands: `property`, `body`, or ''.
        reply: the event type that it asks for as an answer.
        signal: its body, where that is no document.
    """

    name: str
    channels: tuple[Channel, ...]
    key: str
    versions: tuple[Version, ...]
    version_field: str = ""
    correlation: str = ""
    reply: str = ""
    signal: bytes | None = None
    version_header: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One of the things that a handler may do with a message: send some, fail."""

    weight: float
    sends: tuple[str, ...] = ()
    fails: bool = False


@dataclass(frozen=True, slots=True)
class Subscriber:
    """Who takes an event type, and what it then does.

    Attributes:
        handler: name of the function.
        outcomes: exactly one happens to each message.
    """

    event: str
    service: str
    handler: str
    outcomes: tuple[Outcome, ...]


@dataclass(frozen=True, slots=True)
class Trigger:
    """What starts messages moving.

    Attributes:
        kind: an HTTP request, a schedule, code that runs now and then, or messages from outside of what is traced.
        name: `POST /path`, or the function that sends.
        outcomes: exactly one happens each time; those of `outside` send one event.
        period_s: of a schedule; None for the others.
        jitter: standard deviation of a period, as a share of it.
        times: how often it happens.
    """

    kind: Literal["route", "schedule", "code", "outside"]
    service: str
    name: str
    outcomes: tuple[Outcome, ...]
    period_s: float | None
    jitter: float
    times: int


@dataclass(frozen=True, slots=True)
class Saga:
    """A transaction over several services.

    Attributes:
        steps: event types in their order.
        compensations: (step, the event type that undoes it).
    """

    steps: tuple[str, ...]
    compensations: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request and its reply."""

    request: str
    reply: str
    asks: str
    answers: str


@dataclass(frozen=True, slots=True)
class System:
    """The whole."""

    seed: int
    services: tuple[str, ...]
    events: dict[str, EventType]
    subscribers: tuple[Subscriber, ...]
    triggers: tuple[Trigger, ...]
    sagas: tuple[Saga, ...] = ()
    exchanges: tuple[Exchange, ...] = ()
    span_s: float = 7_200.0
    channels: tuple[Channel, ...] = field(default=())
