"""Everything about security, in the order in which its parts build on each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgtrace_analysis.findings import Security
from msgtrace_analysis.passes.access import access
from msgtrace_analysis.passes.protections import hazards, protections
from msgtrace_analysis.passes.transports import transports

if TYPE_CHECKING:
    from msgtrace_analysis.findings import Stack, Topology
    from msgtrace_analysis.passes.exposures import Searching
    from msgtrace_analysis.study import Study

REDACTED = "select coalesce(sum(redacted), 0) from operations"


def security(study: Study, stack: Stack, topology: Topology, searching: Searching) -> Security:
    """Find what protects messages and what they give away. Needs `timed` and the tables of `naming`."""
    found, searched, unsearched = searching.found()
    ((redacted,),) = study.rows(REDACTED)
    return Security(
        transports=transports(study, stack),
        access=access(study, topology.permissions),
        exposures=found,
        hazards=hazards(study),
        protections=protections(study),
        searched=searched,
        unsearched=unsearched,
        redacted=int(redacted),
    )
