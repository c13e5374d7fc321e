"""Everything about delivery, in the order in which its parts build on each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgtrace_analysis.findings import Guarantees
from msgtrace_analysis.passes.acknowledgement import consumers
from msgtrace_analysis.passes.confirms import producers
from msgtrace_analysis.passes.duplicates import duplicates
from msgtrace_analysis.passes.events import ref
from msgtrace_analysis.passes.expecting import expect
from msgtrace_analysis.passes.handling import take, time_operations
from msgtrace_analysis.passes.lags import lags
from msgtrace_analysis.passes.limits import loads, pressures
from msgtrace_analysis.passes.missing import missing
from msgtrace_analysis.passes.ordering import orders
from msgtrace_analysis.passes.rebalances import rebalances

if TYPE_CHECKING:
    from collections.abc import Container

    from msgtrace_analysis.study import Study


# One row per event type and channel that its messages were sent to or received from.
CHANNELS: Final = """
    select distinct m.system, m.address_kind, m.address, m.name, t.place
    from messages as m
    inner join timed as t using (operation_id)
    order by all
"""


def channels_of(study: Study, events: Container[str]) -> dict[str, set[str]]:
    """The channels of some event types, by id. Needs `timed` and the tables of `naming`."""
    found: dict[str, set[str]] = {}
    for *event, place in study.rows(CHANNELS):
        if (name := ref(*event)) in events:
            found.setdefault(name, set()).add(place)
    return found


def guarantees(study: Study) -> Guarantees:
    """Find what delivery promises and what it kept. Needs `addresses` and the tables of `naming`."""
    time_operations(study)
    take(study)
    expect(study)
    return Guarantees(
        consumers=consumers(study),
        producers=producers(study),
        duplicates=duplicates(study),
        orders=orders(study),
        missing=missing(study),
        lags=lags(study),
        rebalances=rebalances(study),
        loads=loads(study),
        pressures=pressures(study),
    )
