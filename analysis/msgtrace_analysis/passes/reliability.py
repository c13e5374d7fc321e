"""Repetitions, settlements and errors, as they were seen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from msgtrace_analysis.findings import Failure, Outcomes, Place, Reliability, Retries
from msgtrace_analysis.passes.attempts import number_attempts
from msgtrace_analysis.passes.events import ref
from msgtrace_analysis.passes.evidence import EVIDENCE, evidence
from msgtrace_analysis.passes.schema.examples import without_persons

if TYPE_CHECKING:
    from msgtrace_analysis.study import Study

MESSAGE_CHARACTERS: Final = 120

# One row per event type, channel and service that had messages more than once.
RETRIES: Final = f"""
    with repeated as (
        select
            *,
            coalesce(redelivered, false) or died or turn > 1 or coalesce(attempt, 1) > 1 or coalesce(deliveries, 0) > 0
                as again
        from attempts
    )
    select
        event_system, address_kind, address, name, system, channel, service,
        count(distinct coalesce(message, cast(operation_id as varchar))),
        max(greatest(turn, coalesce(attempt, 1), coalesce(deliveries, 0) + 1)),
        count(*) filter (redelivered), count(*) filter (died), count(*) filter (coalesce(attempt, 1) > 1),
        count(*) filter (coalesce(deliveries, 0) > 0), count(*) filter (turn > 1), {EVIDENCE}
    from repeated
    where again
    group by event_system, address_kind, address, name, system, channel, service
    order by all
"""

REASONS: Final = (
    "redelivered flag", "x-death header", "attempt number above 1", "x-delivery-count header", "received before",
)  # fmt: skip
"""What the counts in `RETRIES` are of."""

# One row per channel, service and way of settling.
OUTCOMES: Final = f"""
    select
        s.system, coalesce(r.channel, s.channel, ''), s.service, s.outcome, count(distinct s.operation_id),
        count(distinct t.receive_id),
        {EVIDENCE.replace("operation_id", "s.operation_id").replace("observed_ns", "s.observed_ns")}
    from operations as s
    left join settlements as t on t.settle_id = s.operation_id
    left join operations as r on r.operation_id = t.receive_id
    where s.kind = 'settle'
    group by all
    order by all
"""

# One row per channel and service where some receives were settled and others were not.
UNSETTLED: Final = f"""
    with settling as (
        select distinct r.system, r.channel, r.service
        from settlements as t
        inner join operations as r on r.operation_id = t.receive_id
    )
    select system, channel, service, 0, count(*), {EVIDENCE}
    from operations
    semi join settling using (system, channel, service)
    anti join settlements on settlements.receive_id = operations.operation_id
    where kind = 'receive'
    group by system, channel, service
    order by all
"""

# One row per place, channel and type of error.
FAILURES: Final = f"""
    select
        coalesce(p.kind, 'code'), service, coalesce(p.name, o.code_function, ''), coalesce(p.site, o.code_site, ''),
        o.kind, coalesce(o.system, ''), coalesce(nullif(o.channel, ''), o.routing_key, ''), coalesce(o.error_type, ''),
        coalesce(min(o.error_message), ''), {EVIDENCE}
    from operations as o
    left join (select operation_id, kind, name, site from places) as p using (operation_id)
    where (o.error_type is not null or o.outcome in ('raised', 'returned'))
        and coalesce(o.channel_kind, '') not in ('retry', 'breaker')  -- told of by their own passes
    group by all
    order by all
"""


def reliability(study: Study) -> Reliability:
    """Find repetitions, settlements and errors. Needs the tables of `naming` and `place_operations`."""
    number_attempts(study)
    outcomes = [
        Outcomes(system or "", channel, service, outcome or "unknown", settlements, receives, evidence(rest))
        for system, channel, service, outcome, settlements, receives, *rest in study.rows(OUTCOMES)
    ]
    outcomes += [
        Outcomes(system or "", channel or "", service, "none seen", none, receives, evidence(rest))
        for system, channel, service, none, receives, *rest in study.rows(UNSETTLED)
    ]
    return Reliability(
        retries=tuple(_retries(row) for row in study.rows(RETRIES)),
        outcomes=tuple(sorted(outcomes, key=lambda each: (each.system, each.channel, each.service, each.outcome))),
        failures=tuple(
            Failure(
                Place(kind, service, name, site),
                operation,
                system,
                channel,
                error_type,
                shortened(message),
                evidence(rest),
            )
            for kind, service, name, site, operation, system, channel, error_type, message, *rest in study.rows(
                FAILURES
            )
        ),
    )


def _retries(row: tuple[Any, ...]) -> Retries:
    event_system, kind, address, name, system, channel, service, messages, attempts, *rest = row
    counts, columns = rest[: len(REASONS)], rest[len(REASONS) :]
    return Retries(
        event=ref(event_system, kind, address, name),
        name=name,
        system=system or "",
        channel=channel or "",
        service=service,
        messages=messages,
        attempts=attempts,
        reasons=tuple((reason, count) for reason, count in zip(REASONS, counts, strict=True) if count),
        evidence=evidence(columns),
    )


def shortened(text: str) -> str:
    """The first line of a message, of bounded length."""
    line = without_persons(text.partition("\n")[0].strip()[: 4 * MESSAGE_CHARACTERS])
    return line if len(line) <= MESSAGE_CHARACTERS else f"{line[: MESSAGE_CHARACTERS - 1]}…"
