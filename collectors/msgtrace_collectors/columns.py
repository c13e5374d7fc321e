"""Which column of the store each field of a record fills, and turning lists of values into Arrow tables. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

INT = pa.int64()
TEXT = pa.string()
BOOL = pa.bool_()
BLOB = pa.binary()
MILLISECONDS = pa.timestamp("ms")
NANOSECONDS = pa.timestamp("ns")
DIGEST = pa.binary(16)

# wire.MessageFields, in its order: field, column, type. A field without a column has been moved elsewhere by `batch`.
MESSAGE_COLUMNS: Final[tuple[tuple[str, str | None, pa.DataType], ...]] = (
    ("channel", "channel", TEXT),
    ("channel_kind", "channel_kind", TEXT),
    ("routing_key", "routing_key", TEXT),
    ("message_key", "message_key", TEXT),
    ("headers", "headers", TEXT),
    ("body", "body_digest", DIGEST),
    ("body_size", "body_size", INT),
    ("data", None, TEXT),
    ("connection", "connection_id", INT),
    ("handler", "handler_id", INT),
    ("link", "link_id", INT),
    ("receipt", "receipt_id", INT),
    ("partition_id", "partition_id", INT),
    ("log_offset", "log_offset", INT),
    ("consumer_group", "consumer_group", TEXT),
    ("group_member", "group_member", TEXT),
    ("group_generation", "group_generation", INT),
    ("consumer_tag", "consumer_tag", TEXT),
    ("delivery_tag", "delivery_tag", INT),
    ("delivery_channel", "delivery_channel", INT),
    ("multiple", "multiple", BOOL),
    ("batch_id", "batch_id", INT),
    ("message_id", "message_id", TEXT),
    ("correlation_id", "correlation_id", TEXT),
    ("reply_to", "reply_to", TEXT),
    ("identity", "identity", TEXT),
    ("producer_time_ms", "producer_time", MILLISECONDS),
    ("broker_time_ms", "broker_time", MILLISECONDS),
    ("delivery_mode", "delivery_mode", INT),
    ("priority", "priority", INT),
    ("expiration", "expiration", TEXT),
    ("content_type", "content_type", TEXT),
    ("encoding", "content_encoding", TEXT),
    ("event_type", "event_type", TEXT),
    ("redelivered", "redelivered", BOOL),
    ("attempt", "attempt", INT),
    ("trace_id", "trace_id", TEXT),
    ("span_id", "span_id", TEXT),
    ("settings", "settings", TEXT),
    ("outcome", "intent", TEXT),
    ("task", "task", TEXT),
    ("test_id", "test_id", TEXT),
    ("channel_id", "channel_id", INT),
    ("truncated", "truncated", BOOL),
    ("redacted", "redacted", INT),
    ("digest", None, DIGEST),
    ("left_out", None, INT),
)

HEAD_COLUMNS: Final[tuple[tuple[str, pa.DataType], ...]] = (
    ("operation_id", INT),
    ("point_id", INT),
    ("thread_id", INT),
    ("site_id", INT),
    ("monotonic_ns", INT),
    ("observed_at", NANOSECONDS),
)

# wire.CompletionFields, in its order: column, type.
FACT_COLUMNS: Final[tuple[tuple[str, pa.DataType], ...]] = (
    ("channel", TEXT),
    ("event_type", TEXT),
    ("partition_id", INT),
    ("log_offset", INT),
    ("identity", TEXT),
    ("message_id", TEXT),
    ("span_id", TEXT),
    ("broker_time", MILLISECONDS),
    ("outcome", TEXT),
    ("consumer_group", TEXT),
    ("group_generation", INT),
    ("settings", TEXT),
)

LATE_COLUMNS: Final[tuple[tuple[str, pa.DataType], ...]] = (
    ("operation_id", INT),
    ("record_order", INT),
    ("monotonic_ns", INT),
    ("error_type", TEXT),
    ("error_message", TEXT),
    *FACT_COLUMNS,
)

CAUSE_COLUMNS: Final[tuple[tuple[str, pa.DataType], ...]] = (
    ("effect_id", INT),
    ("cause_id", INT),
    ("candidates", pa.list_(INT)),
    ("state", pa.int32()),
)

BODY_COLUMNS: Final[tuple[tuple[str, pa.DataType], ...]] = (
    ("body_digest", DIGEST),
    ("content", BLOB),
    ("document", TEXT),
    ("encoding", TEXT),
    ("redacted", pa.int32()),
    ("remarks", TEXT),
    ("body_schema", TEXT),
)

SCHEMA_COLUMNS: Final[tuple[tuple[str, pa.DataType], ...]] = (
    ("body_schema", TEXT),
    ("kind", TEXT),
    ("name", TEXT),
    ("registry_id", INT),
    ("subject", TEXT),
    ("version", INT),
    ("source", TEXT),
    ("text", TEXT),
)

TEST_COLUMNS: Final[tuple[tuple[str, pa.DataType], ...]] = (
    ("process_number", pa.int32()),
    ("test_id", TEXT),
    ("monotonic_ns", INT),
    ("noted_at", NANOSECONDS),
    ("outcome", TEXT),
)

LOSS_COLUMNS: Final[tuple[tuple[str, pa.DataType], ...]] = (
    ("process_number", pa.int32()),
    ("reason", TEXT),
    ("detail", TEXT),
    ("lost", INT),
)

POSITION_COLUMNS: Final[tuple[tuple[str, pa.DataType], ...]] = (
    ("process_number", pa.int32()),
    ("process_id", TEXT),
    ("generation", INT),
    ("frame_offset", INT),
    ("records", INT),
    ("clock_wall_ns", INT),
    ("clock_monotonic_ns", INT),
    ("first_sequence", INT),
    ("parent_number", pa.int32()),
    ("dropped", INT),
    ("pid", INT),
    ("ended", BOOL),
    ("facts", TEXT),
)

# Tables of DEFINE records, by their number: the store's table and its columns after the id.
DEFINITION_TABLES: Final[Mapping[str, tuple[tuple[str, pa.DataType], ...]]] = {
    "points": (
        ("point_id", INT), ("library", TEXT), ("library_version", TEXT), ("system", TEXT), ("kind", TEXT),
        ("target", TEXT),
    ),
    "spans": (("process_number", pa.int32()), ("span_id", TEXT), ("parent_span_id", TEXT), ("operation_id", INT)),
    "threads": (("thread_id", INT), ("name", TEXT)),
    "sites": (("site_id", INT), ("path", TEXT), ("line", INT), ("function", TEXT)),
    "texts": (("text_id", INT), ("value", TEXT)),
    "connections": (
        ("connection_id", INT), ("server", TEXT), ("virtual_host", TEXT), ("broker_id", TEXT), ("facts", TEXT),
    ),
    "handlers": (
        ("handler_id", INT), ("path", TEXT), ("line", INT), ("end_line", INT), ("name", TEXT), ("module", TEXT),
        ("doc", TEXT), ("source", TEXT), ("commit", TEXT),
    ),
}  # fmt: skip


def array(values: Sequence[Any], kind: pa.DataType) -> pa.Array[Any]:
    """One column. Digests become UUIDs, which DuckDB keeps in 16 bytes and joins fast."""
    if kind is DIGEST:
        return pa.ExtensionArray.from_storage(pa.uuid(), pa.array(values, DIGEST))
    return pa.array(values, kind)


def table(columns: Iterable[tuple[str, pa.DataType]], rows: Sequence[tuple[Any, ...]]) -> pa.Table:
    """Rows as an Arrow table."""
    return pa.table({
        name: array(values, kind) for (name, kind), values in zip(columns, zip(*rows, strict=True), strict=True)
    })  # fmt: skip
