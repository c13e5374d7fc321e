"""Plays a system: what its programs would do, in the order of time, as operations; and the story of what happened. Pure.

Operations look as the hooks of each library record them. Who causes what is said only as far as a traced process knows
it: the operation that the running code handles. Links between processes are left to the linker.
"""

from __future__ import annotations

import json
import re
import zlib
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Any, Final

from bench.truth import values
from bench.truth.bodies import CORRELATION
from bench.truth.structure import Shown, sample
from bench.truth.system import Outcome

if TYPE_CHECKING:
    from bench.truth.system import Channel, EventType, Subscriber, System, Trigger

MS: Final = 1_000_000
FETCH_NS: Final = 60_000 * MS
"""Between two fetches of a consumer that takes several messages at once."""
AGAIN: Final = 0.02
"""The share of messages that are given back once and delivered again."""
NOISE: Final = {
    "source": ("app", "batch"), "x-tenant": ("north", "south", "west"), "x-retry-count": ("0", "1"), "content-language": ("en", "de"),
}  # fmt: skip
"""Headers that say nothing of what a message is."""


@dataclass(slots=True, eq=False)
class Operation:
    """One operation of one traced service.

    Attributes:
        fields: of `msgtrace.records.Message`, but for what only the writer knows.
        sent: of a receive or a process on a bus: the send that it is of.
        receipt: of a process: the receive that it processes.
        event: of a send, its type; and `number` its place in the story.
        batch: of a receive, all that the same fetch returned.
        sequence: given by the writer.
    """

    at_ns: int
    service: str
    kind: str
    system: str
    fields: dict[str, Any]
    function: str = ""
    handler: str = ""
    cause: Operation | None = None
    sent: Operation | None = None
    receipt: Operation | None = None
    duration_ns: int = 40_000
    outcome: str = "ok"
    event: str = ""
    number: int = 0
    batch: list[Operation] = field(default_factory=list)
    sequence: int = 0


@dataclass(frozen=True, slots=True)
class Happened:
    """One message that was sent.

    Attributes:
        publisher: service and function; '' for what is not traced.
        because: service and what was handled there: a handler or a route; None where nothing was.
        takers: service and handler of each that received it.
        fields: of the send.
        parent: number of the message that was being handled, and who handled it.
        number: place in the story.
    """

    event: str
    channel: Channel
    version: int
    publisher: tuple[str, str]
    because: tuple[str, str] | None
    takers: tuple[tuple[str, str], ...]
    at_ns: int
    fields: dict[str, Any]
    parent: tuple[int, tuple[str, str]] | None
    number: int


@dataclass(slots=True)
class Played:
    """All that happened.

    Attributes:
        shown: of each event type and version, what its bodies showed.
        returned: numbers of messages and handlers that gave them back once.
        failures: numbers of messages and who failed to handle them.
        runs: of each trigger (service, name, what arrives from outside), every time that it happened.
    """

    operations: list[Operation] = field(default_factory=list)
    story: list[Happened] = field(default_factory=list)
    shown: dict[tuple[str, int], Shown] = field(default_factory=dict)
    returned: set[tuple[int, str]] = field(default_factory=set)
    failures: set[tuple[int, tuple[str, str]]] = field(default_factory=set)
    runs: dict[tuple[str, str, str], list[Run]] = field(default_factory=dict)


Hop = tuple[str, tuple[str, str], tuple[str, str], bool]
"""Event type, publisher, who took it, and whether its handling is seen to have failed."""


@dataclass(slots=True)
class Run:
    """One occurrence of a trigger.

    Attributes:
        correlation: the id of the transaction.
        outside: it has just arrived from what is not traced, and whoever takes it begins a run of its own.
    """

    correlation: str
    hops: set[Hop] = field(default_factory=set)
    outside: bool = False


def play(system: System) -> Played:
    """Play a system to its end."""
    return _Player(system).played()


class _Player:
    def __init__(self, system: System) -> None:
        self.system = system
        self.rng = Random(f"msgtrace truth plays {system.seed}")
        self.done = Played()
        self.replies = {each.request: each.reply for each in system.exchanges}
        self.takers: dict[str, list[Subscriber]] = {}
        for each in system.subscribers:
            self.takers.setdefault(each.event, []).append(each)

    def played(self) -> Played:
        for trigger in self.system.triggers:
            for at_ns in self.times(trigger):
                self.start(trigger, at_ns)
        self.done.operations.sort(key=lambda each: each.at_ns)
        # A schedule that comes too early at its first time: no monotonic clock was ever below zero.
        early_ns = -min((each.at_ns for each in self.done.operations), default=0)
        if early_ns > 0:
            for each in self.done.operations:
                each.at_ns += early_ns
        self.fetch_together()
        return self.done

    def fetch_together(self) -> None:
        """What one fetch returned: each may be the cause of all that follows it."""
        fetched: dict[tuple[Any, ...], list[Operation]] = {}
        for each in self.done.operations:
            if (
                each.kind == "receive"
                and each.fields["channel_kind"] in {"topic", "stream"}
                and each.at_ns % FETCH_NS == 0
            ):
                fetched.setdefault((each.service, each.fields["channel"], each.at_ns), []).append(each)
        for number, batch in enumerate((each for each in fetched.values() if len(each) > 1), 1):
            for each in batch:
                each.batch = batch
                each.fields["batch_id"] = number

    def run(self, service: str, name: str, arrives: str = "", correlation: str = "") -> Run:
        """Another occurrence of a trigger."""
        run = Run(correlation or str(values.any_uuid(self.rng)))
        self.done.runs.setdefault((service, name, arrives), []).append(run)
        return run

    def times(self, trigger: Trigger) -> list[int]:
        """When a trigger happens: in its period, or as often but at any time."""
        rng, span_ns = self.rng, int(self.system.span_s * 1e9)
        if trigger.period_s is None:
            return sorted(rng.randrange(span_ns) for _ in range(trigger.times))
        step = trigger.period_s * 1e9
        first = rng.uniform(0, step)
        return [int(first + step * place + rng.gauss(0, trigger.jitter) * step) for place in range(trigger.times)]

    def start(self, trigger: Trigger, at_ns: int) -> None:
        rng = self.rng
        outcome = chosen(rng, trigger.outcomes)
        if trigger.kind == "outside":
            run = Run(str(values.any_uuid(rng)), outside=True)
        else:
            run = self.run(trigger.service, trigger.name)
        if trigger.kind == "route":
            method, _, path = trigger.name.partition(" ")
            about = {"channel": path, "channel_kind": "route", "routing_key": method}
            cause = self.did(at_ns, trigger.service, "trigger", "http", about, duration_ns=30 * MS)
            function, because = _function(path), (trigger.service, trigger.name)
        else:
            cause, function, because = None, trigger.name, None
        for event in outcome.sends:
            at_ns += rng.randint(1, 5) * MS
            source = ("", "") if trigger.kind == "outside" else (trigger.service, function)
            self.send(event, at_ns, run, source, cause, because)

    def did(self, at_ns: int, service: str, kind: str, system: str, fields: dict[str, Any], **more: Any) -> Operation:
        operation = Operation(at_ns, service, kind, system, fields, **more)
        if service:
            self.done.operations.append(operation)
        return operation

    def send(
        self,
        name: str,
        at_ns: int,
        run: Run,
        source: tuple[str, str],
        cause: Operation | None,
        because: tuple[str, str] | None,
        request: Operation | None = None,
    ) -> None:
        """A message is sent, and all follows that follows from it."""
        rng, event = self.rng, self.system.events[name]
        channel = rng.choice(event.channels)
        version = self.version(event, at_ns)
        fields = self.message(event, channel, version, run)
        if request is not None and name == self.replies.get(request.event):
            _answer(request.fields, fields)
        service, function = source
        if request is not None and "message_key" in request.fields and "message_key" in fields and rng.random() < 0.5:
            fields["message_key"] = request.fields["message_key"]
        sent = self.did(at_ns, service, "send", channel.system, fields, function=function, cause=cause, event=name)
        sent.number = len(self.done.story)
        takers = self.takers.get(name, [])
        places = tuple((each.service, each.handler) for each in takers)
        parent = None if request is None else (request.number, source)
        self.done.story.append(
            Happened(name, channel, version, source, because, places, at_ns, dict(fields), parent, sent.number)
        )
        if not takers:
            run.hops.add((name, source, ("", ""), False))
        for taker in takers:
            self.take(taker, self.arrival(taker, at_ns, channel), run, sent, channel, source)

    def latency(self, channel: Channel) -> int:
        """Nanoseconds until a message arrives; on a bus it is a call."""
        return (
            self.rng.randint(5_000, 50_000)
            if channel.broker == "bus"
            else int(self.rng.lognormvariate(1.0, 0.5) * MS) + MS
        )

    def arrival(self, taker: Subscriber, at_ns: int, channel: Channel) -> int:
        """When a message is received: soon, or with the next fetch of who fetches several at once now and then."""
        if channel.broker not in {"topic", "stream"} or zlib.crc32(f"{taker.service} {channel.name}".encode()) % 4:
            return at_ns + self.latency(channel)
        return (at_ns // FETCH_NS + 1) * FETCH_NS

    def take(
        self, taker: Subscriber, at_ns: int, run: Run, sent: Operation, channel: Channel, source: tuple[str, str]
    ) -> None:
        """A message arrives and is handled."""
        outcome = chosen(self.rng, taker.outcomes)
        here = (taker.service, taker.handler)
        if channel.system == "rabbitmq" and self.rng.random() < AGAIN:
            again = self.handled(taker, at_ns, at_ns + 2 * MS, sent, channel, Outcome(1.0, fails=True), requeued=True)
            if run.outside:
                self.run(*here, sent.event, run.correlation).hops.add(("", ("", ""), here, True))
            else:
                run.hops.add((sent.event, source, here, True))
            at_ns = again.at_ns + 30 * MS
        if outcome.fails:
            self.done.failures.add((sent.number, here))
        # That a loop of the program's own has failed is nowhere to be seen.
        failed = outcome.fails and channel.system in {"rabbitmq", "pyee"}
        if run.outside:
            run = self.run(*here, sent.event, run.correlation)
            if failed:
                run.hops.add(("", ("", ""), here, True))
        else:
            run.hops.add((sent.event, source, here, failed))
        steps = [at_ns + 60_000 + self.rng.randint(1, 20) * MS for _ in outcome.sends]
        last = max(steps, default=at_ns) + MS
        handled = self.handled(taker, at_ns, last, sent, channel, outcome)
        for event, when in zip(outcome.sends, steps, strict=True):
            self.send(event, when, run, here, handled, here, sent)

    def handled(
        self,
        taker: Subscriber,
        at_ns: int,
        last_ns: int,
        sent: Operation,
        channel: Channel,
        outcome: Outcome,
        *,
        requeued: bool = False,
    ) -> Operation:
        """The operations of a receive, what handles it, and how it is settled; the one that is the cause of what follows."""
        service, system = taker.service, channel.system
        took = last_ns - at_ns
        ended = "raised" if outcome.fails else "ok"
        if channel.broker == "bus":
            about = {"channel": sent.fields["channel"], "channel_kind": "bus"}
            return self.did(
                at_ns, service, "process", system, about, handler=taker.handler, cause=sent, sent=sent, duration_ns=took, outcome=ended
            )  # fmt: skip
        about = {name: value for name, value in sent.fields.items() if name != "delivery_mode"}
        if system != "rabbitmq":
            if channel.broker in {"topic", "stream"}:
                about["consumer_group"] = service
            return self.did(at_ns, service, "receive", system, about, function=taker.handler, sent=sent)
        about |= {
            "channel": queue_of(taker, channel, sent.fields["routing_key"]),
            "channel_kind": "queue",
            "redelivered": (sent.number, taker.handler) in self.done.returned,
            "settings": {"exchange": sent.fields["channel"]},
        }
        received = self.did(at_ns, service, "receive", system, about, sent=sent)
        if requeued:
            self.done.returned.add((sent.number, taker.handler))
        handled = self.did(
            at_ns + 20_000, service, "process", system, {}, handler=taker.handler, cause=received, receipt=received,
            duration_ns=took, outcome=ended,
        )  # fmt: skip
        self.did(
            last_ns, service, "settle", system, {"outcome": "requeue" if requeued else "reject" if outcome.fails else "ack"},
            function=taker.handler, cause=handled, receipt=received, outcome="ok",
        )  # fmt: skip
        return handled

    def version(self, event: EventType, at_ns: int) -> int:
        """Which of its versions an event type is in at a time."""
        spent, span_ns = 0.0, self.system.span_s * 1e9
        for place, each in enumerate(event.versions):
            spent += each.share
            if at_ns < spent * span_ns:
                return place
        return len(event.versions) - 1

    def message(self, event: EventType, channel: Channel, version: int, run: Run) -> dict[str, Any]:
        """The fields of a send."""
        rng = self.rng
        fields: dict[str, Any] = {"channel": filled(channel.name, rng), "channel_kind": channel.broker}
        if event.signal is not None:
            fields["body"] = event.signal
        else:
            shown = self.done.shown.setdefault((event.name, version), Shown())
            body = sample(event.versions[version].node, rng, "", shown)
            if event.correlation == "body":
                body[CORRELATION] = run.correlation
            if channel.broker == "bus":
                return fields | {"routing_key": event.key, "data": body}
            fields["body"] = json.dumps(body).encode()
        headers: list[tuple[str, Any]] = [
            (name, rng.choice(some)) for name, some in NOISE.items() if rng.random() < 0.4
        ]
        headers += _telling(event, channel, version)
        if headers and channel.broker in {"exchange", "queue", "topic"}:
            fields["headers"] = headers
        if channel.system == "rabbitmq":
            fields |= {
                "channel": "" if channel.broker == "queue" else channel.name,
                "channel_kind": "exchange",
                "routing_key": filled(event.key, rng),
                "message_id": f"{rng.getrandbits(128):032x}",
                "content_type": "application/json",
                "delivery_mode": 2,
            }
            if channel.naming == "property":
                fields["event_type"] = event.name
            if event.correlation == "property":
                fields["correlation_id"] = run.correlation
        elif channel.broker == "topic":
            fields["message_key"] = f"{rng.randrange(10**6)}".encode()
        elif channel.broker == "stream":
            fields["encoding"] = "redis-stream"
        if event.reply:
            self.ask(fields, self.system.events[event.reply].channels[0].name)
        return fields

    def ask(self, fields: dict[str, Any], back: str) -> None:
        """Give a request what it has to say: where to answer, and the id to name."""
        asked = str(values.any_uuid(self.rng))
        if fields["channel_kind"] == "topic":
            more = [("correlation-id", asked.encode()), ("reply-topic", back.encode())]
            fields["headers"] = [*fields.get("headers", ()), *more]
        else:
            fields |= {"correlation_id": asked, "reply_to": filled(back, self.rng)}


def _telling(event: EventType, channel: Channel, version: int) -> list[tuple[str, Any]]:
    """The headers that say the type of a message and the version of its body."""
    said = [(channel.telling, event.name)] if channel.naming == "header" else []
    if event.version_header:
        said.append((event.version_header, event.versions[version].number))
    return [(name, value.encode() if channel.broker == "topic" else value) for name, value in said]


def _answer(request: dict[str, Any], fields: dict[str, Any]) -> None:
    """Give an answer what it has of its request: where it goes, and the id by which it is known for one."""
    if "reply_to" in request:
        fields |= {"routing_key": request["reply_to"], "correlation_id": request["correlation_id"]}
    else:
        fields["headers"] = [
            *fields.get("headers", ()),
            *((name, value) for name, value in request["headers"] if name == "correlation-id"),
        ]


def chosen(rng: Random, outcomes: tuple[Outcome, ...]) -> Outcome:
    """One of several outcomes."""
    return rng.choices(outcomes, [each.weight for each in outcomes])[0]


def filled(name: str, rng: Random) -> str:
    """A name with an id in place of each `{}` and `{uuid}`."""
    name = re.sub(r"\{uuid\}", lambda _: str(values.any_uuid(rng)), name)
    return re.sub(r"\{\}", lambda _: str(rng.randrange(10_000, 99_999)), name)


def queue_of(taker: Subscriber, channel: Channel, key: str) -> str:
    """The queue that a subscriber takes from; the default exchange's routing key is a queue's name."""
    if channel.broker == "queue":
        return key
    return f"{taker.service}.{channel.name}" if channel.dispatched else f"{taker.service}.{taker.handler}"


def _function(path: str) -> str:
    return "post" + "".join(c if c.isalnum() else "_" for c in path).rstrip("_")
