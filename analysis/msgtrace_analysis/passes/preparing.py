"""What all passes build on, and the extent of a trace."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgtrace_analysis.passes.addresses import address_channels
from msgtrace_analysis.passes.events import place_operations
from msgtrace_analysis.passes.naming import name_messages
from msgtrace_analysis.rules import NO_RULES

if TYPE_CHECKING:
    from msgtrace_analysis.findings import Recording
    from msgtrace_analysis.rules import Rules
    from msgtrace_analysis.study import Study


def prepare(study: Study, rules: Rules = NO_RULES) -> None:
    """Work out what all passes build on: addresses, event types, places."""
    address_channels(study, rules)
    name_messages(study, rules)
    place_operations(study)


def span_ns(extent: Recording) -> int:
    """The time that a trace covers."""
    if extent.first_seen_ns is None or extent.last_seen_ns is None:
        return 0
    return extent.last_seen_ns - extent.first_seen_ns
