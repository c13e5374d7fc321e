"""Renders MESSAGING_GUIDE.md: the templates, and how numbers, times and places are written in it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from msgtrace_analysis.findings import CERTAINTIES, weakest
from msgtrace_analysis.renderers import markdown, mermaid
from msgtrace_analysis.renderers.markdown import Safe, code, text
from msgtrace_analysis.renderers.retry_values import delays_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from msgtrace_analysis.findings import (
        Certainty,
        Criterion,
        Deviation,
        Evidence,
        Findings,
        Flow,
        Gap,
        Hop,
        Observation,
        Place,
        Rate,
        RetryPolicy,
        Schedule,
        Traffic,
        Variant,
    )

MARK: Final = "<!-- Written by msgtrace from a recording: changes made here are lost when it is written again. -->"
"""The first line, by which `report` knows its own file."""
WAY_HOPS: Final = 12
"""Messages of a way that are told in its line."""
NOTHING: Final = "\N{EN DASH}"
"""In a cell that has nothing to say."""
NOTHING_SAFE: Final = Safe(NOTHING)


def render(findings: Findings) -> str:
    """The whole guide, ending in a newline."""
    environment = Environment(
        loader=PackageLoader("msgtrace_analysis", "templates"),
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701 - Markdown: `finalize` escapes what is not marked
        finalize=markdown.finalize,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update({each.__name__: each for each in FILTERS})
    refs = {event.ref: event for event in findings.events}
    rendered = environment.get_template("guide.md.jinja").render(
        mark=Safe(MARK),
        f=findings,
        event_of=refs,
        overview=overview_block(findings.traffic),
        flow_block=flow_block,
        empty_flows=sorted((flow for flow in findings.flows if not flow.steps), key=lambda flow: -flow.triggered),
        weakest=weakest,
        certainties=certainties,
    )
    lines = [line.rstrip() for line in rendered.splitlines()]
    return "\n".join(_single_spaced(lines)) + "\n"


def _single_spaced(lines: Iterable[str]) -> Iterable[str]:
    """Without repeated empty lines, which templates make where nothing was to be said."""
    before = ""
    for line in lines:
        if line or before:
            yield line
        before = line


def number(value: float) -> Safe:
    """A count, with thousands set off."""
    return Safe(f"{value:,}")


def of(count: int, noun: str) -> Safe:
    """A count of things.

    >>> of(1, "message"), of(2_000, "message"), of(3, "body")
    ('1 message', '2,000 messages', '3 bodies')
    """
    if count != 1:
        noun = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
    return Safe(f"{count:,} {noun}")


def times(count: int) -> Safe:
    """How often."""
    return Safe("once" if count == 1 else f"{count:,} times")


def when(at_ns: int | None) -> Safe:
    """A time, to the millisecond."""
    if at_ns is None:
        return Safe("an unknown time")
    moment = datetime.fromtimestamp(at_ns // 1_000_000_000, UTC)
    return Safe(f"{moment:%Y-%m-%d %H:%M:%S}.{at_ns // 1_000_000 % 1000:03d}")


def size(value: int) -> Safe:
    """Bytes."""
    return Safe(f"{value:,} B" if value < 10_000 else f"{value / 1000:,.1f} kB")


def ms(value: float) -> Safe:
    """Milliseconds, to three digits that matter."""
    return Safe(mermaid.duration(value))


def duration(seconds: float) -> Safe:
    """A length of time.

    >>> duration(12.5), duration(300.0), duration(90_000.0)
    ('12.5 s', '5 min', '25 h')
    """
    if seconds < 120:
        return Safe(f"{seconds:.3g} s")
    return Safe(f"{seconds / 60:.3g} min" if seconds < 7_200 else f"{seconds / 3_600:.4g} h")


def delays(value: RetryPolicy) -> Safe:
    """How long a retry policy waits."""
    return Safe(delays_text(value))


def short(value: float | None) -> Safe:
    """A number to three digits that matter."""
    return NOTHING_SAFE if value is None else Safe(f"{value:,.0f}" if value >= 1_000 else f"{value:.3g}")


def per_second(value: Rate) -> Safe:
    """A rate with its interval."""
    if value.per_second is None:
        return NOTHING_SAFE
    bursts = ", comes in bursts" if value.interval == "overdispersed" else ""
    return Safe(f"{short(value.per_second)} ({short(value.low)} to {short(value.high)}{bursts})")


def schedules(values: Iterable[Schedule]) -> Safe:
    """Schedules, with the place and how sure they are."""
    return Safe("; ".join(
        f"every {duration(each.period_s)}, jitter {duration(each.jitter_s)}, by {brief(each.place)}"
        f"{f', {each.missed} of {each.ticks + each.missed} ticks missing' if each.missed else ''} ({each.certainty})"
        for each in values
    ) or NOTHING)  # fmt: skip


def brief(value: Place) -> Safe:
    """A function with its service."""
    name = code(value.name or value.site) if value.name or value.site else "*library code*"
    return Safe(f"{text(value.service)} {name}")


def place(value: Place) -> Safe:
    """A function with its service and site."""
    return Safe(f"{brief(value)} ({code(value.site)})") if value.site and value.name else brief(value)


def evidence(value: Evidence) -> Safe:
    """A line of evidence."""
    ids = ", ".join(map(str, value.examples))
    more = ", …" if value.operations > len(value.examples) else ""
    span = (
        f"{when(value.first_seen_ns)} to {when(value.last_seen_ns)}"
        if value.operations > 1
        else when(value.first_seen_ns)
    )
    return Safe(f"{of(value.operations, 'operation')} ({ids}{more}), {span}; {value.certainty}")


def settings(value: Mapping[str, Any]) -> Safe:
    """Settings in the order of their names; what is off goes without saying."""
    parts: list[str] = []
    for name, each in sorted(value.items()):
        if isinstance(each, dict):
            parts += [f"{key}={_plain(inner)}" for key, inner in sorted(each.items())]
        elif each is True:
            parts.append(name)
        elif each is not False and each != "":
            parts.append(f"{name}={_plain(each)}")
    return Safe(", ".join(code(part) for part in parts) or NOTHING)


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else str(value).replace("True", "true").replace("False", "false")


def kind(schema: Mapping[str, Any]) -> Safe:
    """What a schema without fields says: its type, and the Python class."""
    known = schema.get("type", "of any type")
    types = known if isinstance(known, str) else " or ".join(known)
    classes = schema.get("x-python-class")
    return Safe(f"{text(types)} ({joined(classes)})" if classes else text(types))


def joined(values: Iterable[str]) -> Safe:
    """Names, as code, in a row."""
    return Safe(", ".join(code(value) for value in values) or NOTHING)


def sentence(value: Observation) -> Safe:
    """An observation as a sentence."""
    written = value.sentence.format(*(code(name) for name in value.names), n=number(value.evidence.operations))
    return Safe(written)


def gap(value: Gap) -> Safe:
    """Where topology and traffic do not go together, as a sentence."""
    written = value.sentence.format(*(code(name) for name in value.names), n=number(value.evidence.operations))
    return Safe(f"{value.check.capitalize()}: {written}")


def criterion(value: Criterion) -> Safe:
    """Why a check came out as it did."""
    many = 0 if value.evidence is None else value.evidence.operations
    return Safe(text(value.reason, 2_000).format(*(code(name) for name in value.names), n=number(many)))


def difference(value: Deviation) -> Safe:
    """How one differs from the others."""
    return Safe(value.sentence.format(*(code(name) for name in value.names)))


def decided(value: Flow) -> Safe:
    """Who decides how a flow goes on, and why that is thought."""
    style = value.style
    if style is None:
        return Safe("")
    by = f" by {code(style.coordinator)}" if style.coordinator is not None else ""
    kind = "Who decides" if style.kind == "too short to tell" else f"{style.kind.capitalize()}{by} ({style.certainty})"
    return Safe(f"{kind}: {style.reason.format(*(text(name) for name in style.names))}")


def way(value: Variant) -> Safe:
    """One way of a flow, in a line."""
    parts = [_hop(hop) for hop in value.hops[:WAY_HOPS]]
    more = f", and {len(value.hops) - WAY_HOPS} more" if len(value.hops) > WAY_HOPS else ""
    return Safe("; ".join(parts) + more)


def _hop(hop: Hop) -> str:
    target = "nobody seen" if hop.target is None else brief(hop.target)
    ended = f" (*{hop.outcome}*)" if hop.outcome else ""
    dead = " (*dead-lettered*)" if hop.dead_lettered else ""
    return f"{code(hop.name)} to {target}{ended}{dead}" if hop.publisher is not None else f"the trigger failed{ended}"


def certainties(values: Iterable[Certainty]) -> str:
    """How many there are of each.

    >>> certainties(["exact", "guess", "exact"])
    'exact 2, guess 1'
    """
    known = list(values)
    return ", ".join(f"{each} {known.count(each)}" for each in CERTAINTIES if each in known) or "none"


def spread(counts: Iterable[tuple[str, int]]) -> str:
    """Counts by name.

    >>> spread([("exact", 2), ("likely", 1)])
    'exact 2, likely 1'
    """
    return ", ".join(f"{name} {number(count)}" for name, count in counts) or "none"


def overview_block(traffic: Iterable[Traffic]) -> Safe | None:
    """The diagram of services; None where nothing went between them."""
    diagram, hidden = mermaid.overview(traffic)
    return _block(diagram, hidden) if "|" in diagram else None


def flow_block(flow: Flow) -> Safe:
    """The diagram of a flow."""
    return _block(*mermaid.flow_diagram(flow))


def _block(diagram: str, hidden: int) -> Safe:
    note = f"\n\n{hidden} arrows with fewer messages are left out of this diagram." if hidden else ""
    return Safe(markdown.fenced("mermaid", diagram) + note)


FILTERS: Final = (
    brief,
    code,
    criterion,
    decided,
    delays,
    difference,
    duration,
    evidence,
    gap,
    joined,
    kind,
    ms,
    number,
    of,
    per_second,
    place,
    schedules,
    sentence,
    settings,
    short,
    size,
    spread,
    text,
    times,
    way,
    when,
)
"""What templates write values with, by their own names."""
