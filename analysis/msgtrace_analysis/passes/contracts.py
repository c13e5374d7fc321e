"""The bodies of each event type: their fields, their schema and its versions, from all samples.

A sample is a send's body, or a receive's where the send was not seen; a delivery repeats its send's.
"""

from __future__ import annotations

import pickle
from array import array
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa

from msgtrace_analysis.findings import Contract, Version
from msgtrace_analysis.passes.elsewhere import with_elsewhere
from msgtrace_analysis.passes.events import ref
from msgtrace_analysis.passes.partition_keys import with_keys
from msgtrace_analysis.passes.schema.counts import counts_of
from msgtrace_analysis.passes.schema.fields import fields_of
from msgtrace_analysis.passes.schema.json_schema import DIALECT, schema_of
from msgtrace_analysis.passes.schema.judgement import cut_of, settle
from msgtrace_analysis.passes.schema.moments import moments
from msgtrace_analysis.passes.schema.reading import Packed, Summary, by_moment, read, summarised
from msgtrace_analysis.passes.schema.said_versions import HEADERS, MAX_VERSIONS, may_count_something_else
from msgtrace_analysis.passes.schema.shapes import merged_all
from msgtrace_analysis.passes.schema.versions import changes, verdict

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from msgtrace_analysis.findings import Change
    from msgtrace_analysis.passes.schema.reading import Said
    from msgtrace_analysis.passes.schema.shapes import Shape
    from msgtrace_analysis.study import Study

ENOUGH: Final = 20
"""Samples from which on what they have in common is likely to hold for others."""
SURE_OF_DRIFT: Final = 10
"""Samples on each side of a change that nothing announces."""

# One row per event type: samples that should have a body, and those whose body can be read.
SAMPLES: Final = """
    select m.system, m.address_kind, m.address, m.name, count(*), count(*) filter (o.readable)
    from messages as m
    inner join operations as o using (operation_id)
    where (m.side = 'send' or m.send_id is null) and o.kind <> 'process'
    group by all
    order by all
"""

# One row per message with a header that may say the version of its body: that which tells most.
VERSION_HEADERS: Final = """
    create table version_headers as
    with named as (
        select operation_id, headers, unnest(json_keys(headers)) as header
        from operations
        where starts_with(headers, '{') and (contains(lower(headers), 'version') or contains(lower(headers), 'schema'))
    ), ranked as (
        select
            operation_id, header,
            list_position($1, regexp_replace(
                regexp_replace(lower(header), '^(x[-_]|ce[-_]|cloudevents[:_])', ''), '[^a-z0-9]', '', 'g'
            )) as rank,
            json_extract_string(headers, '/' || replace(replace(header, '~', '~0'), '/', '~1')) as version
        from named
    )
    select operation_id, arg_min('header ' || header, rank) as said_by, arg_min(version, rank) as version
    from ranked
    where rank > 0 and length(version) between 1 and 200
    group by operation_id
"""

TELLING: Final = 256
"""Places in the order of samples for each moment: those of one moment are told apart by their operations."""
LONG_NS: Final = 2**54
"""A trace that covers more, most of a year, has its samples in order to the microsecond."""

# One row per sample: its event type's number, and its place in the order of all, which is that of time: operations are numbered
# by process, and those of two processes would seem to come one after the other.
TYPED: Final = """
    select
        m.operation_id, t.number,
        (coalesce(o.observed_ns, {begin}) - {begin}) // {unit} * {telling} + o.operation_id % {telling} as place,
        cast(o.encoding = 'object' as utinyint) as marked, v.said_by, v.version,
        o.body_digest, o.body_block
    from messages as m
    left join version_headers as v on v.operation_id = m.operation_id
    inner join sampled_types as t
        on t.system is not distinct from m.system and t.address_kind = m.address_kind and t.address = m.address
        and t.name = m.name
    inner join operations as o on o.operation_id = m.operation_id
    where (m.side = 'send' or m.send_id is null) and o.kind <> 'process' and o.readable
"""

Key = tuple[str | None, str, str, str]
"""(system, kind of address, address, name)."""


def contracts(study: Study, only: Collection[str] | None = None) -> tuple[Contract, ...]:
    """Infer the contract of event types. Needs the tables of `naming`.

    Args:
        study: the trace.
        only: ids of the event types whose bodies are read; all by default.
    """
    samples = [row for row in study.rows(SAMPLES) if only is None or ref(*row[:4]) in only]
    types = {ref(*key): tuple(key) for *key, _, _ in samples}
    bodies = sum(readable for *_, readable in samples)
    study.run("drop table if exists version_headers")
    study.run(VERSION_HEADERS, [list(HEADERS)])
    found = read(_pages(study, types), summarised, bodies)
    drifted = {event: at for event, each in found.items() if not each.said and (at := moments(each.timeline))}
    wanted = {event: types[event] for event in drifted}
    parts = read(_pages(study, wanted), by_moment(drifted), bodies) if drifted else {}
    inferred = tuple(
        _contract(study, ref(*key), found.get(ref(*key)), parts.get(ref(*key)), messages - readable)
        for *key, messages, readable in samples
    )
    return with_elsewhere(study, with_keys(study, inferred, only))


def _pages(study: Study, types: Mapping[str, Key]) -> Iterator[Packed]:
    """Every sample of some event types."""
    events = tuple(types)
    columns = list(zip(*types.values(), strict=True)) or [()] * 4
    names = ("system", "address_kind", "address", "name")
    study.run("drop table if exists sampled_types")
    study.keep(
        "sampled_types",
        pa.table({
            **{name: pa.array(column, pa.string()) for name, column in zip(names, columns, strict=True)},
            "number": pa.array(range(len(events)), pa.int32()),
        }),
    )  # fmt: skip
    begin, unit = _clock(study)
    for page in study.bodies_of(TYPED.format(begin=begin, unit=unit, telling=TELLING), by="number"):
        yield _packed(page, events)


def _clock(study: Study) -> tuple[int, int]:
    """When samples begin, and the nanoseconds that are one in their order."""
    begin, end = study.extent or (0, 0)
    return begin, 1 if end - begin < LONG_NS else 1_000


def _packed(page: pa.RecordBatch, events: tuple[str, ...]) -> Packed:
    ends, texts = _texts(page.column("body"))
    saids, said = _told(page.column("said_by"), page.column("version"))
    return Packed(
        events,
        page.column("number").to_numpy().tobytes(),
        page.column("place").to_numpy().tobytes(),
        page.column("marked").to_numpy().tobytes(),
        ends,
        texts,
        saids,
        said,
    )


def _told(said_by: pa.Array[Any], versions: pa.Array[Any]) -> tuple[tuple[Said | None, ...], bytes]:
    """What headers say of versions, after None, and the place of each row's among these."""
    if said_by.null_count == len(said_by):  # nearly always
        return (None,), bytes(4 * len(said_by))
    told: list[Said | None] = [
        None if by is None or version is None else (by, version)
        for by, version in zip(said_by.to_pylist(), versions.to_pylist(), strict=True)
    ]
    saids: tuple[Said | None, ...] = (None, *sorted({each for each in told if each is not None}))
    places = {each: place for place, each in enumerate(saids)}
    return saids, array("i", [places[each] for each in told]).tobytes()


def _texts(column: pa.Array[Any]) -> tuple[bytes, bytes]:
    """Where each text of a column ends, after a zero, and the texts; the column may be a part of a larger one."""
    _, ends, texts = column.buffers()
    if ends is None or texts is None:
        return b"", b""
    own = np.frombuffer(memoryview(ends), np.int32)[column.offset : column.offset + len(column) + 1]
    return (own - own[0]).tobytes(), texts.slice(int(own[0]), int(own[-1] - own[0])).to_pybytes()


def _contract(study: Study, event: str, summary: Summary | None, parts: Summary | None, unread: int) -> Contract:
    if summary is None:
        return Contract(event, 0, unread, 0, (), {}, "guess")
    unread += summary.unread
    if not summary.shapes:
        return Contract(event, 0, unread, 0, (), {}, "guess")
    versioned_by, divided = _divided(summary, parts)
    whole = settle(merged_all(summary.shapes.values()))  # uses them up
    return Contract(
        event=event,
        samples=whole.count,
        unread=unread,
        cut=cut_of(whole),
        fields=tuple(fields_of(whole, study.extent)),
        schema={"$schema": DIALECT, **schema_of(whole, study.extent)},
        certainty="likely" if whole.count >= ENOUGH and not unread else "guess",
        versions=_versions(study, divided),
        versioned_by=versioned_by,
        counts=counts_of(whole),
        version_said=_only_version(summary),
    )


def _only_version(summary: Summary) -> tuple[str, str] | None:
    """What says a version of every body, and the version, where all say the same."""
    if len(summary.said) != 1 or len(summary.shapes) != 1 or summary.mixed:
        return None
    (name,), (version,) = summary.said, summary.shapes
    return name, version


def _divided(summary: Summary, parts: Summary | None) -> tuple[str, list[tuple[str, Shape, list[Change]]]]:
    """What says an event type's versions, and each of them, oldest first, with what changed in it; none where there is one."""
    if len(summary.said) == 1 and 2 <= len(summary.shapes) <= MAX_VERSIONS:
        (name,) = summary.said
        stepped = _stepped(summary.shapes)
        differ = any(found for _, _, found in stepped)
        if differ or not may_count_something_else(name):
            return name, stepped
    elif parts is not None and len(parts.shapes) > 1:
        stepped = _stepped(parts.shapes)
        enough = min(shape.count for _, shape, _ in stepped) >= SURE_OF_DRIFT
        if enough and all(found for _, _, found in stepped[1:]):
            return "drift", [(str(place), *rest) for place, (_, *rest) in enumerate(stepped, 1)]  # type: ignore[misc]
    return "", []


def _stepped(shapes: Mapping[str, Shape]) -> list[tuple[str, Shape, list[Change]]]:
    """Settled copies, oldest first, each with its changes."""
    ordered = sorted(shapes.items(), key=lambda each: (_first(each[1]), each[0]))
    settled = [(name, settle(_copied(shape))) for name, shape in ordered]
    return [
        (name, shape, list(changes(settled[place - 1][1], shape)) if place else [])
        for place, (name, shape) in enumerate(settled)
    ]


def _copied(shape: Shape) -> Shape:
    """A copy; `copy.deepcopy` takes three times as long."""
    same: Shape = pickle.loads(pickle.dumps(shape, pickle.HIGHEST_PROTOCOL))  # noqa: S301 - our own
    return same


def _first(shape: Shape) -> int:
    return min(seen.first for seen in shape.types.values())


def _last(shape: Shape) -> int:
    return max(seen.last for seen in shape.types.values())


def _versions(study: Study, divided: Sequence[tuple[str, Shape, list[Change]]]) -> tuple[Version, ...]:
    if not divided:
        return ()
    begin, unit = _clock(study)
    return tuple(
        Version(
            name=name,
            samples=shape.count,
            first_seen_ns=begin + _first(shape) // TELLING * unit,
            last_seen_ns=begin + _last(shape) // TELLING * unit,
            schema=schema_of(shape, study.extent),
            verdict=verdict(found) if place else None,
            changes=tuple(found),
            counts=counts_of(shape),
        )
        for place, (name, shape, found) in enumerate(divided)
    )
