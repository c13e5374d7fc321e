"""How numbers, times, places and sentences are written in the guide: what its templates write values with. Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from msgtrace_analysis.findings import CERTAINTIES
from msgtrace_analysis.renderers import markdown, mermaid
from msgtrace_analysis.renderers.markdown import Safe, code, text
from msgtrace_analysis.renderers.retry_values import delays_text
from msgtrace_analysis.renderers.sample_lines import in_sample

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from msgtrace_analysis.findings import (
        Alert,
        Certainty,
        Consumer,
        Criterion,
        Deviation,
        Flow,
        Gap,
        Hop,
        Latency,
        Observation,
        Place,
        Rate,
        RetryPolicy,
        Schedule,
        Unwatched,
        Variant,
    )

WAY_HOPS: Final = 12
"""Messages of a way that are told in its line."""
NOTHING: Final = "\N{EN DASH}"
"""In a cell that has nothing to say."""
NOTHING_SAFE: Final = Safe(NOTHING)


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
    return Safe(
        f"{short(value.per_second)} ({short(value.low)} to {short(value.high)}{bursts}{in_sample(value.sample)})"
    )


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


def reason(value: Consumer) -> Safe:
    """Why a consumer is thought to promise what it does."""
    return Safe(
        text(value.reason, 2_000).format(*(code(name) for name in value.names), n=number(value.evidence.operations))
    )


def because(value: Alert | Unwatched) -> Safe:
    """Why a rule is as it is, or why there is none."""
    return Safe(text(value.reason, 2_000).format(*(code(name) for name in value.names)))


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


def diagram(drawn: tuple[str, int], what: str = "arrow") -> Safe:
    """A diagram, and what is not in it."""
    source, hidden = drawn
    note = f"\n\nLeft out of this diagram, as less frequent: {of(hidden, what)}." if hidden else ""
    return Safe(markdown.fenced("mermaid", source) + note)


def prose(value: str) -> Safe:
    """The first sentence of a docstring, in quotation marks."""
    first = value.strip().partition("\n\n")[0]
    return Safe(f"\N{LEFT DOUBLE QUOTATION MARK}{text(' '.join(first.split()))}\N{RIGHT DOUBLE QUOTATION MARK}")


def channel(value: Any) -> Safe:
    """Where messages are taken from or sent to: system, kind and name."""
    return Safe(f"{text(value.system)} {text(value.channel_kind)} {code(value.channel)}")


def latency(value: Latency | None) -> Safe:
    """Three percentiles."""
    if value is None:
        return NOTHING_SAFE
    return Safe(f"{ms(value.p50_ms)} / {ms(value.p95_ms)} / {ms(value.p99_ms)}")


def python(value: str) -> Safe:
    """A code block."""
    return Safe(markdown.fenced("python", value.rstrip("\n")))


def promql(value: str) -> Safe:
    """A code block."""
    return Safe(markdown.fenced("promql", value))


def safe(value: str) -> Safe:
    """What is Markdown already: of macros."""
    return Safe(value)


FILTERS: Final = (
    because,
    brief,
    channel,
    code,
    criterion,
    decided,
    delays,
    diagram,
    difference,
    duration,
    gap,
    joined,
    kind,
    latency,
    ms,
    number,
    of,
    per_second,
    place,
    promql,
    prose,
    python,
    reason,
    safe,
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
