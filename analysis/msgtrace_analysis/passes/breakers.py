"""Circuit breakers: as libraries declare them and change their states; else from failures in a row, silence and a probe."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from msgtrace_analysis.findings import Place
from msgtrace_analysis.findings.breakers import Breaker, Breakers
from msgtrace_analysis.passes.breaker_patterns import Call, pattern
from msgtrace_analysis.passes.evidence import EVIDENCE, EXAMPLES, evidence

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from msgtrace_analysis.study import Study

# One row per breaker, service and form of its declaration.
DECLARED: Final = f"""
    select
        system, channel, service, coalesce(handler_name, code_function, ''), coalesce(handler_site, code_site, ''),
        handler_site is not null, settings, {EVIDENCE}
    from operations
    where kind = 'declare' and channel_kind = 'breaker' and outcome not in ('raised', 'cancelled')
    group by all
    order by all
"""

# One row per change of state and refused call, in the order of each process.
TOLD: Final = """
    select
        system, channel, service, process_id, settings ->> '$.action', settings ->> '$.state',
        cast(settings ->> '$.failures' as bigint), observed_ns, operation_id
    from operations
    where kind = 'call' and channel_kind = 'breaker'
    order by system, channel, service, process_id, observed_ns, operation_id
"""

# One row per call that may fail and be held back, with what it was made to: sends, and calls over HTTP. Only of those places
# and channels of which one failed: where none did, which is most of a trace, there is nothing to tell.
CALLS: Final = """
    with calls as (
        select
            coalesce(system, '') as system, coalesce(nullif(channel, ''), routing_key, '') as channel,
            service, process_id,
            coalesce(code_function, '') as code_function, coalesce(code_site, '') as code_site,
            outcome in ('raised', 'returned', 'nack') as failed,
            observed_ns, observed_ns + coalesce(duration_ns, 0) as ended_ns, operation_id
        from operations
        where kind in ('send', 'call') and coalesce(channel_kind, '') not in ('retry', 'breaker', 'bus')
            and outcome <> 'unknown'
    ), failing as (
        select distinct system, channel, service, process_id, code_function, code_site from calls where failed
    )
    select c.*
    from calls as c
    semi join failing using (system, channel, service, process_id, code_function, code_site)
    order by
        c.system, c.channel, c.service, c.process_id, c.code_function, c.code_site, c.observed_ns, c.operation_id
"""


@dataclass(slots=True)
class Seen:
    """What one breaker did, in all processes of a service."""

    openings: int = 0
    reopenings: int = 0
    closings: int = 0
    refused: int = 0
    still_open: bool = False


def breakers(study: Study) -> Breakers:
    """Find all of them."""
    declared = [_declared(row) for row in study.rows(DECLARED)]
    told: defaultdict[tuple[str, str, str], list[tuple[Any, ...]]] = defaultdict(list)
    for system, channel, service, *rest in study.rows(TOLD):
        told[system, channel, service].append(tuple(rest))
    found = [_with(each, told.get((each.library, each.name, each.service), ())) for each in declared]
    return Breakers((*found, *inferred(study)))


def _declared(row: Sequence[Any]) -> Breaker:
    library, name, service, function, site, known, settings, *rest = row
    set_to = json.loads(settings)
    return Breaker(
        library=library,
        name=name or "",
        service=service,
        place=Place("handler" if known else "code", service, function, site),
        error_threshold=_number(set_to.get("error_threshold"), int),
        reset_timeout_s=_number(set_to.get("reset_timeout_s"), float),
        timeout_s=_number(set_to.get("timeout_s"), float),
        success_threshold=_number(set_to.get("success_threshold"), int),
        openings=0,
        reopenings=0,
        closings=0,
        failures=None,
        open_s=None,
        refused=0,
        still_open=False,
        evidence=evidence(rest),
    )


def _number(value: Any, kind: Any) -> Any:
    return kind(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _with(breaker: Breaker, told: Sequence[tuple[Any, ...]]) -> Breaker:
    """A declared breaker with what it did."""
    if not told:
        return breaker
    seen, failures, times = Seen(), [], []
    of_process: defaultdict[str, list[tuple[Any, ...]]] = defaultdict(list)
    for process, *rest in told:
        of_process[process].append(tuple(rest))
    for rows in of_process.values():
        opened: int | None = None
        probing = False
        for action, state, count, at, _ in rows:
            if action == "refused":
                seen.refused += 1
                continue
            if opened is not None:
                times.append((at - opened) / 1e9)
            if state == "open":
                again = probing or opened is not None
                seen.reopenings += again
                seen.openings += not again
                if count is not None and not again:
                    failures.append(count)
            seen.closings += state == "closed" and (probing or opened is not None)
            opened, probing = (at if state == "open" else None), state == "half-open"
        seen.still_open |= opened is not None
    first, last = min(row[4] for row in told), max(row[4] for row in told)
    basis = replace(
        breaker.evidence,
        operations=breaker.evidence.operations + len(told),
        examples=(*breaker.evidence.examples, *sorted(row[5] for row in told))[:EXAMPLES],
        first_seen_ns=min(first, breaker.evidence.first_seen_ns or first),
        last_seen_ns=max(last, breaker.evidence.last_seen_ns or last),
    )
    return replace(
        breaker,
        openings=seen.openings,
        reopenings=seen.reopenings,
        closings=seen.closings,
        failures=(min(failures), max(failures)) if failures else None,
        open_s=(min(times), max(times)) if times else None,
        refused=seen.refused,
        still_open=seen.still_open,
        evidence=basis,
    )


def inferred(study: Study) -> Iterator[Breaker]:
    """What behaves as a breaker: calls of one place to one channel that stop after failures, and are probed."""
    series: defaultdict[tuple[str, ...], list[Call]] = defaultdict(list)
    for *key, failed, began, ended, operation in study.rows(CALLS):
        series[tuple(key)].append(Call(failed, began, ended, operation))
    for (_, channel, service, _process, function, site), calls in series.items():
        seen = pattern(calls)
        if seen is not None:
            yield Breaker(
                library="",
                name=channel,
                service=service,
                place=Place("code", service, function, site),
                error_threshold=seen.threshold,
                reset_timeout_s=seen.open_s,
                timeout_s=None,
                success_threshold=None,
                openings=seen.openings,
                reopenings=seen.reopenings,
                closings=seen.closings,
                failures=(seen.threshold, seen.threshold),
                open_s=(seen.shortest_s, seen.longest_s),
                refused=0,
                still_open=seen.still_open,
                evidence=seen.evidence,
            )
