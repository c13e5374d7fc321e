"""Makes records of spans: what a messaging span says is an operation without a body. Pure.

A span of a consumer becomes the receive that it handles and its handling. The span that it names, as its parent or by a
link, is told as a `traceparent` header, which is what it was. Spans of other kinds are only what leads from one to the other.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import msgspec

from msgtrace import records
from msgtrace_collectors.otlp import names
from msgtrace_collectors.process import NUMBERS, SEQUENCES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
    from opentelemetry.proto.resource.v1.resource_pb2 import Resource
    from opentelemetry.proto.trace.v1.trace_pb2 import Span

LIBRARY: Final = "opentelemetry"
MAX_LINKS: Final = 200
"""Of one span: messages of one batch."""
MAX_RECEIVED: Final = 10_000
MAX_TEXT: Final = 2_000
MAX_NS: Final = 2**62 - 1
_SERVER, _CLIENT, _PRODUCER, _CONSUMER = 2, 3, 4, 5
_ERROR: Final = 2
_encode = msgspec.msgpack.Encoder().encode


@dataclass(slots=True)
class Service:
    """One resource: what stands for a process.

    Attributes:
        process_id: made of its attributes.
        payloads: records that were made and not yet taken.
        received: the last spans that fetched: the receive of each message, by the span that sent it.
    """

    process_id: str
    payloads: list[bytes] = field(default_factory=list)
    received: OrderedDict[bytes, dict[tuple[str, str] | None, int]] = field(default_factory=OrderedDict)
    _numbers: dict[Any, int] = field(default_factory=dict)
    _sequence: int = 0

    def record(self, *items: Any) -> None:
        """Make a record."""
        self.payloads.append(_encode(items))

    def number(self, table: int, value: Any, key: Any) -> int:
        """The number of an interned value; 0 when there are too many."""
        number = self._numbers.get((table, key))
        if number is None:
            if len(self._numbers) >= NUMBERS - 1:
                return 0
            number = self._numbers[table, key] = len(self._numbers) + 1
            self.record(records.DEFINE, table, number, value)
        return number

    def next(self) -> int:
        """The next operation's sequence."""
        self._sequence = min(self._sequence + 1, SEQUENCES - 1)
        return self._sequence


@dataclass(slots=True)
class Services:
    """All resources that have sent spans.

    Attributes:
        nonce: of this recording: their processes are its own.
        limit: how many there may be.
    """

    nonce: bytes
    limit: int = 10_000
    refused: int = 0
    _by_id: dict[str, Service] = field(default_factory=dict)

    def of(self, resource: Resource) -> Service | None:
        """A resource's; None when there are too many."""
        attributes = plain(resource.attributes)
        text = msgspec.json.encode(attributes, order="sorted")
        process_id = hashlib.blake2b(text, digest_size=16, key=self.nonce).hexdigest()
        service = self._by_id.get(process_id)
        if service is None:
            if len(self._by_id) >= self.limit:
                return None
            service = self._by_id[process_id] = Service(process_id)
            service.record(records.CLOCK, 1, 1)
            service.record(records.PROCESS, _facts(process_id, attributes))
        return service


def _facts(process_id: str, attributes: Mapping[str, Any]) -> dict[str, Any]:
    def text(*candidates: str) -> str:
        return next((str(attributes[name])[:MAX_TEXT] for name in candidates if attributes.get(name)), "")

    pid = attributes.get("process.pid")
    return {
        "process_id": process_id,
        "first_sequence": 1,
        "service": text("service.name"),
        "host": text("host.name", "k8s.pod.name", "container.id", "service.instance.id"),
        "pid": pid if isinstance(pid, int) and 0 < pid < 2**31 else None,
        "language": text("telemetry.sdk.language"),
        "msgtrace": "otlp",
    }


def add(service: Service, scope: str, span: Span) -> int:
    """Make the records of one span.

    Returns:
        How many operations it is.
    """
    attributes = plain(span.attributes)
    for old, new in names.OLDER.items():
        if old in attributes and new not in attributes:
            attributes[new] = attributes[old]
    system, kind = attributes.get(names.SYSTEM), _kind(span, attributes)
    begin_ns = min(span.start_time_unix_nano, MAX_NS)
    end_ns = min(max(span.end_time_unix_nano, begin_ns), MAX_NS)
    told = _Told(service, scope, span, attributes, begin_ns, end_ns)
    if kind is None or (kind != "trigger" and not isinstance(system, str)):
        service.record(SPAN, 0, span.span_id.hex(), span.parent_span_id.hex() or None)
        return 0
    if kind == "trigger":
        return told.trigger()
    if kind == "receive":
        return told.receives(str(system))
    if kind == "process":
        return told.handles(str(system))
    return told.one(str(system), kind)


SPAN: Final = 8
"""Tag of `wire.Span`."""


@dataclass(slots=True)
class _Told:
    """One span that is an operation."""

    service: Service
    scope: str
    span: Span
    attributes: dict[str, Any]
    begin_ns: int
    end_ns: int

    def one(self, system: str, kind: str) -> int:
        message = self.message(system, kind)
        if kind == "send":
            message |= {"trace_id": self.span.trace_id.hex(), "span_id": self.span.span_id.hex()}
        else:
            name = str(self.attributes.get(names.OPERATION_NAME, "")).lower()
            message["outcome"] = names.SETTLED.get(name, "ack")
        self.named(self.operation(system, kind, message, self.begin_ns, self.end_ns))
        return 1

    def receives(self, system: str) -> int:
        """One receive a message: those that the span links to."""
        sources = self.sources()
        batch = {"batch_id": self.service._sequence + 1} if len(sources) > 1 else {}  # noqa: SLF001 - of this file
        first = 0
        known = self.service.received[self.span.span_id] = {}
        for source in sources or (None,):
            message = self.message(system, "receive") | batch | _traceparent(source)
            sequence = known[source] = self.operation(system, "receive", message, self.end_ns, self.end_ns)
            first = first or sequence
        if len(self.service.received) > MAX_RECEIVED:
            self.service.received.popitem(last=False)
        # What follows a batch follows from one of it, and nothing says which.
        self.named(first if len(sources) <= 1 else 0)
        return max(1, len(sources))

    def handles(self, system: str) -> int:
        """The receives that a handler was called with, and its work."""
        # Where the fetch has a span of its own above this, it is the receive.
        fetched = self.service.received.get(self.span.parent_span_id, {})
        received, made = [], 0
        for source in (self.sources() if self.span.links or not fetched else [*fetched]) or (None,):
            sequence = fetched.get(source)
            if sequence is None:
                message = self.message(system, "receive") | _traceparent(source)
                sequence = self.operation(system, "receive", message, self.begin_ns, self.begin_ns)
                made += 1
            received.append(sequence)
        message = self.message(system, "process") | {"receipt": received[0]}
        self.named(self.operation(system, "process", message, self.begin_ns, self.end_ns, causes=received[0]))
        return made + 1

    def trigger(self) -> int:
        """An incoming request."""
        verb = self.attributes.get("http.request.method", self.attributes.get("http.method", ""))
        route = self.attributes.get("http.route") or self.attributes.get("url.path") or self.span.name
        message = {"channel": str(route)[:MAX_TEXT], "channel_kind": "route", "routing_key": str(verb)[:20]}
        self.named(self.operation("http", "trigger", message, self.begin_ns, self.end_ns))
        return 1

    def sources(self) -> list[tuple[str, str] | None]:
        """Trace and span of the sends that a consumer's span names: its links, else its parent."""
        links: list[tuple[str, str] | None] = [
            (each.trace_id.hex(), each.span_id.hex()) for each in self.span.links[:MAX_LINKS] if len(each.span_id) == 8
        ]
        if links or len(self.span.parent_span_id) != 8:
            return links
        return [(self.span.trace_id.hex(), self.span.parent_span_id.hex())]

    def message(self, system: str, kind: str) -> dict[str, Any]:
        """What the attributes say of the message."""
        found = self.attributes
        message: dict[str, Any] = {"channel_kind": names.channel_kind(system, kind)}
        for column, name in names.TEXTS:
            if found.get(name) is not None:
                message[column] = str(found[name])[:MAX_TEXT]
        for column, name in names.NUMBERS:
            if (number := _number(found.get(name))) is not None:
                message[column] = number
        if (partition := _number(found.get(names.PARTITION))) is not None:
            message["partition_id"] = partition
        self._channel(system, kind, message)
        if (address := found.get("server.address")) is not None:
            port = _number(found.get("server.port"))
            facts = {"server_address": str(address)[:MAX_TEXT], "server_port": port}
            message["connection"] = self.service.number(records.CONNECTIONS, facts, (str(address), port))
        return message

    def _channel(self, system: str, kind: str, message: dict[str, Any]) -> None:
        destination = str(self.attributes.get(names.DESTINATION, ""))[:MAX_TEXT]
        if system == "rabbitmq":
            # `{exchange}:{routing key}` of a producer, `{exchange}:{routing key}:{queue}` of a consumer, both without what is
            # empty; the exchange or the queue alone of older instrumentations.
            exchange, _, rest = destination.partition(":")
            if kind == "send":
                destination = exchange
                if rest:
                    message.setdefault("routing_key", rest)
            elif rest:
                destination = rest.rpartition(":")[2]
                message["settings"] = {"exchange": exchange}
        message["channel"] = destination

    def operation(
        self, system: str, kind: str, message: dict[str, Any], begin_ns: int, end_ns: int, causes: int | None = None
    ) -> int:
        """Record it; its sequence."""
        service, sequence = self.service, self.service.next()
        point = [LIBRARY, self.scope[:MAX_TEXT], system[:100], kind, self.span.name[:MAX_TEXT]]
        number = service.number(records.POINTS, point, (*point[:4],))
        service.record(records.BEGIN, sequence, begin_ns, number, 0, 0, causes, 0, message)
        failed = self.span.status.code == _ERROR
        error = str(self.attributes.get("error.type") or "error")[:MAX_TEXT] if failed else None
        text = self.span.status.message[:MAX_TEXT] or None if failed else None
        service.record(records.COMPLETE, sequence, end_ns, "raised" if failed else "ok", error, text, None)
        return sequence

    def named(self, sequence: int) -> None:
        """The span is this operation to those that name it."""
        self.service.record(SPAN, sequence, self.span.span_id.hex(), self.span.parent_span_id.hex() or None)


def _kind(span: Span, attributes: Mapping[str, Any]) -> str | None:
    if names.SYSTEM in attributes:
        said = attributes.get(names.OPERATION_TYPE) or attributes.get(names.OLD_OPERATION)
        if str(said) in names.KINDS:
            return names.KINDS[str(said)]
        return {_PRODUCER: "send", _CONSUMER: "process"}.get(span.kind)
    if span.kind == _SERVER and ("http.request.method" in attributes or "http.method" in attributes):
        return "trigger"
    return None


def _traceparent(source: tuple[str, str] | None) -> dict[str, Any]:
    if source is None:
        return {}
    trace, span = source
    return {"headers": [("traceparent", f"00-{trace}-{span}-01")], "trace_id": trace, "span_id": span}


def _number(value: Any) -> int | None:
    try:
        number = int(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if 0 <= number < 2**62 else None


def plain(attributes: Iterable[KeyValue] | Sequence[KeyValue]) -> dict[str, Any]:
    """Attributes as built-in types; what is nested is left out."""
    return {each.key: value for each in attributes if (value := _value(each.value)) is not None}


def _value(value: AnyValue) -> str | bool | int | float | None:
    kind = value.WhichOneof("value")
    return getattr(value, kind) if kind in {"string_value", "bool_value", "int_value", "double_value"} else None
