"""Says in a line how a host's clock stands, where times are not simply what was recorded. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgtrace_analysis.renderers.markdown import visible

if TYPE_CHECKING:
    from msgtrace_analysis.findings.system import HostClock


def clock_line(clock: HostClock) -> str | None:
    """A line for people; None where nothing was corrected, and nothing needs to be.

    >>> from msgtrace_analysis.findings.system import HostClock
    >>> clock_line(HostClock("east", "central", 4_200_000_000, 4_100_000_000, 4_300_000_000, 10, contradicted=False))
    "the clock of east is 4.2 s ahead of central's, by 10 messages (within 100 ms): its times are corrected"
    """
    host, reference = visible(clock.host), visible(clock.reference)
    if clock.contradicted:
        return (
            f"the clocks of {host} and {reference} can't be aligned: one was set, or drifted; "
            "times between them are as they were recorded, and uncertain"
        )
    if not clock.shift_ns:
        return None
    if clock.least_ns is None or clock.most_ns is None:
        within = "at least so much"
    else:
        within = f"within {_time(max(clock.most_ns - clock.shift_ns, clock.shift_ns - clock.least_ns))}"
    way = "ahead of" if clock.shift_ns > 0 else "behind"
    return (
        f"the clock of {host} is {_time(abs(clock.shift_ns))} {way} {reference}'s, by {clock.messages} messages ({within}): "
        "its times are corrected"
    )


def _time(ns: int) -> str:
    return f"{ns / 1e9:.3g} s" if ns >= 1_000_000_000 else f"{ns / 1e6:.3g} ms"
