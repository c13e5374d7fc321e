"""Event types that were published and never received in this trace, or received and never published."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from msgtrace_analysis.findings import LooseEnd
from msgtrace_analysis.passes.evidence import EVIDENCE, evidence

if TYPE_CHECKING:
    from msgtrace_analysis.passes.graph import Graph
    from msgtrace_analysis.study import Study

# One row per event type that is known from one side only, with what is known of its channel. A send that the broker gave
# back or that failed was not published.
LOOSE: Final = f"""
    with sides as (
        select event, bool_or(kind = 'send') as sent, bool_or(kind <> 'send') as received
        from flow_keys
        where event is not null
        group by event
    ), channels as (
        select e.system, e.address_kind, e.address, bool_or(s.sent) and bool_or(s.received) as both_sides
        from flow_events as e
        inner join sides as s using (event)
        group by all
    ), loose as (
        select s.event, s.sent, c.both_sides
        from sides as s
        inner join flow_events as e using (event)
        inner join channels as c
            on c.system is not distinct from e.system and c.address_kind = e.address_kind and c.address = e.address
        where not (s.sent and s.received)
    )
    select
        l.event, any_value(l.sent), any_value(l.both_sides),
        bool_and(o.outcome in ('raised', 'returned', 'cancelled')), {EVIDENCE}
    from loose as l
    inner join flow_keys as k using (event)
    inner join operations as o using (operation_id)
    group by l.event
"""


def loose_ends(study: Study, graph: Graph) -> tuple[LooseEnd, ...]:
    """Find them. Needs the tables of `graph`."""
    found: list[LooseEnd] = []
    for event, sent, both_sides, failed, *rest in study.rows(LOOSE):
        about = graph.events[event]
        missing: Literal["receive", "send"] = "receive" if sent else "send"
        reason = _reason(missing, bus=about.ref.split("/", 2)[1] == "bus", both_sides=both_sides, failed=failed)
        found.append(LooseEnd(about.ref, about.name, missing, reason, evidence(rest, "likely")))
    return tuple(sorted(found, key=lambda each: (each.name, each.event)))


def _reason(missing: str, *, bus: bool, both_sides: bool, failed: bool) -> str:
    if missing == "send":
        return (
            "other types on this channel are published by traced services, this one comes from elsewhere"
            if both_sides
            else "whoever publishes it was not traced"
        )
    if failed:
        return "no send of it succeeded"
    if bus:
        return "no handler was registered for it"
    return (
        "other types on this channel are received, this one by nobody that was traced"
        if both_sides
        else "nobody who was traced receives from this channel"
    )
