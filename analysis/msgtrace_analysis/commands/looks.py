"""`msgtrace events`, `queues` and `losses`: one finding each, as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import click

from msgtrace_analysis.commands.choosing import choice_options
from msgtrace_analysis.commands.opening import db_option, draw, drawn_option, format_option, rules_option, show, studied
from msgtrace_analysis.passes import span_ns
from msgtrace_analysis.passes.completeness import losses as find_losses
from msgtrace_analysis.passes.events import catalogue
from msgtrace_analysis.passes.practices import recording
from msgtrace_analysis.passes.topology import topology
from msgtrace_analysis.passes.traffic import traffic as find_traffic
from msgtrace_analysis.renderers.json_values import time_of
from msgtrace_analysis.renderers.mermaid import overview
from msgtrace_analysis.renderers.queue_rows import queue_rows
from msgtrace_analysis.renderers.rows import Rows

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from msgtrace_analysis.commands.choosing import Choice
    from msgtrace_analysis.findings import Event, Place
    from msgtrace_analysis.renderers.rows import Format
    from msgtrace_analysis.rules import Rules

NO_MESSAGES = "No message is in this trace. What was hooked: msgtrace doctor, msgtrace run --verbose -- ..."


@click.command()
@db_option
@rules_option
@choice_options
@drawn_option
def events(db: Path, rules: Rules, choice: Choice, form: Format | Literal["mermaid"]) -> None:
    """Event types: what kind they are, who publishes and consumes them, how often.

    As mermaid: the services, and what goes between them.
    """
    with studied(db, rules, choice.since) as study:
        found = choice.wanted(catalogue(study, span_ns(recording(study)), rules))
        between = find_traffic(study) if form == "mermaid" else ()
    if form == "mermaid":
        draw(*overview(each for each in between if each.event in found))
    else:
        show(event_rows(found.values()), form)


def event_rows(found: Iterable[Event]) -> Rows:
    """One row per event type."""
    columns = (
        "event", "system", "channel", "sent", "received", "publishers", "consumers", "kind", "named_by", "certainty",
        "first_seen", "last_seen", "example", "also_on",
    )  # fmt: skip
    return Rows(
        columns,
        [
            (
                each.name, each.system, f"{each.channel_kind} {each.address}".strip(), each.sends, each.receives,
                _services(party.place for party in each.publishers), _services(party.place for party in each.consumers),
                each.judgement.kind, each.named_by, each.evidence.certainty, time_of(each.evidence.first_seen_ns),
                time_of(each.evidence.last_seen_ns), next(iter(each.evidence.examples), None),
                list(each.also_on) or None,
            )
            for each in found
        ],
        NO_MESSAGES,
        spare=("also_on", "first_seen", "last_seen", "example", "named_by", "certainty", "received", "system"),
    )  # fmt: skip


def _services(places: Iterable[Place]) -> list[str]:
    return sorted({place.service for place in places})


@click.command()
@db_option
@format_option
def queues(db: Path, form: Format) -> None:
    """Channels, bindings, subscriptions, dead-letter routes, and where they do not go together with the traffic.

    What brokers have besides what was declared is there after `msgtrace inspect`.
    """
    with studied(db) as study:
        found = topology(study)
    show(queue_rows(found), form)
    for each in found.inspections:
        partly = [f"{count:,} {name} beyond the limit" for name, count in each.left_out]
        partly += [f"{name}: {why}" for name, why in each.unreadable]
        if partly:
            click.echo(
                f"msgtrace: the inspection of {each.system} at {each.server} is not whole: {'; '.join(partly)}",
                err=True,
            )


@click.command()
@db_option
@format_option
def losses(db: Path, form: Format) -> None:
    """What is not in the trace, as far as it was counted, and why."""
    with studied(db) as study:
        found = find_losses(study)
    rows = [(each.service, each.reason, each.detail, each.lost) for each in found]
    show(Rows(("service", "reason", "detail", "lost"), rows, "The trace counts no losses."), form)
