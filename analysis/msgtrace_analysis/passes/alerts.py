"""Makes rules to be alerted by, out of what other passes found to be usual. Pure. No baseline, no rule, and that is said."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgtrace_analysis.findings import Alert, Alerts, Unwatched
from msgtrace_analysis.passes.alert_failures import dead_letters, errors
from msgtrace_analysis.passes.alert_levels import depths, handling, waits
from msgtrace_analysis.passes.heartbeats import heartbeats

if TYPE_CHECKING:
    from msgtrace_analysis.passes.usual import Usual

PARTS: Final = (depths, waits, handling, errors, dead_letters, heartbeats)


def alerts(usual: Usual) -> Alerts:
    """Every rule, and what there is none for."""
    found = [each for part in PARTS for each in part(usual)]
    seconds = usual.frequencies.seconds
    return Alerts(
        rules=tuple(each for each in found if isinstance(each, Alert)),
        unwatched=tuple(each for each in found if isinstance(each, Unwatched)),
        note=f"read from {seconds:.3g} s of traffic: look at every threshold again when more was recorded" if found else "",
    )  # fmt: skip
