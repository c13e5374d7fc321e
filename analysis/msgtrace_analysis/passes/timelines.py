"""How traffic went over time: sends, deliveries, repetitions, failures and latencies in equal parts of the time of messages."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final

from msgtrace_analysis.findings import Timeline, Timelines
from msgtrace_analysis.passes.events import ref

if TYPE_CHECKING:
    from msgtrace_analysis.study import Study

PARTS: Final = 60

# One row per event type and part of the time, and one per part for all event types.
COUNTS: Final = """
    with repeated as (
        select operation_id
        from attempts
        where redelivered or died or turn > 1 or attempt > 1 or deliveries > 0
    ), placed as (
        select c.type, c.side, c.failed, r.operation_id is not null as again,
            least((c.moment - $1) // $2, $3 - 1) as part
        from counted as c
        left join repeated as r using (operation_id)
    )
    select type, part, count(*) filter (side = 'send'), count(*) filter (side = 'receive'), count(*) filter (again),
        count(*) filter (failed)
    from placed
    group by grouping sets ((type, part), (part))
"""

# One row per event type and part of the time, and one per part for all: of messages sent in it, until each place first had them.
WAITS: Final = """
    with firsts as (
        select send_id, receiver, min(took_ns) as took_ns from arrivals where took_ns >= 0 group by send_id, receiver
    ), placed as (
        select c.type, f.took_ns, least((c.moment - $1) // $2, $3 - 1) as part
        from firsts as f
        inner join counted as c on c.operation_id = f.send_id
    )
    select type, part, quantile_cont(took_ns / 1e6, [0.5, 0.95])
    from placed
    group by grouping sets ((type, part), (part))
"""


def timelines(study: Study) -> Timelines:
    """Lay out all traffic. Needs the tables of `rates`, `attempts` and `graph`."""
    ((first, last),) = study.rows("select coalesce(min(moment), 0), coalesce(max(moment), 0) from counted")
    width = max(1, -(-(last - first) // PARTS))
    parts = min(PARTS, (last - first) // width + 1)
    extent = [first, width, parts]
    counts: defaultdict[int | None, dict[int, tuple[int, ...]]] = defaultdict(dict)
    for kind, part, *row in study.rows(COUNTS, extent):
        counts[kind][part] = tuple(row)
    waits: defaultdict[int | None, dict[int, list[float]]] = defaultdict(dict)
    for kind, part, quantiles in study.rows(WAITS, extent):
        waits[kind][part] = quantiles
    if not counts:
        return Timelines(first, width, 0, None, ())
    lines = {kind: _line(known, waits[kind], parts) for kind, known in counts.items()}
    events = study.rows("select type, system, address_kind, address, name from event_types order by type")
    return Timelines(
        begin_ns=first,
        width_ns=width,
        parts=parts,
        whole=Timeline("", *lines[None]),
        events=tuple(Timeline(ref(*rest), *lines[kind]) for kind, *rest in events),
    )


def _line(counts: dict[int, tuple[int, ...]], waits: dict[int, list[float]], parts: int) -> Any:
    """The columns of a timeline."""
    nothing = (0, 0, 0, 0)
    columns = zip(*(counts.get(part, nothing) for part in range(parts)), strict=True)
    times = [waits.get(part) for part in range(parts)]
    return (
        *columns,
        *(tuple(None if known is None else round(known[place], 3) for known in times) for place in (0, 1)),
    )
