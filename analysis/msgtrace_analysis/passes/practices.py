"""What messages carry that monitoring and security rest on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgtrace_analysis.findings import Practices, Recording

if TYPE_CHECKING:
    from msgtrace_analysis.study import Study

# One row: of the messages sent over a wire, how many carry what. In-process events have no such fields.
CARRIED: Final = """
    select
        count(*), count(o.message_id), count(o.correlation_id), count(o.trace_id),
        count(*) filter (o.delivery_mode = 2), count(*) filter (o.delivery_mode = 1)
    from messages as m
    inner join operations as o using (operation_id)
    where m.side = 'send' and m.address_kind <> 'bus'
"""

# One row: the extent of the trace.
EXTENT: Final = "select count(*), min(observed_ns), max(observed_ns) from operations"

KINDS: Final = "select kind, count(*) from operations group by kind order by kind"


def practices(study: Study) -> Practices:
    """Count what messages carry. Needs the tables of `naming`."""
    ((messages, ids, correlations, traces, persistent, transient),) = study.rows(CARRIED)
    return Practices(messages, ids, correlations, traces, persistent, transient)


def recording(study: Study) -> Recording:
    """What the trace is as a whole."""
    identity, version = study.trace_file()
    ((operations, first, last),) = study.rows(EXTENT)
    return Recording(
        trace_id=identity,
        msgtrace_version=version,
        operations=operations,
        kinds=tuple((kind or "unknown", count) for kind, count in study.rows(KINDS)),
        first_seen_ns=first,
        last_seen_ns=last,
        recording=study.recording,
        note=study.note,
        clocks=study.clocks,
        sample=study.sample,
    )
