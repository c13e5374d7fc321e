"""`msgtrace show EVENT`: everything about one event type, in one screen."""

from __future__ import annotations

import json
import sys
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Literal

import click

from msgtrace_analysis.commands.choosing import since_option
from msgtrace_analysis.commands.opening import db_option, rules_option, studied
from msgtrace_analysis.commands.writing import say
from msgtrace_analysis.passes import span_ns
from msgtrace_analysis.passes.attempts import tried
from msgtrace_analysis.passes.contracts import contracts
from msgtrace_analysis.passes.dead_letters import dead_letters
from msgtrace_analysis.passes.delivery import channels_of, guarantees
from msgtrace_analysis.passes.events import catalogue
from msgtrace_analysis.passes.exposures import exposures
from msgtrace_analysis.passes.flows import flows
from msgtrace_analysis.passes.practices import recording
from msgtrace_analysis.passes.rates import frequencies
from msgtrace_analysis.passes.retrying import retrying
from msgtrace_analysis.passes.topology import topology
from msgtrace_analysis.renderers.card import Card, as_json, on_screen
from msgtrace_analysis.renderers.delivery_values import of_channels
from msgtrace_analysis.renderers.markdown import visible
from msgtrace_analysis.renderers.persons import without_persons

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from msgtrace_analysis.commands.choosing import Since
    from msgtrace_analysis.findings import Event
    from msgtrace_analysis.rules import Rules

SHOWN = 5
"""Event types that are shown at once."""


@click.command("show")
@click.argument("name", metavar="EVENT")
@db_option
@rules_option
@since_option
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="How it is written.",
)
def show_event(name: str, db: Path, rules: Rules, since: Since | None, form: Literal["table", "json"]) -> None:
    """Everything about an event type: fields, publishers, subscribers, rate, flows, examples, evidence.

    EVENT is a name, a pattern (*, ?, [abc]), a part of a name, or an id as EVENT_FLOWS.json has it. A type that is on several
    channels is shown for each.
    """
    with studied(db, rules, since) as study:
        events = catalogue(study, span_ns(recording(study)), rules)
        found = named(events, name)
        if not found:
            raise click.ClickException(without_persons(unknown(events, name, db)))
        shown = found[:SHOWN]
        wanted = {event.ref for event in shown} | {other for event in shown for other in event.also_on}
        rates, known, moved = frequencies(study), contracts(study, wanted), flows(study)
        channels, again = topology(study), tried(study)
        policies, dead = retrying(study, channels, again), dead_letters(study, channels, again)
        delivered, places = guarantees(study), channels_of(study, {event.ref for event in shown})
        exposed = exposures(study)
    cards = [
        Card(
            event=event,
            contract=next((each for each in known if each.event == event.ref), None),
            rate=next((each for each in rates.of("event") if each.subject == event.ref), None),
            backlogs=tuple(each for each in rates.backlogs if each.event == event.ref),
            flows=tuple(flow for flow in moved if any(step.event == event.ref for step in flow.steps)),
            note=rates.note,
            retries=tuple(each for each in policies.observed if event.ref in each.events),
            poison=tuple(each for each in dead.poison if each.event == event.ref),
            dropped=tuple(each for each in dead.dropped if each.event == event.ref),
            delivered=of_channels(delivered, places.get(event.ref, ())),
            exposures=tuple(each for each in exposed if each.event == without_persons(event.ref)),
        )
        for event in shown
    ]
    if form == "json":
        text = json.dumps([as_json(card) for card in cards], indent=2, ensure_ascii=False)
        say(text.encode("utf-8", "backslashreplace").decode() + "\n")
    else:
        say("\n".join(on_screen(card, terminal=sys.stdout.isatty()) for card in cards))
    sys.stdout.flush()
    if len(found) > SHOWN:
        rest = ", ".join(visible(without_persons(event.ref), 80) for event in found[SHOWN:])
        click.echo(f"msgtrace: {len(found) - SHOWN} more fit: {visible(rest, 400)}", err=True)


def named(events: Sequence[Event], name: str) -> list[Event]:
    """The event types that a word names: those of that id or name, else of that pattern, else with it in their name."""
    exact = [event for event in events if name in {event.ref, event.name}]
    fitting = [event for event in events if fnmatchcase(event.name, name)]
    return exact or fitting or [event for event in events if name.casefold() in event.name.casefold()]


def unknown(events: Sequence[Event], name: str, db: Path) -> str:
    """What to say of a word that names no event type: what there is instead."""
    names = sorted({event.name for event in events})
    near = get_close_matches(name, names, 3, 0.5) or names[:3]
    hint = f"; there are {', '.join(visible(each, 60) for each in near)}: msgtrace events" if near else ""
    return f"no event type in {db} is called {visible(name, 60)}{hint}"
