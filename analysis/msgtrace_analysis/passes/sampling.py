"""Takes a sample of each address's messages, to judge by what names are read. The same trace gives the same sample."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

from msgtrace_analysis.passes.discriminators import MAX_KEYS, Sample

if TYPE_CHECKING:
    from collections.abc import Iterator

    from msgtrace_analysis.study import Study

PER_ADDRESS: Final = 1_000
LEAST: Final = 50
IN_ALL: Final = 40_000
LARGEST_BYTES: Final = 65_536
"""Larger bodies are not looked into for a name."""
CHUNK_BYTES: Final = 16_000_000
CHUNK_ROWS: Final = 20_000

ADDRESSES: Final = """
    select count(*) from (
        select distinct system, address_kind, address from addressed where kind in ('send', 'receive', 'process')
    )
"""

# One row per sampled message. Deliveries repeat their sends, so those are taken first.
SAMPLED: Final = """
    create table sampled as
    with taken as (
        select unnest(
            min(
                {{
                    'again': kind <> 'send',
                    'place': (operation_id % 1000003) * 7919 % 1000003,
                    'operation_id': operation_id,
                    'address': address,
                    'address_kind': address_kind,
                    'headers': headers,
                    'routing_key': routing_key,
                    'bytes': coalesce(body_size, 0),
                    'read': readable and coalesce(body_size, 0) <= {largest},
                    'system': system
                }},
                {many}
            )
        ) as t
        from addressed
        where kind in ('send', 'receive', 'process') and address_kind <> 'bus'
        group by system, address_kind, address
    )
    select t.* from taken
"""

# One row per sampled message, in the order in which they are read.
ROWS: Final = """
    select s.system, s.address_kind, s.address, s.operation_id, s.headers, k.key, s.bytes, s.read
    from sampled as s
    left join keys as k
        on k.system is not distinct from s.system and k.address_kind = s.address_kind and k.address = s.address
        and k.routing_key = s.routing_key
    order by s.operation_id
"""

Key = tuple[str | None, str, str]


def take(study: Study) -> dict[Key, Sample]:
    """A sample of each address but buses, by (system, kind, address). Needs `addressed` and `keys`.

    Adds the table `shapes`: the names of the fields of each sampled object.
    """
    ((addresses,),) = study.rows(ADDRESSES)
    many = max(LEAST, min(PER_ADDRESS, IN_ALL // max(1, addresses)))
    study.run(SAMPLED.format(many=many, largest=LARGEST_BYTES))
    samples: dict[Key, Sample] = {}
    operations: list[int] = []
    shapes: list[list[str]] = []
    for chunk in _chunks(study.rows(ROWS)):
        bodies = dict(study.some_bodies([row[3] for row in chunk if row[7]]))
        for system, kind, address, operation, headers, key, _, _ in chunk:
            body = _read(bodies.get(operation))
            samples.setdefault((system, kind, address), Sample()).add(body, _headers(headers), key)
            if isinstance(body, dict) and len(body) <= MAX_KEYS:
                operations.append(operation)
                shapes.append([name.encode("utf-8", "replace").decode() for name in body])
    study.keep(
        "shapes",
        pa.table({"operation_id": pa.array(operations, pa.int64()), "fields": pa.array(shapes, pa.list_(pa.string()))}),
    )
    return samples


def _chunks(rows: list[tuple[Any, ...]]) -> Iterator[list[tuple[Any, ...]]]:
    chunk: list[tuple[Any, ...]] = []
    size = 0
    for row in rows:
        chunk.append(row)
        size += row[6] if row[7] else 0
        if size > CHUNK_BYTES or len(chunk) == CHUNK_ROWS:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk


def _read(body: str | None) -> Any:
    if body is None:
        return None
    try:
        # Numbers are not looked at, and may be of any length.
        return json.loads(body, parse_int=_nothing, parse_float=_nothing)
    except (ValueError, RecursionError):
        return None


def _nothing(_: str) -> int:
    return 0


def _headers(headers: str | None) -> dict[str, Any]:
    known = _read(headers)
    return known if isinstance(known, dict) and len(known) <= MAX_KEYS else {}
