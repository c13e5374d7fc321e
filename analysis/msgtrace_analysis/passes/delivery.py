"""Everything about delivery, in the order in which its parts build on each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgtrace_analysis.findings import Guarantees
from msgtrace_analysis.passes.acknowledgement import consumers
from msgtrace_analysis.passes.confirms import producers
from msgtrace_analysis.passes.duplicates import duplicates
from msgtrace_analysis.passes.expecting import expect
from msgtrace_analysis.passes.handling import take, time_operations
from msgtrace_analysis.passes.lags import lags
from msgtrace_analysis.passes.missing import missing
from msgtrace_analysis.passes.ordering import orders
from msgtrace_analysis.passes.rebalances import rebalances

if TYPE_CHECKING:
    from msgtrace_analysis.study import Study


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
    )
