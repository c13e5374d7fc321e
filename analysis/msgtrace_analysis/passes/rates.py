"""How often: of each event type, channel, service and edge the count, rate with its interval, peak, burstiness.

Messages are counted in windows first; everything but schedules is summed up from these, so that a long trace costs little
more than one pass over it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from msgtrace_analysis.findings import Frequencies, Place, Rate, Schedule
from msgtrace_analysis.passes import schedules
from msgtrace_analysis.passes.backlogs import backlogs
from msgtrace_analysis.passes.events import ref
from msgtrace_analysis.passes.evidence import evidence
from msgtrace_analysis.passes.intervals import is_overdispersed, overdispersed, poisson

if TYPE_CHECKING:
    from msgtrace_analysis.findings import Scope
    from msgtrace_analysis.study import Study

WINDOWS_NS: Final = (1_000_000_000, 100_000_000)
"""Widths of the fine windows; the first of which there are enough is taken."""
ENOUGH_WINDOWS: Final = 10
COARSE: Final = 30
"""So many coarse windows, or a few more, show bursts that last."""
ENOUGH: Final = 10
"""Messages from which on burstiness is more than noise."""
SHORT_S: Final = 60
DAY_NS: Final = 86_400_000_000_000
APART_NS: Final = 50_000_000
"""What follows sooner in one series belongs to the same tick."""
MOST_TICKS: Final = 2_000

# One row per message that failed, was refused or was given back, at its sender or at one of its receivers.
FAILED: Final = """
    create table failed_messages as
    with bad as (
        select operation_id, kind from operations
        where outcome in ('raised', 'returned', 'nack', 'reject', 'requeue')
            or (error_type is not null and outcome is distinct from 'ok')
    )
    select b.operation_id from bad as b where b.kind in ('send', 'receive', 'process')
    union
    select s.receive_id from settlements as s inner join bad as b on b.operation_id = s.settle_id
    union
    select c.cause_id from causes as c inner join bad as b on b.operation_id = c.effect_id
    where b.kind = 'process' and c.certainty = 'exact'
"""

# One row per event type, in the catalogue's order. `counted` is the side that its rate is of.
TYPES: Final = """
    create table event_types as
    select
        row_number() over (order by system, address, name, address_kind) as type,
        system, address_kind, address, name,
        case when count(*) filter (side = 'send') > 0 then 'send' else 'receive' end as counted
    from messages
    group by system, address_kind, address, name
"""

# One row per message. `counts` where its event type's rate is of its side.
COUNTED: Final = """
    create table counted as
    select
        m.operation_id, t.type, m.side, m.side = t.counted as counts, m.send_id, o.service,
        o.observed_ns as moment, o.body_size as bytes, f.operation_id is not null as failed
    from messages as m
    inner join operations as o using (operation_id)
    inner join event_types as t
        on t.system is not distinct from m.system and t.address_kind = m.address_kind and t.address = m.address
        and t.name = m.name
    left join failed_messages as f on f.operation_id = o.operation_id
"""

# One row per event type, side, pair of services and window.
PACES: Final = """
    create table paces as
    select
        c.type, c.side, c.counts, c.service, case when c.side = 'receive' then s.service end as source,
        (c.moment - $1) // $2 as pace,
        count(*) as messages, sum(coalesce(c.bytes, 0)) as bytes, count(*) filter (c.failed) as failed,
        min(c.operation_id, 5) as examples, min(c.moment) as first, max(c.moment) as last
    from counted as c
    left join operations as s on s.operation_id = c.send_id
    group by all
"""

# One row per subject of one scope: its sums, and the counts and squares of the counts over fine windows ($1 whole ones)
# and over coarse ones of $2 fine ones each ($3 whole ones).
SUMMED: Final = """
    with fine as (
        select {key}, p.side, p.pace, sum(p.messages) as messages, sum(p.bytes) as bytes, sum(p.failed) as failed,
            flatten(list(p.examples)) as examples, min(p.first) as first, max(p.last) as last
        from paces as p
        inner join event_types as t using (type)
        where {chosen}
        group by all
    ), coarse as (
        select {names}, side, pace // $2 as pace, sum(messages) as messages
        from fine
        where pace // $2 < $3
        group by all
    ), lasting as (
        select {names}, side, sum(messages) as messages, sum(messages * messages) as square from coarse group by all
    )
    select
        {names}, side, sum(f.messages), sum(f.bytes), sum(f.failed), max(f.messages), arg_max(f.pace, (f.messages, -f.pace)),
        sum(f.messages) filter (f.pace < $1), sum(f.messages * f.messages) filter (f.pace < $1),
        any_value(l.messages), any_value(l.square),
        sum(f.messages), list_sort(flatten(list(f.examples)))[:5], min(f.first), max(f.last)
    from fine as f
    left join lasting as l using ({names}, side)
    group by {names}, side
    order by {names}, side
"""
_EVENT = "coalesce(t.system, '') as system, t.address_kind, t.address, t.name"
SCOPES: Final[dict[Scope, tuple[str, str, str]]] = {
    "event": (_EVENT, "system, address_kind, address, name", "p.counts"),
    "channel": (
        "coalesce(t.system, '') as system, t.address_kind, t.address", "system, address_kind, address", "p.counts",
    ),
    "service": ("p.service", "service", "true"),
    "edge": (
        f"coalesce(p.source, '') as source, p.service, {_EVENT}",
        "source, service, system, address_kind, address, name",
        "p.side = 'receive' and t.address_kind <> 'bus'",
    ),
}  # fmt: skip
"""Scope -> columns, their names, and which windows count."""

# One row per hour of the day in which an event type was seen.
HOURS: Final = """
    select type, (($1 + pace * $2) // 3600000000000) % 24 as hour, sum(messages)
    from paces
    where counts
    group by all
"""

# One row per series of one event type, by process and place in the code: the beginnings of its ticks. What follows from
# something else has no schedule of its own.
TICKS: Final = f"""
    with beats as (
        select c.type, o.process_id, c.service, coalesce(o.code_function, '') as name, coalesce(o.code_site, '') as site,
            c.moment
        from counted as c
        inner join operations as o using (operation_id)
        anti join causes as k on k.effect_id = c.operation_id
        where c.counts and c.side = 'send'
    ), begun as (
        select *
        from beats
        window series as (partition by type, process_id, service, name, site order by moment)
        qualify moment - lag(moment) over series > {APART_NS} or row_number() over series = 1
    )
    select type, service, name, site, min(moment, {MOST_TICKS})
    from begun
    group by type, process_id, service, name, site
    having count(*) >= {schedules.FEWEST}
    order by type, service, name, site, min(moment)
"""


def frequencies(study: Study) -> Frequencies:
    """Find all rates. Needs the tables of `naming`."""
    ((first, last),) = study.rows("select min(observed_ns), max(observed_ns) from operations")
    span = 0 if first is None else last - first
    width = next((each for each in WINDOWS_NS if span >= ENOUGH_WINDOWS * each), None)
    for sql in (FAILED, TYPES, COUNTED):
        study.run(sql)
    study.run(PACES, [first or 0, width or max(1, span + 1)])
    measured = _Measured(study, first or 0, span, width)
    rates = tuple(rate for scope in SCOPES for rate in measured.rates(scope))
    return Frequencies(
        seconds=round(span / 1e9, 3),
        window_s=None if width is None else width / 1e9,
        note=_note(span / 1e9, study.sample) if rates else "",
        rates=rates,
        backlogs=backlogs(study, first or 0, span),
    )


def _note(seconds: float, sample: float | None) -> str:
    notes = []
    if sample is not None:
        notes.append(f"of a sample: {sample:g} of the conversations, and channels without ids whole or not at all")
    if seconds < SHORT_S:
        notes.append(f"read from a trace of {seconds:.3g} s: how often it happens at other times can't be seen in it")
    return "; ".join(notes)


class _Measured:
    """What the rates of all scopes are worked out from.

    Args:
        study: the trace.
        first: when it begins.
        span: how long it is, in nanoseconds.
        width: of a fine window; None when there are none.
    """

    def __init__(self, study: Study, first: int, span: int, width: int | None) -> None:
        self._study, self._first, self._span, self._width = study, first, span, width
        self._fine = 0 if width is None else span // width
        self._each = max(1, self._fine // COARSE)
        self._coarse = self._fine // self._each
        names = {row[0]: ref(*row[1:]) for row in study.rows(
            "select type, system, address_kind, address, name from event_types"
        )}  # fmt: skip
        self._hours: dict[str, list[int]] = {}
        if span >= DAY_NS and width is not None:
            for kind, hour, messages in study.rows(HOURS, [first, width]):
                self._hours.setdefault(names[kind], [0] * 24)[hour] = messages
        self._schedules: dict[str, list[Schedule]] = {}
        # A period of what was left out in part is a multiple of the true one, or none.
        for kind, service, name, site, ticks in study.rows(TICKS) if study.sample is None else ():
            found = schedules.find([(each - first) / 1e9 for each in ticks])
            if found is not None:
                self._schedules.setdefault(names[kind], []).append(_schedule(Place("code", service, name, site), found))

    def rates(self, scope: Scope) -> list[Rate]:
        """All of one scope."""
        key, names, chosen = SCOPES[scope]
        sql = SUMMED.format(key=key, names=names, chosen=chosen)
        width = len(names.split(", "))
        windows = [self._fine, self._each, self._coarse]
        return [self._rate(scope, row[:width], row[width:]) for row in self._study.rows(sql, windows)]

    def _rate(self, scope: Scope, key: tuple[Any, ...], row: tuple[Any, ...]) -> Rate:
        side, messages, size, failed, most, when, of_fine, square, of_coarse, coarse, *rest = row
        seconds = self._span / 1e9
        lasting = _fano(of_coarse, coarse, self._coarse)
        fano = None if lasting is None else max(lasting, _fano(of_fine, square, self._fine) or 0.0)
        burst = lasting is not None and is_overdispersed(lasting, self._coarse)
        low, high = overdispersed(messages, lasting) if burst and lasting is not None else poisson(messages)
        subject, name, source, target = _subject(scope, key)
        return Rate(
            scope=scope, subject=subject, name=name, source=source, target=target, side=side, messages=messages,
            per_second=round(messages / seconds, 6) if seconds else None,
            low=round(low / seconds, 6) if seconds else None,
            high=round(high / seconds, 6) if seconds else None,
            interval="overdispersed" if burst else "poisson",
            peak_per_second=None if self._width is None else round(most * 1e9 / self._width, 3),
            peak_ns=None if self._width is None else self._first + when * self._width,
            fano=None if fano is None else round(fano, 2),
            bytes_per_second=round(size / seconds, 3) if seconds and size else None,
            failed=failed,
            schedules=tuple(self._schedules.get(subject, ())) if scope == "event" else (),
            hours=tuple(self._hours[subject]) if scope == "event" and subject in self._hours else None,
            evidence=evidence(rest),
            sample=self._study.sample,
        )  # fmt: skip


def _fano(messages: int | None, square: int | None, windows: int) -> float | None:
    """The variance of the counts in windows over their mean; None for too few."""
    if messages is None or square is None or messages < ENOUGH or windows < ENOUGH_WINDOWS:
        return None
    mean = messages / windows
    return (square / windows - mean * mean) * windows / (windows - 1) / mean


def _subject(scope: Scope, key: tuple[Any, ...]) -> tuple[str, str, str | None, str | None]:
    if scope == "service":
        return key[0], key[0], None, None
    if scope == "channel":
        return "/".join(key), key[2], None, None
    if scope == "event":
        return ref(*key), key[3], None, None
    source, target, *event = key
    return ref(event[0], event[1], event[2], event[3]), event[3], source or None, target


def _schedule(place: Place, found: schedules.Found) -> Schedule:
    return Schedule(
        place=place,
        period_s=float(f"{found.period_s:.4g}"),
        jitter_s=float(f"{found.jitter_s:.2g}"),
        ticks=found.ticks,
        missed=found.missed,
        certainty="likely" if found.chance < 1e-6 else "guess",
    )
