"""Finds loops that try a call again in the code itself: sends and calls that failed and were made again from the same place.

One loop is the same operation, from the same line, with the same body, as an effect of the same message or request, of
which all but the last ended with an error; or the attempts that a retrying library was seen to make; or those of one
process to connect to one server.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from msgtrace_analysis.findings import Attempt, Place

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from msgtrace_analysis.findings import Mechanism
    from msgtrace_analysis.study import Study

# One row per operation of a series that may be a loop: its series, and what it is.
SERIES: Final = """
    with effects as (
        select effect_id, min(cause_id) as cause_id
        from causes
        where certainty <> 'guess'
        group by effect_id
    ), made as (
        select
            o.operation_id, o.observed_ns, coalesce(o.duration_ns, 0) as duration_ns, o.kind,
            coalesce(o.system, '') as system,
            coalesce(nullif(o.channel, ''), o.routing_key, o.server, '') as channel, o.service,
            coalesce(
                case
                    when o.kind = 'connect' or o.settings ->> '$.action' = 'reconnect' then ''
                    when o.channel_kind = 'retry' then coalesce(o.handler_name, o.channel)
                end, o.code_function, ''
            ) as name,
            coalesce(
                case
                    when o.kind = 'connect' or o.settings ->> '$.action' = 'reconnect' then ''
                    when o.channel_kind = 'retry' then o.handler_site
                end, o.code_site, ''
            ) as site, o.outcome,
            coalesce(o.error_type, o.settings ->> '$.error', '') as error_type,
            case when o.channel_kind = 'retry' then o.attempt end as attempt,
            try_cast(o.settings ->> '$.sleep_s' as double) as sleep_s,
            case
                when o.kind = 'connect'
                    then concat_ws(' ', 'connect', o.process_id, case when o.system = 'rabbitmq' then o.task end)
                when o.settings ->> '$.action' = 'reconnect' then concat_ws(' ', o.process_id, o.settings ->> '$.loop')
                else concat_ws(' ', coalesce(cast(e.cause_id as varchar), o.process_id), o.body_digest, o.routing_key)
            end as series,
            coalesce(o.settings ->> '$.action' = 'reconnect', false) as reconnects
        from operations as o
        left join effects as e on e.effect_id = o.operation_id
        where (o.kind in ('send', 'call') and coalesce(o.channel_kind, '') <> 'breaker' and e.cause_id is not null)
            or (o.kind = 'call' and o.channel_kind = 'retry' and o.settings ->> '$.action' in ('attempt', 'reconnect'))
            or (o.kind = 'connect' and coalesce(o.settings ->> '$.action', 'connect') = 'connect')
    )
    select case when reconnects then 'connect' else kind end, system, channel, service, name, site, series, operation_id,
        observed_ns, duration_ns, outcome, error_type, attempt, sleep_s
    from made
    window same as (partition by kind, system, channel, service, name, site, series)
    qualify count(*) filter (outcome in ('raised', 'returned', 'nack')) over same > 0 and (count(*) over same > 1 or reconnects)
    order by kind, system, channel, service, name, site, series, observed_ns, operation_id
"""
FAILED: Final = frozenset({"raised", "returned", "nack"})


@dataclass(frozen=True, slots=True)
class Loop:
    """All attempts of one call.

    Attributes:
        failed: the last one did.
        reason: why this is held to be a loop.
    """

    system: str
    channel: str
    place: Place
    mechanism: Mechanism
    attempts: tuple[Attempt, ...]
    began_ns: tuple[int, ...]
    failed: bool
    reason: str


@dataclass(frozen=True, slots=True)
class _Made:
    """A row of `SERIES`, without its series; `number` and `sleep_s` are those that a retrying library tells."""

    operation_id: int
    at_ns: int
    duration_ns: int
    outcome: str
    error_type: str
    number: int | None
    sleep_s: float | None


def loops(study: Study) -> tuple[Loop, ...]:
    """Find every loop. Needs the tables of the study only."""
    found: list[Loop] = []
    rows = study.rows(SERIES)
    for key, series in itertools.groupby(rows, key=lambda row: row[:7]):
        runs = _runs(_Made(*row[7:]) for row in series)
        found += (_loop(key, run) for run in runs if len(run) > 1 or (run and _goes_on(key, run)))
    return tuple(found)


def _runs(series: Iterable[_Made]) -> Iterator[list[_Made]]:
    """A run ends with a success, and where a library counts anew."""
    run: list[_Made] = []
    for each in series:
        if run and each.number is not None and each.number != (run[-1].number or 0) + 1:
            yield run
            run = []
        run.append(each)
        if each.outcome not in FAILED:
            yield run
            run = []
    yield run


def _goes_on(key: Sequence[Any], run: Sequence[_Made]) -> bool:
    """Whether a client library said that it would try again; that it then did, and with what success, it does not tell."""
    return key[0] == "connect" and run[-1].sleep_s is not None


def _loop(key: Sequence[Any], run: Sequence[_Made]) -> Loop:
    kind, system, channel, service, name, site = key[:6]
    attempts = [Attempt(run[0].operation_id, run[0].number or 1, None, run[0].outcome, run[0].error_type)]
    for before, each in itertools.pairwise(run):
        delay = (
            max(0, each.at_ns - before.at_ns - before.duration_ns) / 1e9 if before.sleep_s is None else before.sleep_s
        )
        attempts.append(Attempt(each.operation_id, attempts[-1].number + 1, delay, each.outcome, each.error_type))
    if _goes_on(key, run):
        attempts.append(Attempt(run[-1].operation_id, attempts[-1].number + 1, run[-1].sleep_s, "unknown", ""))
    began = tuple(each.at_ns for each in run)
    if run[0].number is not None:
        reason = f"{system} was seen to make each attempt"
    else:
        reason = "it connected again" if kind == "connect" else "the same call was made again for the same cause"
    return Loop(
        system, channel, Place("code", service, name, site), "reconnect" if kind == "connect" else "in-process loop",
        tuple(attempts), (*began, *began[-1:])[: len(attempts)], run[-1].outcome in FAILED, reason,
    )  # fmt: skip
