"""The schemas that bodies were read with, as they were declared: by a registry, in a file, in the body itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from msgtrace_collectors.trace import Trace

# One row per declared schema and record or message of it, with the messages that were read with it.
DECLARED: Final = """
    select
        s.kind, s.name, s.registry_id, s.subject, s.version, s.source, s.text, count(*) as messages,
        list_sort(list(distinct coalesce(o.channel_kind, '') || ' ' || coalesce(o.channel, ''))) as channels,
        min(o.operation_id) as first_operation
    from body_schemas as s
    inner join operations as o using (body_schema)
    where s.kind = $1
    group by all
    order by s.name, s.subject, s.version, s.source, s.text
"""


@dataclass(frozen=True, slots=True)
class DeclaredSchema:
    """A schema, and a record or message in it.

    Attributes:
        kind: `avro`, `protobuf` or `json`.
        name: of the record or message.
        source: a registry's address, a file, `body`, or `descriptor set`.
        text: JSON, a `.proto` file, or Base64 of its descriptor.
        messages: that were read with it.
        channels: of these, each after its kind.
        first_operation: the id of the first of these.
    """

    kind: str
    name: str
    registry_id: int | None
    subject: str | None
    version: int | None
    source: str
    text: str
    messages: int
    channels: tuple[str, ...]
    first_operation: int


def declared_schemas(trace: Trace, kind: str) -> tuple[DeclaredSchema, ...]:
    """The schemas of one kind.

    Raises:
        TraceError: the trace can't be read.
    """
    rows = trace.query(DECLARED, [kind]).to_pylist()
    return tuple(DeclaredSchema(**{**row, "channels": tuple(row["channels"])}) for row in rows)
