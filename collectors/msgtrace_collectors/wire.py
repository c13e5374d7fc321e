"""Decodes the records of `msgtrace.records` into typed structs, and saves what can be saved of a malformed one. Pure.

The structs restate the wire contract in the decoder's terms, because typed decoding costs no more than untyped and
finds a wrong type at the record that has it, before it reaches a column of fifty thousand rows.
"""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeAlias

import msgspec
from msgspec import Meta, Struct

from msgtrace import records

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_INT64: Final = 2**63 - 1
Int64: TypeAlias = Annotated[int, Meta(ge=-(2**63), le=MAX_INT64)]


class MessageFields(Struct, gc=False, omit_defaults=True):
    """`records.Message`, its fields in the order of `columns.MESSAGE_COLUMNS`.

    `body`, `data` and `message_key` are unions that msgspec has no check for; `batch` looks at them.
    The fields after `test_id` are never a traced process's: they are the collector's own, or a forwarder's, who has read a
    message and sends it on without its body.
    """

    channel: str | Int64 | None = None
    channel_kind: str | None = None
    routing_key: str | None = None
    message_key: Any = None
    headers: list[tuple[str, Any]] | None = None
    body: Any = None
    body_size: Int64 | None = None
    data: Any = None
    connection: Int64 | None = None
    handler: Int64 | None = None
    link: Int64 | None = None
    receipt: Int64 | None = None
    partition_id: Int64 | None = None
    log_offset: Int64 | None = None
    consumer_group: str | None = None
    group_member: str | None = None
    group_generation: Int64 | None = None
    consumer_tag: str | None = None
    delivery_tag: Int64 | None = None
    delivery_channel: Int64 | None = None
    multiple: bool | None = None
    batch_id: Int64 | None = None
    message_id: str | None = None
    correlation_id: str | None = None
    reply_to: str | None = None
    identity: str | None = None
    producer_time_ms: Int64 | None = None
    broker_time_ms: Int64 | None = None
    delivery_mode: Int64 | None = None
    priority: Int64 | None = None
    expiration: str | None = None
    content_type: str | None = None
    encoding: str | None = None
    event_type: str | None = None
    redelivered: bool | None = None
    attempt: Int64 | None = None
    trace_id: str | None = None
    span_id: str | None = None
    settings: dict[str, Any] | None = None
    outcome: str | None = None
    task: str | None = None
    test_id: str | None = None
    channel_id: Int64 | None = None
    truncated: bool | None = None
    redacted: Int64 | None = None
    digest: Any = None
    left_out: int | None = None


class CompletionFields(Struct, gc=False, omit_defaults=True):
    """`records.Facts`, its fields in the order of `columns.FACT_COLUMNS`."""

    channel: str | None = None
    event_type: str | None = None
    partition_id: Int64 | None = None
    log_offset: Int64 | None = None
    identity: str | None = None
    message_id: str | None = None
    span_id: str | None = None
    broker_time_ms: Int64 | None = None
    outcome: str | None = None
    consumer_group: str | None = None
    group_generation: Int64 | None = None
    settings: dict[str, Any] | None = None


class Begin(Struct, array_like=True, tag=records.BEGIN, gc=False):
    """An operation that has begun."""

    sequence: Int64
    monotonic_ns: Int64
    point: Int64
    thread: Int64
    code_site: Int64
    causes: Int64 | list[Int64] | None
    cause_state: int
    message: MessageFields


class Observed(Struct, array_like=True, tag=records.OBSERVED, gc=False):
    """An operation that is over."""

    sequence: Int64
    monotonic_ns: Int64
    point: Int64
    thread: Int64
    code_site: Int64
    causes: Int64 | list[Int64] | None
    cause_state: int
    message: MessageFields
    outcome: str | None
    duration_ns: Int64 | None


class Complete(Struct, array_like=True, tag=records.COMPLETE, gc=False):
    """How an operation ended, or what became known of it later."""

    sequence: Int64
    monotonic_ns: Int64
    outcome: str | None
    error_type: str | None
    error_message: str | None
    facts: CompletionFields | None


class Together(Struct, array_like=True, tag=records.TOGETHER, gc=False):
    """How several operations ended, all well."""

    sequences: list[Int64]
    monotonic_ns: Int64
    facts: CompletionFields


class Define(Struct, array_like=True, tag=records.DEFINE, gc=False):
    """What an interned number means."""

    table: int
    number: Int64
    value: Any


class Process(Struct, array_like=True, tag=records.PROCESS, gc=False):
    """What is known of the writing process."""

    facts: dict[str, Any]


class Clock(Struct, array_like=True, tag=records.CLOCK, gc=False):
    """An anchor between the two clocks."""

    wall_ns: Int64
    monotonic_ns: Int64


class Loss(Struct, array_like=True, tag=records.LOSS, gc=False):
    """Something that was not recorded."""

    reason: str
    count: Int64
    detail: str


class Span(Struct, array_like=True, tag=8, gc=False):
    """A span of OpenTelemetry's: never a traced process's, but `otlp`'s, which makes records of what services send there.

    Attributes:
        sequence: of the operation that it is; 0 when it is none.
        span_id: in hexadecimal.
        parent_span_id: likewise.
    """

    sequence: Int64
    span_id: Annotated[str, Meta(max_length=16)]
    parent_span_id: Annotated[str, Meta(max_length=16)] | None


class Test(Struct, array_like=True, tag=records.TEST, gc=False):
    """A test begins, or has ended."""

    test_id: str
    monotonic_ns: Int64
    outcome: str | None


Record: TypeAlias = Begin | Complete | Observed | Define | Process | Clock | Loss | Together | Span | Test

decode = msgspec.msgpack.Decoder(Record).decode
"""One payload -> its record. Raises msgspec.DecodeError or, for a wrong type, its subclass ValidationError."""

_FIELD_TYPES = {f.name: f.type for f in msgspec.structs.fields(MessageFields)}
_FACT_TYPES = {f.name: f.type for f in msgspec.structs.fields(CompletionFields)}


def apart(together: Together) -> Iterator[Complete]:
    """The completion of each operation that ended together with others, its facts its own."""
    first = together.facts.log_offset
    for place, sequence in enumerate(together.sequences):
        facts = copy(together.facts)
        if first is not None:
            facts.log_offset = min(first + place, MAX_INT64)
        yield Complete(sequence, together.monotonic_ns, "ok", None, None, facts)


def salvage(payload: bytes) -> tuple[Record | None, list[str]]:
    """Decode a record that `decode` refuses, without the fields that are of a wrong type.

    Returns:
        The record, or None when nothing can be saved, and the names of the fields left out.
    """
    try:
        raw = msgspec.msgpack.decode(payload)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return None, []
    if not isinstance(raw, list) or not raw:
        return None, []
    left_out: list[str] = []
    if raw[0] in {records.BEGIN, records.OBSERVED} and len(raw) > 8 and isinstance(raw[8], dict):
        raw[8], left_out = _fitting(raw[8], _FIELD_TYPES)
    elif raw[0] == records.COMPLETE and len(raw) > 6 and isinstance(raw[6], dict):
        raw[6], left_out = _fitting(raw[6], _FACT_TYPES)
    elif raw[0] == records.TOGETHER and len(raw) > 3 and isinstance(raw[3], dict):
        raw[3], left_out = _fitting(raw[3], _FACT_TYPES)
    try:
        return msgspec.convert(raw, Record), left_out
    except (msgspec.ValidationError, RecursionError):
        return None, left_out


def _fitting(fields: dict[Any, Any], types: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    kept: dict[str, Any] = {}
    left_out: list[str] = []
    for name, value in fields.items():
        if name not in types:
            continue
        try:
            kept[name] = msgspec.convert(value, types[name])
        except (msgspec.ValidationError, RecursionError):
            left_out.append(name)
    return kept, left_out
