"""What EVENT_FLOWS.json says of event types in a few words, beside what it says exactly. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from msgtrace_analysis.passes.retention import kept_ms
from msgtrace_analysis.renderers.sample_lines import in_sample

if TYPE_CHECKING:
    from msgtrace_analysis.findings import Contract, Event, Findings, Rate

DAY_MS: Final = 86_400_000
PARAGRAPH: Final = "\n\n"
UNITS: Final = ((1, "second"), (60, "minute"), (3_600, "hour"), (86_400, "day"))


class Described:
    """What is known of event types, by their ids.

    Args:
        findings: about a trace.
    """

    def __init__(self, findings: Findings) -> None:
        self._rates: dict[str, Rate] = {}
        for rate in findings.frequencies.of("event"):
            if rate.side == "send" or rate.subject not in self._rates:
                self._rates[rate.subject] = rate
        self._told = {(each.service, each.site, each.name): each.doc for each in findings.handlers if each.doc}
        self._channels = {(each.system, each.kind, each.name): each for each in findings.topology.channels}

    def of(self, event: Event, contract: Contract | None) -> dict[str, Any]:
        """What its handlers say of themselves, how often, in which version, and how long it is kept."""
        channel = self._channels.get((event.system, event.channel_kind, event.address))
        kept, by = (None, "") if channel is None else kept_ms(channel)
        rate = self._rates.get(event.ref)
        return {
            "description": self._description(event),
            "schema_version": version_of(contract),
            "frequency": None if rate is None else often(rate),
            "retention_days": None if kept is None else round(kept / DAY_MS, 6),
            "retention_by": by or None,
        }

    def _description(self, event: Event) -> str | None:
        """The first paragraph of each consumer's docstring, with the consumer's name; None where there is none."""
        places = (party.place for party in event.consumers)
        told = [
            f"{place.name}: {' '.join(doc.strip().partition(PARAGRAPH)[0].split())}"
            for place in places
            for doc in [self._told.get((place.service, place.site, place.name), "")]
            if doc.strip()
        ]
        return "\n".join(dict.fromkeys(told)) or None


def version_of(contract: Contract | None) -> str | None:
    """The newest version that was seen, or the only one that bodies say; None where nothing tells."""
    if contract is None:
        return None
    if contract.versions:
        return contract.versions[-1].name
    return None if contract.version_said is None else contract.version_said[1]


def often(rate: Rate) -> str:
    """A rate in words.

    For example `3 per minute (95%: 1.8 to 4.2)`, over the whole recording.
    """
    sampled = in_sample(rate.sample)
    if rate.per_second is None:
        return f"once{sampled}" if rate.messages == 1 else f"{rate.messages:,} times, all at one moment{sampled}"
    if rate.messages == 1:
        return f"once{sampled}"
    seconds, unit = next((each for each in UNITS if rate.per_second * each[0] >= 1), UNITS[-1])
    between = (
        ""
        if rate.low is None or rate.high is None
        else f" (95%: {rate.low * seconds:.3g} to {rate.high * seconds:.3g})"
    )
    bursts = ", in bursts" if rate.interval == "overdispersed" else ""
    ticks = "".join(
        f"; every {each.period_s:g} s by {each.place.service} ({each.certainty})" for each in rate.schedules
    )
    return f"{rate.per_second * seconds:.3g} per {unit}{between}{bursts}{ticks}{sampled}"
