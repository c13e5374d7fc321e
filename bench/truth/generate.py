"""Makes systems, each out of a seed. Pure: the same seed and the same number of samples make the same system."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from random import Random
from typing import TYPE_CHECKING, Final

from bench.truth import values
from bench.truth.bodies import body
from bench.truth.patterns import exchange, saga
from bench.truth.structure import Record
from bench.truth.system import Channel, EventType, Outcome, Subscriber, System, Trigger, normal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bench.truth.system import Broker, Naming

THINGS: Final = values.words(
    "order invoice parcel refund customer account stock price review ticket shipment coupon visit lease"
)
DEEDS: Final = values.words(
    "created updated paid cancelled shipped approved rejected closed archived requested assigned expired"
)
SERVICES: Final = values.words("orders billing warehouse mailer accounts pricing search audit gateway planner")
HEADERS: Final = ("type", "eventType", "event-type", "x-event-type", "ce-type", "__TypeId__", "message-class", "x-kind")
FIELDS: Final = ("type", "eventType", "event", "event_type", "messageType", "action", "kind", "op")
NESTED: Final = ("meta.type", "metadata.eventType", "header.type")
COMMON: Final = frozenset((*HEADERS[:6], *FIELDS[:5], *NESTED))
"""Those that say of themselves that they name a type. Others tell only where they tell several types apart."""
SHARED: Final = 0.12
"""The share of sends that are of a type that is sent elsewhere too."""
SIGNALS: Final = 0.04
"""The share of types that have no document for a body, near enough."""
VERSION_HEADERS: Final = ("schema-version", "x-event-version", "ce-dataschema", "value.schema.id", "x-version")
"""Headers that a version may stand in where the body says none."""
UNHEARD: Final = 0.05
"""The share of types that nobody takes."""
ALIKE: Final = 0.15
"""The share of types that have just the fields of another one on their channel."""
MAX_MORE: Final = 4
"""So many times the samples may a trigger happen for the sake of what seldom follows from it."""


@dataclass(slots=True)
class Maker:
    """A system while it is being made.

    Attributes:
        prefix: of every channel's name.
        real: it is to be played by real programs on real brokers, all of it by code that runs now.
    """

    rng: Random
    samples: int
    services: list[str]
    prefix: str = ""
    real: bool = False
    channels: list[Channel] = field(default_factory=list)
    events: dict[str, EventType] = field(default_factory=dict)
    subscribers: list[Subscriber] = field(default_factory=list)
    free: list[str] = field(default_factory=list)
    finished: list[str] = field(default_factory=list)

    def grow(self, service: str, depth: int) -> str:
        """An event type that a service sends, mostly a new one, with its subscribers and what they send; its name."""
        rng = self.rng
        # Those that are finished lead to finished ones only, so that nothing goes round in a circle.
        known = [each for each in self.finished if self.shared(each, service)]
        if known and rng.random() < SHARED:
            return rng.choice(known)
        event = self.event(service)
        many = 0 if rng.random() < UNHEARD and depth > 1 else 1 if rng.random() < 0.65 else 2
        for place, taker in enumerate(self._takers(event, service, many)):
            self.subscribe(event.name, taker, self._outcomes(taker, depth, first=place == 0))
        self.finished.append(event.name)
        return event.name

    def shared(self, name: str, service: str) -> bool:
        """Whether a service may send an event type that another one does."""
        channel = self.events[name].channels[0]
        return channel.broker not in {"bus", "queue", "list"} and all(
            each.service != service for each in self.subscribers if each.event == name
        )

    def event(self, service: str, *, over: Broker | None = None) -> EventType:
        """A new event type, on a channel of its own or on one that there is."""
        rng = self.rng
        channel = self._channel(service, over)
        name = self._name(channel)
        key = _key(rng, channel, name, own=self.real)
        if channel.naming == "key":
            name = key
        elif channel.naming == "channel":
            name = normal(channel.name)
        channels: tuple[Channel, ...] = (channel,)
        if channel.broker == "topic" and channel.telling in COMMON.intersection(HEADERS) and rng.random() < 0.25:
            other = replace(channel, name=f"{channel.name}.copy")
            self.channels.append(other)
            channels = (channel, other)
        return self.add(name, *channels, key=key, correlation=rng.choice(("", "body", "property")))

    def add(self, name: str, *channels: Channel, key: str = "", correlation: str = "", reply: str = "") -> EventType:
        """A new event type on given channels."""
        channel = channels[0]
        if correlation == "property" and channel.system != "rabbitmq":
            correlation = ""
        here = [each for each in self.events.values() if each.channels[0].name == channel.name]
        # What has no telling name tells only by the shapes that go with it.
        obvious = channel.naming in {"property", "key"} or channel.telling in COMMON
        like = self.rng.choice(here) if here and obvious and self.rng.random() < ALIKE else None
        versions, version_field = body(self.rng, channel, name, correlated=correlation == "body", like=like)
        key = key or _key(self.rng, channel, name, own=self.real)
        # A signal: all that it says is that it is there.
        plain = channel.broker in {"exchange", "queue", "topic"} and channel.naming in {"header", "property", "key"}
        signal = (
            self.rng.choice((b"", b"ping"))
            if plain and not (reply or correlation) and self.rng.random() < 2 * SIGNALS
            else None
        )
        if signal is not None:
            versions, version_field = versions[:1], ""
        version_header = "" if version_field else _version_header(name, channels, len(versions))
        if version_header:
            versions = tuple(replace(each, number=str(place)) for place, each in enumerate(versions, 1))
        made = EventType(name, channels, key, versions, version_field, correlation, reply, signal, version_header)
        self.events[name] = made
        return made

    def subscribe(self, event: str, service: str, outcomes: tuple[Outcome, ...]) -> None:
        """A service takes an event type."""
        self.subscribers.append(Subscriber(event, service, self.handler(event, service), outcomes))

    def fresh_channel(self, base: str) -> str:
        """A channel's name that is not taken."""
        while any(each.name == base for each in self.channels):
            base += self.rng.choice("abcdefgh")
        return base

    def _channel(self, service: str, over: Broker | None) -> Channel:
        rng = self.rng
        brokers: tuple[Broker, ...] = ("exchange", "queue", "topic", "pubsub", "stream", "list", "bus")
        broker = over or rng.choices(brokers, (5, 2, 5, 2, 2, 1, 2))[0]
        known = [
            each for each in self.channels
            if each.broker == broker and each.naming != "channel" and not each.name.endswith(".copy")
            and (broker != "bus" or each.name.startswith(f"{service}.bus."))
        ]  # fmt: skip
        if known and rng.random() < 0.7:
            return rng.choice(known)
        namings: dict[Broker, tuple[Naming, ...]] = {
            "exchange": ("key", "header", "property", "body"),
            "queue": ("channel", "property", "body"),
            "topic": ("header", "header", "body", "channel"),
            "pubsub": ("channel", "body"),
            "stream": ("channel", "body"),
            "list": ("channel", "body"),
            "bus": ("key",),
        }
        naming = rng.choice(namings[broker])
        telling = {
            "header": rng.choice(HEADERS),
            "body": rng.choice(FIELDS if broker == "stream" else (*FIELDS, *NESTED)),
        }.get(naming, "")
        base = f"{rng.choice(THINGS)}{rng.choice(['s', '-events', '.events', '_feed'])}"
        if broker == "bus":
            base = f"{service}.bus.Events"
        elif broker == "pubsub" and naming == "channel" and rng.random() < 0.5:
            base = f"{rng.choice(['user', 'room', 'tenant'])}.{{{rng.choice(['', 'uuid'])}}}.{rng.choice(THINGS)}"
        if broker != "bus":
            base = f"{self.prefix}{base}"
        base = self.fresh_channel(base)
        channel = Channel(broker, base, naming, telling, dispatched=rng.random() < 0.4)
        self.channels.append(channel)
        return channel

    def _name(self, channel: Channel) -> str:
        rng = self.rng
        style = rng.choice(("{0}.{1}", "{0}.{1}", "{0}_{1}", "camel", "com.acme.{0}.{1}.v1"))
        while True:
            thing, deed = rng.choice(THINGS), rng.choice(DEEDS)
            name = f"{thing.title()}{deed.title()}" if style == "camel" else style.format(thing, deed)
            if name not in self.events and all(each.key != name for each in self.events.values()):
                return name

    def _takers(self, event: EventType, service: str, many: int) -> list[str]:
        channel = event.channels[0]
        if not many:
            return []
        if channel.broker == "bus":
            return [service]
        others = [each for each in self.services if each != service]
        if channel.broker in {"queue", "list"}:
            # Several would take turns: whoever is there takes all.
            known = [s for s in self.subscribers if channel in self.events[s.event].channels]
            return [known[0].service] if known else [self.rng.choice(others)]
        return self.rng.sample(others, min(many, len(others)))

    def complete(self) -> None:
        """What follows from how channels work: who reads a log or listens to a channel gets every type on it."""
        for channel in self.channels:
            if channel.broker not in {"topic", "stream", "pubsub"} or channel.name.endswith(".copy"):
                continue
            here = [event.name for event in self.events.values() if event.channels[0] == channel]
            takers = {s.service: s.handler for s in self.subscribers if s.event in here}
            for event in here:
                known = {s.service for s in self.subscribers if s.event == event}
                self.subscribers += [
                    Subscriber(event, service, handler, (Outcome(1.0),))
                    for service, handler in takers.items()
                    if service not in known
                ]
        for channel in list(self.channels):
            types = [e for e in self.events.values() if any(each.name == channel.name for each in e.channels)]
            if (
                len(types) == 1
                and not channel.name.endswith(".copy")
                and channel.telling
                and channel.telling not in COMMON
            ):
                self._rename(types[0], channel, "eventType")

    def _rename(self, event: EventType, channel: Channel, telling: str) -> None:
        """Have another header or field tell the type of the only event type of a channel."""
        channels = tuple(replace(each, telling=telling) for each in event.channels)
        self.channels = [replace(each, telling=telling) if each in event.channels else each for each in self.channels]
        versions = []
        for version in event.versions:
            node = version.node
            if channel.naming == "body" and isinstance(node, Record):
                renamed = (replace(each, name=telling) if each.name == channel.telling else each for each in node.parts)
                node = Record(tuple(renamed))
            versions.append(replace(version, node=node))
        self.events[event.name] = replace(event, channels=channels, versions=tuple(versions))

    def handler(self, event: str, service: str) -> str:
        """The function of a service that takes an event type."""
        channel = self.events[event].channels[0]
        if channel.broker in {"topic", "stream", "pubsub", "list"}:
            return f"consume_{_plain(channel.name)}"
        if channel.dispatched and channel.broker in {"exchange", "queue"}:
            return f"take_{_plain(channel.name)}"
        return f"on_{_plain(event)}"

    def _outcomes(self, service: str, depth: int, *, first: bool) -> tuple[Outcome, ...]:
        rng = self.rng
        if depth >= 3 or not first or rng.random() < 0.3:
            return (Outcome(1.0),) if rng.random() < 0.8 else (Outcome(0.8), Outcome(0.2, fails=True))
        style = rng.choice(("always", "always", "two", "either", "sometimes", "failing"))
        sends = self.grow(service, depth + 1)
        match style:
            case "two":
                return (Outcome(1.0, (sends, self.grow(service, depth + 1))),)
            case "either":
                return (Outcome(0.6, (sends,)), Outcome(0.4, (self.grow(service, depth + 1),)))
            case "sometimes":
                return (Outcome(0.5, (sends,)), Outcome(0.5))
            case "failing":
                return (Outcome(0.8, (sends,)), Outcome(0.2, fails=True))
        return (Outcome(1.0, (sends,)),)

    def trigger(self, span_s: float) -> Trigger:
        """A new trigger and all that follows from it."""
        rng = self.rng
        service = rng.choice(self.services)
        kind = "code" if self.real else rng.choices(("route", "schedule", "code", "outside"), (5, 2, 2, 1))[0]
        period = jitter = None
        if kind == "outside":
            event = self.event("partner", over=rng.choice(("exchange", "topic")))
            taker = rng.choice(self.services)
            self.subscribe(event.name, taker, self._outcomes(taker, 1, first=True))
            outcomes: tuple[Outcome, ...] = (Outcome(1.0, (event.name,)),)
            name = "partner"
        else:
            sends = self.grow(service, 1)
            outcomes = (Outcome(1.0, (sends,)),)
            if kind == "route" and rng.random() < 0.4:
                outcomes = (Outcome(0.7, (sends,)), Outcome(0.3))
            name = self._trigger_name(kind)
        times = min(self.samples * MAX_MORE, round(self.samples / self._rarest(outcomes) * 1.15))
        if kind == "schedule":
            period, jitter = span_s / times, rng.choice((0.0, 0.01, 0.03, 0.06))
        return Trigger(kind, service, name, outcomes, period, jitter or 0.0, times)  # type: ignore[arg-type]

    def _trigger_name(self, kind: str) -> str:
        number = sum(1 for _ in self.free)
        thing = self.rng.choice(THINGS)
        name = f"POST /api/{thing}s/{number}x" if kind == "route" else f"publish_{thing}_{number}"
        self.free.append(name)
        return name

    def _rarest(self, outcomes: tuple[Outcome, ...]) -> float:
        """The share of times that the rarest of all that may follow does."""
        takers = {each.event: each for each in self.subscribers if any(o.sends for o in each.outcomes)}
        total = sum(outcome.weight for outcome in outcomes)
        rarest = 1.0
        for outcome in outcomes:
            for event in outcome.sends:
                after = self._rarest(takers[event].outcomes) if event in takers else 1.0
                own = 1 / len(self.events[event].versions)
                rarest = min(rarest, outcome.weight / total * min(after, own))
        return rarest


def _version_header(name: str, channels: Iterable[Channel], versions: int) -> str:
    """The header that says the version of a body that says none; by the name, so that all else of a seed stays as it is."""
    rng = Random(f"version header of {name}")
    headed = all(each.broker in {"exchange", "queue", "topic"} for each in channels)
    return rng.choice(VERSION_HEADERS) if versions > 1 and headed and rng.random() < 0.6 else ""


def _key(rng: Random, channel: Channel, name: str, *, own: bool) -> str:
    """A routing key or event name; '' where there is none."""
    if channel.broker == "bus":
        return name
    if channel.broker == "queue":
        return channel.name
    if channel.broker != "exchange":
        return ""
    if channel.naming != "key":
        return name if own else rng.choice(("events", "all.events"))
    if rng.random() < 0.25:
        head, _, tail = name.rpartition(".") if "." in name else (name, "", "done")
        return f"{head}.{{}}.{tail}"
    return name


def _plain(name: str) -> str:
    return "".join(c if c.isalnum() else "_" for c in normal(name).replace("{}", "any")).strip("_").lower()


def system(seed: int, samples: int = 50, *, prefix: str = "", real: bool = False) -> System:
    """The system of a seed, big enough for so many samples of nearly every event type.

    Args:
        seed: of all chance.
        samples: of nearly every event type.
        prefix: of every channel's name.
        real: for programs that play it on brokers: nothing is started from outside or by schedule, a type has a routing
            key of its own wherever there are some.
    """
    rng = Random(f"msgtrace truth {seed}")
    made = Maker(rng, samples, rng.sample(SERVICES, rng.randint(3, 6)), prefix, real)
    span_s = 7_200.0
    triggers = [made.trigger(span_s) for _ in range(2 if real else rng.randint(3, 5))]
    sagas = [saga(made) for _ in range(rng.choice((0, 1)))]
    exchanges = [exchange(made) for _ in range(rng.choice((0, 1, 1)))]
    made.complete()
    triggers += [trigger for _, trigger in (*sagas, *exchanges)]
    return System(
        seed=seed,
        services=tuple(made.services),
        events=made.events,
        subscribers=tuple(made.subscribers),
        triggers=tuple(replace(each, kind="code") if real else each for each in triggers),
        sagas=tuple(each for each, _ in sagas),
        exchanges=tuple(each for each, _ in exchanges),
        span_s=span_s,
        channels=tuple(made.channels),
    )
