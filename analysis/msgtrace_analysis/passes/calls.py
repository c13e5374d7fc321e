"""Requests that programs make over HTTP: who calls whom, how often, how it ends, how long it takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from msgtrace_analysis.findings import CERTAINTIES, Call, Latency, Place
from msgtrace_analysis.passes.evidence import EVIDENCE, evidence

if TYPE_CHECKING:
    from msgtrace_analysis.study import Study

LISTED: Final = 500
"""The most frequent; a crawler calls more."""

# One row per request over HTTP: what was called, how it ended, what was being handled. A status of 500 or above, 408, 425
# and 429 say that it was not done (RFC 9110, 15.5.9 and 15.6; RFC 8470; RFC 6585).
CALLS: Final = """
    create table calls as
    with known as (
        select
            o.operation_id, o.process_id, o.observed_ns, o.monotonic_ns + coalesce(o.duration_ns, 0) as ended_ns,
            o.duration_ns, o.service, coalesce(o.code_function, '') as code_function, coalesce(o.code_site, '') as code_site,
            coalesce(o.routing_key, '') as method, coalesce(o.server, o.settings ->> '$.server', '') as server, o.address,
            trim(method || ' ' || server || o.address) as target,
            try_cast(o.settings ->> '$.status' as integer) as status,
            o.outcome, o.error_type
        from addressed as o
        where o.kind = 'call' and o.system = 'http'
    ), caused as (
        select
            effect_id,
            min_by(cause_id, (case certainty when 'exact' then 0 when 'likely' then 1 else 2 end, cause_id)) as cause_id,
            min(case certainty when 'exact' then 0 when 'likely' then 1 else 2 end) as rank
        from causes
        where effect_id in (select operation_id from known)
        group by effect_id
    )
    select
        k.*, c.cause_id, c.rank,
        case
            when k.error_type is not null then k.error_type
            when k.outcome in ('raised', 'cancelled') then k.outcome
            when k.status >= 500 or k.status in (408, 425, 429) then 'status ' || k.status
        end as failure
    from known as k
    left join caused as c on c.effect_id = k.operation_id
"""

# One row per place that calls, place that it is called for, and address.
CALLED: Final = f"""
    select
        c.service, c.code_function, c.code_site, p.kind, p.service, p.name, p.site, c.method, c.server, c.address,
        list_sort(list(c.failure) filter (c.failure is not null)),
        list_sort(list(c.status) filter (c.status is not null)),
        count(c.status), quantile_cont(c.duration_ns / 1e6, [0.5, 0.95, 0.99]) filter (c.status is not null),
        max(coalesce(c.rank, 0)),
        {EVIDENCE.replace("operation_id", "c.operation_id")}
    from calls as c
    left join places as p on p.operation_id = c.cause_id
    group by c.service, c.code_function, c.code_site, p.kind, p.service, p.name, p.site, c.method, c.server, c.address
    order by count(*) desc, c.service, c.server, c.address, c.method, c.code_site, c.code_function, p.service, p.name,
        p.site, p.kind
    limit {LISTED}
"""


def note_calls(study: Study) -> None:
    """Add the table `calls`. Needs `addressed`."""
    study.run(CALLS)


def calls(study: Study) -> tuple[Call, ...]:
    """The most frequent ones first. Needs `calls` and `places`."""
    return tuple(_call(row) for row in study.rows(CALLED))


def _call(row: tuple[Any, ...]) -> Call:
    (
        service,
        function,
        site,
        kind,
        *because,
        method,
        server,
        address,
        failures,
        statuses,
        timed,
        times,
        rank,
        a,
        b,
        c,
        d,
    ) = row
    return Call(
        caller=Place("code", service, function, site),
        because=None if kind is None else Place(kind, *because),
        method=method,
        server=server,
        path=address,
        failures=_counted(failures or []),
        statuses=_counted(statuses or []),
        duration=None if not timed else Latency(timed, *(round(each, 3) for each in times)),
        evidence=evidence((a, b, c, d), CERTAINTIES[rank]),
    )


def _counted(values: list[Any]) -> tuple[tuple[Any, int], ...]:
    return tuple((each, values.count(each)) for each in dict.fromkeys(values))
