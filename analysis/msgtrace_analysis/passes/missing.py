"""Gaps and losses: what was sent and passed over, what nobody answered for, what was refused at the send."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from msgtrace_analysis.findings import Missing
from msgtrace_analysis.passes.evidence import EVIDENCE, evidence
from msgtrace_analysis.passes.handling import OF

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from msgtrace_analysis.findings import Certainty
    from msgtrace_analysis.study import Study

# One row per queue or group: messages passed over.
PASSED_OVER: Final = f"""
    select {OF}, list_sort(list_distinct(flatten(list(services)))), count(*), {EVIDENCE}
    from expected
    where state = 'missed'
    group by {OF}
    order by {OF}
"""

# One row per group of a log: numbers between those received of which the trace has no message at all.
NUMBERS: Final = f"""
    with stepped as (
        select
            {OF}, channel, partition_id, service, operation_id, observed_ns, log_offset,
            lag(log_offset) over (partition by system, channel, consumer, partition_id order by log_offset) as earlier
        from taken
        where turn = 1 and log_offset is not null and channel_kind = 'topic' and consumer_group <> ''
    ), holes as (
        select
            h.*,
            h.log_offset - h.earlier - 1 - (
                select count(*)
                from operations as s
                where s.kind = 'send' and s.system = h.system and s.channel = h.channel and s.partition_id = h.partition_id
                    and s.log_offset > h.earlier and s.log_offset < h.log_offset
            ) as unknown
        from stepped as h
        where h.log_offset > h.earlier + 1
    )
    select {OF}, list_sort(list(distinct service)), cast(sum(unknown) as bigint), {EVIDENCE}
    from holes
    where unknown > 0
    group by {OF}
    order by {OF}
"""

# One row per queue or group that settles: receives that nothing settled and that did not come again.
UNSETTLED: Final = f"""
    with latest as (
        select *, max(turn) over (partition by system, channel, consumer, message) as turns
        from taken
    )
    select {OF}, list_sort(list(distinct service)), count(*), {EVIDENCE}
    from latest
    semi join (select distinct system, place, consumer from taken where settled_as is not null) as settling
        using (system, place, consumer)
    where settled_as is null and (message is null or turn = turns)
    group by {OF}
    order by {OF}
"""

# One row per channel and kind of refusal: sends that the broker refused, or that failed and were not received all the same.
REFUSED: Final = f"""
    select
        system, place, coalesce(channel_kind, ''), '', list_sort(list(distinct service)), count(*), outcome, {EVIDENCE}
    from timed
    anti join best_links as l on l.send_id = timed.operation_id
    where kind = 'send' and outcome in ('nack', 'reject', 'returned', 'raised') and system is not null
        and coalesce(channel_kind, '') not in ('bus', 'route')
    group by system, place, channel_kind, outcome
    order by system, place, channel_kind, outcome
"""

PASSED: Final = (
    "later ones were received; taken by a consumer that was not traced, expired, dropped at a limit, or lost"
)
UNKNOWN_NUMBERS: Final = (
    "transactions' markers and aborted messages, compaction, or messages of producers that were not traced"
)
OPEN: Final = "in hand when the recording ended, or their process died and nobody has had them since"
REFUSALS: Final = {
    "nack": "the broker did not confirm them",
    "reject": "the broker refused them",
    "returned": "nothing was there that would take them",
    "raised": "the send failed, and no receive of them was seen",
}


def missing(study: Study) -> tuple[Missing, ...]:
    """Find every gap. Needs the tables of `handling` and `expected`."""
    return tuple(_missing(study))


def _missing(study: Study) -> Iterator[Missing]:
    for row in study.rows(PASSED_OVER):
        yield _gap("not received", row, PASSED, "likely")
    # What a sample leaves out has offsets, too.
    for row in study.rows(NUMBERS) if study.sample is None else ():
        yield _gap("offsets", row, UNKNOWN_NUMBERS, "likely")
    for row in study.rows(UNSETTLED):
        yield _gap("unsettled", row, OPEN, "exact")
    for row in study.rows(REFUSED):
        yield _gap("refused", (*row[:6], *row[7:]), REFUSALS[row[6]], "likely" if row[6] == "raised" else "exact")


def _gap(kind: Any, row: Sequence[Any], reason: str, certainty: Certainty) -> Missing:
    system, place, channel_kind, group, services, messages, *rest = row
    return Missing(
        kind, system, place, channel_kind, group, tuple(services), messages, reason, evidence(rest, certainty)
    )
