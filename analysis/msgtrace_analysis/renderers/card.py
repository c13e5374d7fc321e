"""Shows one event type on one screen: on a terminal fitted to it, elsewhere plain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from msgtrace_analysis.renderers.delivery_values import in_words
from msgtrace_analysis.renderers.event_flows import event as event_json
from msgtrace_analysis.renderers.flow_values import flow as flow_json
from msgtrace_analysis.renderers.json_values import time_of
from msgtrace_analysis.renderers.markdown import visible
from msgtrace_analysis.renderers.retry_values import delays_text, then_text
from msgtrace_analysis.renderers.sample_lines import in_sample
from msgtrace_analysis.renderers.values import value

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from rich.console import Console, RenderableType

    from msgtrace_analysis.findings import (
        Backlog,
        Contract,
        Dropped,
        Event,
        Exposure,
        Flow,
        Guarantees,
        ObservedPolicy,
        Party,
        Poison,
        Rate,
    )  # fmt: skip

PLAIN_COLUMNS: Final = 120
"""Of what is written to a file or a pipe."""
FIELDS: Final = 40
FLOWS: Final = 8
PARTIES: Final = 8
TEXT_CHARACTERS: Final = 300


@dataclass(frozen=True, slots=True)
class Card:
    """All that is shown of one event type.

    Attributes:
        note: what must be known before relying on its rate.
    """

    event: Event
    contract: Contract | None
    rate: Rate | None
    backlogs: tuple[Backlog, ...]
    flows: tuple[Flow, ...]
    note: str
    retries: tuple[ObservedPolicy, ...] = ()
    poison: tuple[Poison, ...] = ()
    dropped: tuple[Dropped, ...] = ()
    delivered: Guarantees | None = None
    exposures: tuple[Exposure, ...] = ()


def as_json(card: Card) -> dict[str, Any]:
    """An object, with the parts of EVENT_FLOWS.json that concern the type."""
    return {
        **event_json(card.event, card.contract),
        "rate": value(card.rate),
        "backlogs": value(card.backlogs),
        "flows": [flow_json(each) for each in card.flows],
        "retries": value(card.retries),
        "poison": value(card.poison),
        "dropped": value(card.dropped),
        "delivery": {} if card.delivered is None else value(card.delivered),
        "personal_data": value(card.exposures),
    }


def on_screen(card: Card, *, terminal: bool, columns: int | None = None) -> str:
    """Lines for people, ending in a newline.

    Args:
        card: what is shown.
        terminal: it may use colour, and the terminal's width.
        columns: the width, instead.
    """
    from rich.console import Console  # noqa: PLC0415 - only this command pays for it

    width = columns or (None if terminal else PLAIN_COLUMNS)
    console = Console(
        width=width, color_system="auto" if terminal else None, highlight=False, emoji=False, markup=False
    )
    with console.capture() as captured:
        for part in _parts(card, console):
            console.print(part)
    return "\n".join(line.rstrip() for line in captured.get().splitlines()) + "\n"


def _parts(card: Card, console: Console) -> Iterator[RenderableType]:
    from rich.text import Text  # noqa: PLC0415 - as above

    event = card.event
    yield Text(visible(event.name, TEXT_CHARACTERS), style="bold")
    yield _facts(list(_about(card)), console)
    yield Text("")
    yield Text("Published by", style="bold")
    yield _parties(event.publishers, "no publisher was traced")
    yield Text("")
    yield Text("Consumed by", style="bold")
    yield _parties(event.consumers, "no consumer was traced")
    yield Text("")
    yield Text(f"Body{_samples(card.contract)}", style="bold")
    yield _fields(card.contract)
    yield Text("")
    yield Text("Flows", style="bold")
    yield _flows(card)


def _about(card: Card) -> Iterator[tuple[str, str]]:
    event = card.event
    yield "on", f"{event.system} {event.channel_kind} {event.address}".strip()
    if event.channels:
        yield "channels", ", ".join(event.channels)
    if event.parameters:
        yield "parameters", ", ".join(f"{each.name} ({each.type}, {each.values:,} values)" for each in event.parameters)
    if event.also_on:
        yield "also on", ", ".join(event.also_on)
    yield "kind", f"{event.judgement.kind} ({event.judgement.certainty}): {'; '.join(event.judgement.reasons)}"
    yield "named by", f"{event.named_by} ({event.evidence.certainty})"
    yield "messages", f"{event.sends:,} sent, {event.receives:,} received{_sizes(event)}"
    yield from _often(card)
    yield from _failing(card)
    yield from (() if card.delivered is None else in_words(card.delivered))
    for each in card.exposures:
        yield (
            "data",
            f"{each.kind} in {each.where} {each.field}: {each.messages:,} of {each.of:,} messages, told by {each.by}",
        )
    examples = ", ".join(map(str, event.evidence.examples))
    seen = f"{time_of(event.evidence.first_seen_ns) or '?'} to {time_of(event.evidence.last_seen_ns) or '?'}"
    yield "evidence", f"{event.evidence.operations:,} operations, {seen}"
    yield "examples", f"{examples}: msgtrace follow {event.evidence.examples[0] if event.evidence.examples else 'ID'}"


def _sizes(event: Event) -> str:
    sizes = event.sizes
    if sizes is None:
        return ""
    if sizes.smallest_bytes == sizes.largest_bytes:
        return f", {sizes.median_bytes:,} B"
    return f", {sizes.smallest_bytes:,} to {sizes.largest_bytes:,} B, median {sizes.median_bytes:,}"


def _often(card: Card) -> Iterator[tuple[str, str]]:
    known = card.rate
    if known is not None and known.per_second is not None:
        peak = "" if known.peak_per_second is None else f", peak {known.peak_per_second:.3g}"
        bursts = "" if known.fano is None else f", burstiness {known.fano:.3g}"
        failed = f", {known.failed:,} failed" if known.failed else ""
        note = in_sample(known.sample) + (f"; {card.note}" if card.note else "")
        yield (
            "rate",
            f"{known.per_second:.3g} a second (95%: {known.low:.3g} to {known.high:.3g}){peak}{bursts}{failed}{note}",
        )
        for each in known.schedules:
            missing = f", {each.missed} ticks missing" if each.missed else ""
            where = f"{each.place.service}: {each.place.name or each.place.site}"
            yield (
                "schedule",
                f"every {each.period_s:g} s, jitter {each.jitter_s:g} s{missing}, by {where} ({each.certainty})",
            )
    for waits in card.backlogs:
        if waits.largest:
            behind = ": falls behind" if waits.behind else ""
            group = f" (group {waits.group})" if waits.group else ""
            yield "waiting", f"on {waits.channel}{group}: {waits.largest:,} at most, {waits.last:,} at the end{behind}"


def _failing(card: Card) -> Iterator[tuple[str, str]]:
    for each in card.retries:
        limit = "" if each.policy.max_attempts is None else f", at most {each.policy.max_attempts} attempts"
        note = f"; {each.note}" if each.note else ""
        yield (
            "retries",
            (
                f"{each.service}, {each.channel}: {each.mechanism}, {delays_text(each.policy)}{limit}, then "
                f"{then_text(each.policy)}; {each.groups:,} messages ({each.evidence.certainty}){note}"
            ),
        )
    for bad in card.poison:
        errors = ", ".join(name for name, _ in bad.errors) or "no error seen"
        yield (
            "poison",
            f"{bad.place.service}, {bad.channel}: {bad.messages:,} of {bad.of:,} messages never succeeded ({errors})",
        )
    for gone in card.dropped:
        yield "dropped", f"{gone.place.service}, {gone.channel}: {gone.messages:,} messages, {gone.how}"


def _facts(facts: Sequence[tuple[str, str]], console: Console) -> RenderableType:
    from rich.table import Table  # noqa: PLC0415 - as above
    from rich.text import Text  # noqa: PLC0415 - as above

    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True, style="dim", width=10)
    table.add_column(overflow="fold", max_width=console.width - 12)
    for name, text in facts:
        table.add_row(name, Text(visible(text, TEXT_CHARACTERS)))
    return table


def _table(columns: Sequence[tuple[str, bool]], rows: Iterable[Sequence[str]]) -> RenderableType:
    """A table; of each column the name, and whether it holds numbers."""
    from rich.table import Table  # noqa: PLC0415 - as above
    from rich.text import Text  # noqa: PLC0415 - as above

    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    for name, number in columns:
        table.add_column(name, justify="right" if number else "left", no_wrap=number, overflow="fold")
    for row in rows:
        table.add_row(*(Text(visible(cell, TEXT_CHARACTERS)) for cell in row))
    return table


def _line(text: str) -> RenderableType:
    from rich.text import Text  # noqa: PLC0415 - as above

    return Text(text, style="dim")


def _parties(parties: Sequence[Party], nobody: str) -> RenderableType:
    if not parties:
        return _line(nobody)
    most = sorted(parties, key=lambda party: -party.evidence.operations)
    rows = [
        (each.place.service, each.place.name or "library code", each.place.site, f"{each.evidence.operations:,}")
        for each in most[:PARTIES]
    ]
    if len(most) > PARTIES:
        rows.append(
            (f"{len(most) - PARTIES} more", "", "", f"{sum(each.evidence.operations for each in most[PARTIES:]):,}")
        )
    return _table((("service", False), ("function", False), ("at", False), ("messages", True)), rows)


def _samples(contract: Contract | None) -> str:
    if contract is None or not contract.samples:
        return ""
    unread = f", {contract.unread:,} unread" if contract.unread else ""
    return f", from {contract.samples:,} samples{unread} ({contract.certainty})"


def _fields(contract: Contract | None) -> RenderableType:
    if contract is None or not contract.samples:
        return _line("no body could be read")
    if not contract.fields:
        return _line(f"no fields: {contract.schema.get('type', 'nothing in common')}")
    rows = [
        (
            each.path, " or ".join(each.types),
            "always" if each.present == each.of else f"{each.present:,} of {each.of:,}",
            ", ".join(each.examples),
        )
        for each in contract.fields[:FIELDS]
    ]  # fmt: skip
    if len(contract.fields) > FIELDS:
        rows.append((f"{len(contract.fields) - FIELDS} more fields", "", "", "msgtrace report"))
    return _table((("field", False), ("type", False), ("present", False), ("examples", False)), rows)


def _flows(card: Card) -> RenderableType:
    if not card.flows:
        return _line("in none")
    rows = []
    for flow in card.flows[:FLOWS]:
        steps = [step for step in flow.steps if step.event == card.event.ref]
        after = {delivery.place for step in steps for delivery in step.deliveries}
        then = sorted({step.name for step in flow.steps if step.because in after})
        rows.append(
            (
                f"{flow.group}: {flow.name}", f"{flow.triggered:,}", f"{sum(step.messages for step in steps):,}",
                f"{min(step.depth for step in steps)}", ", ".join(then) or "nothing",
            )
        )  # fmt: skip
    if len(card.flows) > FLOWS:
        rows.append((f"{len(card.flows) - FLOWS} more", "", "", "", "msgtrace flows"))
    return _table(
        (("flow", False), ("triggered", True), ("messages", True), ("depth", True), ("then sent", False)), rows
    )
