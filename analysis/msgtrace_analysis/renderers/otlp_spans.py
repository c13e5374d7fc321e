"""Makes OpenTelemetry spans of operations, with its messaging conventions; what it has no name for is under `msgtrace.`. Pure.

Ids are made of the trace file's and the operation's: a span that is sent again is the same span. A consumer's span links to
its sends rather than being their child, as the conventions have it; both are in one trace.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope, KeyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span, Status

from msgtrace import __version__
from msgtrace_analysis.renderers.persons import without_persons
from msgtrace_collectors.otlp import names

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

SCOPE: Final = InstrumentationScope(name="msgtrace", version=__version__)
_KINDS: Final = {
    "send": Span.SPAN_KIND_PRODUCER, "receive": Span.SPAN_KIND_CLIENT, "process": Span.SPAN_KIND_CONSUMER,
    "settle": Span.SPAN_KIND_CLIENT, "trigger": Span.SPAN_KIND_SERVER, "call": Span.SPAN_KIND_CLIENT,
}  # fmt: skip
_FAILED: Final = frozenset({"raised", "cancelled", "returned"})


@dataclass(frozen=True, slots=True)
class SpanRow:
    """One operation, as `commands.export.otlp` asks for it."""

    operation_id: int
    kind: str
    system: str | None
    client: str | None
    service: str | None
    host: str | None
    process_id: str | None
    pid: int | None
    began_ns: int
    duration_ns: int
    server: str | None
    channel: str | None
    channel_kind: str | None
    routing_key: str | None
    message_key: str | None
    partition_id: int | None
    log_offset: int | None
    consumer_group: str | None
    delivery_tag: int | None
    message_id: str | None
    correlation_id: str | None
    trace_id: str | None
    span_id: str | None
    body_size: int | None
    event_type: str | None
    outcome: str | None
    error_type: str | None
    site: str | None
    attempt: int | None
    redelivered: bool | None


@dataclass(frozen=True, slots=True)
class Relations:
    """How some operations hang together with any others.

    Attributes:
        links: of a receive its sends, of a settlement its receives, with certainty.
        causes: of an operation those that it follows from, with certainty.
        roots: of an operation where what led to it began.
        trace_ids: of operations whose message carried one.
    """

    links: Mapping[int, list[tuple[int, str]]] = field(default_factory=dict)
    causes: Mapping[int, list[tuple[int, str]]] = field(default_factory=dict)
    roots: Mapping[int, int] = field(default_factory=dict)
    trace_ids: Mapping[int, str] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        links: Iterable[Sequence[Any]],
        causes: Iterable[Sequence[Any]],
        roots: Iterable[Sequence[Any]],
        trace_ids: Mapping[int, str],
    ) -> Relations:
        """From rows of (operation, other operation, certainty) and of (operation, its root)."""
        by_link: dict[int, list[tuple[int, str]]] = defaultdict(list)
        by_cause: dict[int, list[tuple[int, str]]] = defaultdict(list)
        for rows, found in ((links, by_link), (causes, by_cause)):
            for operation, other, certainty in rows:
                found[operation].append((other, certainty))
        return cls(by_link, by_cause, {row[0]: row[1] for row in roots}, trace_ids)


@dataclass(frozen=True, slots=True)
class _Ids:
    trace_file: str
    relations: Relations

    def span(self, operation: int) -> bytes:
        return hashlib.blake2b(f"{self.trace_file}/{operation}".encode(), digest_size=8).digest()

    def trace(self, operation: int) -> bytes:
        root = self.relations.roots.get(operation, operation)
        # Of a message that carried an id, that is the trace: spans of the program's own are in it.
        told = self.relations.trace_ids.get(operation) or self.relations.trace_ids.get(root)
        if told is not None and len(told) == 32:
            try:
                return bytes.fromhex(told)
            except ValueError:
                pass
        return hashlib.blake2b(f"{self.trace_file}/{root}".encode(), digest_size=16).digest()


def spans(rows: Sequence[SpanRow], relations: Relations, trace_file: str) -> ExportTraceServiceRequest:
    """Operations of any processes as one request."""
    ids = _Ids(trace_file, relations)
    by_process: dict[str | None, list[SpanRow]] = defaultdict(list)
    for row in rows:
        by_process[row.process_id].append(row)
    return ExportTraceServiceRequest(
        resource_spans=[
            ResourceSpans(
                resource=resource(each[0].service, each[0].host, each[0].process_id, each[0].pid),
                scope_spans=[ScopeSpans(scope=SCOPE, spans=[_span(row, ids) for row in each])],
            )
            for each in by_process.values()
        ]
    )


def resource(service: str | None, host: str | None, process_id: str | None, pid: int | None) -> Resource:
    """A traced process."""
    return Resource(
        attributes=attributes(
            {
                "service.name": service or "unknown_service",
                "host.name": host,
                "service.instance.id": process_id,
                "process.pid": pid,
                "telemetry.sdk.name": "msgtrace",
                "telemetry.sdk.version": __version__,
            }
        )
    )


def attributes(values: Mapping[str, str | bool | int | float | None]) -> list[KeyValue]:
    """Those that are known; texts without personal data."""
    return [KeyValue(key=key, value=_value(value)) for key, value in values.items() if value not in (None, "")]


def _value(value: Any) -> AnyValue:
    if isinstance(value, bool):
        return AnyValue(bool_value=value)
    if isinstance(value, int):
        return AnyValue(int_value=value) if -(2**63) <= value < 2**63 else AnyValue(string_value=str(value))
    if isinstance(value, float):
        return AnyValue(double_value=value)
    return AnyValue(string_value=without_persons(str(value)))


def _span(row: SpanRow, ids: _Ids) -> Span:
    operation = row.operation_id
    causes = sorted(ids.relations.causes.get(operation, []))
    parent = causes[0][0] if len(causes) == 1 and causes[0][1] != "guess" else None
    others = [(each, certainty, "cause") for each, certainty in causes if each != parent]
    related = [(each, certainty, "message") for each, certainty in sorted(ids.relations.links.get(operation, []))]
    failed = row.error_type is not None or row.outcome in _FAILED
    # A receive's time is its end.
    begin_ns = row.began_ns - row.duration_ns if row.kind == "receive" else row.began_ns
    return Span(
        trace_id=ids.trace(operation),
        span_id=ids.span(operation),
        parent_span_id=b"" if parent is None else ids.span(parent),
        name=without_persons(" ".join(part for part in (_verb(row), row.channel or row.channel_kind) if part)),
        kind=_KINDS[row.kind],
        start_time_unix_nano=begin_ns,
        end_time_unix_nano=begin_ns + max(0, row.duration_ns),
        attributes=attributes(_http(row) if row.kind in {"trigger", "call"} else _messaging(row)),
        links=[
            Span.Link(
                trace_id=ids.trace(each), span_id=ids.span(each),
                attributes=attributes({"msgtrace.certainty": certainty, "msgtrace.relation": relation}),
            )
            for each, certainty, relation in related + others
        ],
        status=Status(code=Status.STATUS_CODE_ERROR if failed else Status.STATUS_CODE_UNSET),
    )  # fmt: skip


def _verb(row: SpanRow) -> str:
    if row.kind in {"trigger", "call"}:
        return row.routing_key or "HTTP"
    return row.outcome if row.kind == "settle" and row.outcome else row.kind


def _messaging(row: SpanRow) -> dict[str, Any]:
    found: dict[str, Any] = {
        names.SYSTEM: row.system,
        names.DESTINATION: row.channel,
        names.OPERATION_TYPE: names.TYPES[row.kind],
        names.OPERATION_NAME: _verb(row),
        names.PARTITION: None if row.partition_id is None else str(row.partition_id),
    }
    for column, name in (*names.TEXTS, *names.NUMBERS):
        if ("kafka" not in name or row.system == "kafka") and ("rabbitmq" not in name or row.system == "rabbitmq"):
            found[name] = getattr(row, column)
    return found | _common(row)


def _http(row: SpanRow) -> dict[str, Any]:
    place = "http.route" if row.kind == "trigger" else "url.path"
    return {"http.request.method": row.routing_key, place: row.channel} | _common(row)


def _common(row: SpanRow) -> dict[str, Any]:
    address, colon, port = (row.server or "").rpartition(":")
    path, _, line = (row.site or "").rpartition(":")
    known_port = bool(colon) and port.isdecimal()
    return {
        "server.address": (address if known_port else row.server or "").strip("[]"),
        "server.port": int(port) if known_port else None,
        "error.type": row.error_type,
        "code.file.path": path,
        "code.line.number": int(line) if line.isdecimal() else None,
        "msgtrace.operation_id": row.operation_id,
        "msgtrace.client": row.client,
        "msgtrace.channel.kind": row.channel_kind,
        "msgtrace.routing_key": row.routing_key if row.system not in {"rabbitmq", "http"} else None,
        "msgtrace.event_type": row.event_type,
        "msgtrace.outcome": row.outcome,
        "msgtrace.attempt": row.attempt,
        "msgtrace.redelivered": row.redelivered or None,
    }
