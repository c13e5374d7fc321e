"""The checklist at the end of the guide: what it covers of what was observed, in counts. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from msgtrace_analysis.renderers.guide.stack import roles_of
from msgtrace_analysis.renderers.guide.words import number, of
from msgtrace_analysis.renderers.markdown import Safe, code

if TYPE_CHECKING:
    from collections.abc import Iterable

    from msgtrace_analysis.findings import Findings

KEEPING: Final = frozenset({"queue", "topic", "stream", "list", "exchange"})
"""Kinds of channel that somebody sets up."""
SET_UP: Final = "queues, topics, streams and lists"


@dataclass(frozen=True, slots=True)
class Check:
    """A question and its answer."""

    question: str
    answer: Literal["yes", "no", "not observed"]
    counts: Safe


def values(findings: Findings) -> dict[str, Any]:
    """All checks."""
    return {
        "checks": [
            _documented(findings),
            _mapped(findings),
            _pairs(findings),
            _websockets(findings),
            _retries(findings),
            _dead_letters(findings),
        ]
    }


def _check(question: str, good: int, whole: int, counts: str) -> Check:
    answer: Literal["yes", "no", "not observed"] = "not observed" if not whole else "yes" if good == whole else "no"
    return Check(question, answer, Safe(counts))


def _names(names: Iterable[str]) -> str:
    known = sorted(set(names))
    more = f" and {len(known) - 5} more" if len(known) > 5 else ""
    return f": {', '.join(map(code, known[:5]))}{more}" if known else ""


def _documented(findings: Findings) -> Check:
    read = sum(1 for each in findings.contracts if each.samples)
    whole = len(findings.events)
    return _check(
        "Every event type documented",
        whole,
        whole,
        f"{of(whole, 'event type')} with a section each; the bodies of {number(read)} of them could be read",
    )


def _mapped(findings: Findings) -> Check:
    channels = [
        each
        for each in findings.topology.channels
        if each.kind in KEEPING and each.name and (each.sends or each.receives or each.settings or each.inspected)
    ]
    unknown = [each for each in channels if not each.settings and not each.inspected]
    return _check(
        "All queues mapped",
        len(channels) - len(unknown),
        len(channels),
        f"settings are known of {number(len(channels) - len(unknown))} of {number(len(channels))} exchanges, {SET_UP}"
        + (f"; not{_names(each.name for each in unknown)}" if unknown else ""),
    )


def _pairs(findings: Findings) -> Check:
    whole = len(findings.events)
    loose = [each for each in findings.events if not each.publishers or not each.consumers]
    return _check(
        "Every pub/sub pattern captured",
        whole - len(loose),
        whole,
        f"publisher and consumer are known of {number(whole - len(loose))} of {of(whole, 'event type')}"
        + (f"; not{_names(each.name for each in loose)}" if loose else ""),
    )


def _websockets(findings: Findings) -> Check:
    roles = roles_of(findings)
    known = [each for each in findings.events if roles[each.system] == "real-time"]
    return _check("All WebSocket events listed", len(known), len(known), of(len(known), "event type"))


def _retries(findings: Findings) -> Check:
    consumers = {
        (each.system, each.channel, each.service)
        for each in findings.guarantees.consumers
        if each.channel_kind in KEEPING
    }
    known = {(each.system, each.channel, each.service) for each in findings.retrying.observed}
    good = {each for each in consumers if each in known}
    return _check(
        "Complete retry policies",
        len(good),
        len(consumers),
        f"how it tries again was seen of {number(len(good))} of {of(len(consumers), 'consumer')} of {SET_UP}",
    )


def _dead_letters(findings: Findings) -> Check:
    sources = {(each.system, each.source) for each in findings.dead_letters.routes}
    ends = {(each.system, target) for each in findings.dead_letters.routes for target in each.targets}
    read = {
        (each.system, each.channel) for each in findings.guarantees.consumers if each.channel_kind in KEEPING
    } - ends | {
        (each.system, each.channel) for each in findings.guarantees.consumers if (each.system, each.channel) in sources
    }
    without = sorted(read - sources)
    return _check(
        "Dead-letter queues configured",
        len(read) - len(without),
        len(read),
        f"{number(len(read) - len(without))} of {number(len(read))} {SET_UP} that are read have a way for dead "
        "messages" + (f"; not{_names(name for _, name in without)}" if without else ""),
    )
