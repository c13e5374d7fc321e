"""How far consumers were behind: messages sent and not yet received, moment by moment, and how long each waited."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgtrace_analysis.findings import Lag
from msgtrace_analysis.passes.evidence import EVIDENCE, WIDTH, evidence
from msgtrace_analysis.passes.handling import OF

if TYPE_CHECKING:
    from msgtrace_analysis.study import Study

# One row per queue or group. A message that comes at the moment at which another goes is counted after it has gone.
LAGS: Final = f"""
    with changes as (
        select {OF}, sent_ns as moment, observed_ns, 1 as change from expected where state <> 'missed'
        union all
        select {OF}, greatest(got_ns, sent_ns), observed_ns + greatest(got_ns - sent_ns, 0),
        -1 from expected where state = 'received'
    ), depths as (
        select
            {OF}, moment, observed_ns,
            sum(change) over (partition by {OF} order by moment, change rows between unbounded preceding and current row) as depth
        from changes
    ), peaks as (
        select {OF}, max(depth) as largest, arg_max(observed_ns, (depth, -moment)) as largest_ns
        from depths
        group by {OF}
    ), sums as (
        select
            {OF}, list_sort(list_distinct(flatten(list(services)))) as services, count(*) as messages,
            count(*) filter (state = 'waiting') as last,
            quantile_cont(greatest(got_ns - sent_ns, 0) / 1e6, [0.5, 0.95]) filter (state = 'received') as waits,
            max(greatest(got_ns - sent_ns, 0) / 1e6) as longest, bool_or(far) as far, {EVIDENCE}
        from expected
        where state <> 'missed'
        group by {OF}
    )
    select
        s.system, s.place, s.channel_kind, s.consumer_group, s.services, s.messages, cast(p.largest as bigint), p.largest_ns,
        s.last,
        s.waits[1], s.waits[2], s.longest, s.far, s.* exclude ({OF}, services, messages, last, waits, longest, far)
    from sums as s
    inner join peaks as p using ({OF})
    order by s.system, s.place, s.channel_kind, s.consumer_group
"""


def lags(study: Study) -> tuple[Lag, ...]:
    """Find how far everybody was behind. Needs `expected`."""
    return tuple(
        Lag(
            system=system, channel=place, channel_kind=kind, group=group, services=tuple(services), messages=messages,
            largest=largest, largest_ns=largest_ns, last=last, p50_ms=round(middle, 3), p95_ms=round(high, 3),
            longest_ms=round(longest, 3), certainty="likely" if far else "exact", evidence=evidence(rest[-WIDTH:]),
        )
        for (
            system, place, kind, group, services, messages, largest, largest_ns, last, middle, high, longest, far, *rest
        ) in study.rows(LAGS)
    )  # fmt: skip
