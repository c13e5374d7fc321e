"""`msgtrace schemas`: what bodies look like, as a table of types or of fields, or as JSON Schema."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any, Final

import click

from msgtrace_analysis.commands.choosing import choice_options
from msgtrace_analysis.commands.opening import db_option, format_option, rules_option, show, studied
from msgtrace_analysis.commands.show import named, unknown
from msgtrace_analysis.commands.writing import say
from msgtrace_analysis.passes import span_ns
from msgtrace_analysis.passes.contracts import contracts
from msgtrace_analysis.passes.events import catalogue
from msgtrace_analysis.passes.practices import recording
from msgtrace_analysis.renderers.json_values import time_of
from msgtrace_analysis.renderers.rows import Rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from msgtrace_analysis.commands.choosing import Choice
    from msgtrace_analysis.findings import Contract, Event, Field, Version
    from msgtrace_analysis.renderers.rows import Format
    from msgtrace_analysis.rules import Rules

NOTHING: Final = "No message in this trace fits."
NO_FIELDS: Final = "No body of this type could be read as an object."

Described = tuple["Event", "Contract"]


@click.command()
@click.argument("name", metavar="[EVENT]", required=False)
@db_option
@rules_option
@choice_options
@format_option
def schemas(name: str | None, db: Path, rules: Rules, choice: Choice, form: Format) -> None:
    """What bodies look like, from all samples: one row per event type, or per field of EVENT.

    EVENT is a name, a pattern (*, ?, [abc]), a part of a name, or an id as EVENT_FLOWS.json has it. As JSON, each event type
    comes with its JSON Schema (2020-12), and each version of it with what changed and what that breaks.
    """
    with studied(db, rules, choice.since) as study:
        known = catalogue(study, span_ns(recording(study)), rules)
        wanted = [event for event in known if choice.wants(event)]
        if name is not None:
            wanted = named(wanted, name)
            if not wanted:
                raise click.ClickException(unknown(known, name, db))
        looked_at = {event.ref for event in wanted} | {other for event in wanted for other in event.also_on}
        found = {contract.event: contract for contract in contracts(study, looked_at)}
    described = [(event, found[event.ref]) for event in wanted if event.ref in found]
    if form == "json":
        text = json.dumps([as_json(*each) for each in described], indent=2, ensure_ascii=False)
        say(text.encode("utf-8", "backslashreplace").decode() + "\n")
        sys.stdout.flush()
    else:
        show(type_rows(described) if name is None else field_rows(described), form)


def as_json(event: Event, contract: Contract) -> dict[str, Any]:
    """An event type's id and name, its schema, and that of each version, oldest first."""
    return {
        "event": event.ref,
        "name": event.name,
        "samples": contract.samples,
        "unread": contract.unread,
        "cut": contract.cut,
        "certainty": contract.certainty,
        "schema": dict(contract.schema),
        "versioned_by": contract.versioned_by or None,
        "versions": [_version(each) for each in contract.versions],
        "elsewhere": elsewhere(contract),
    }


def elsewhere(contract: Contract) -> list[dict[str, Any]]:
    """The same type on other channels, and in what its bodies differ there."""
    return [
        {
            "event": each.event,
            "differences": [{"path": one.path, "difference": one.what} for one in each.differences],
            "differences_in_all": each.count,
            "certainty": each.certainty,
        }
        for each in contract.elsewhere
    ]


def _version(version: Version) -> dict[str, Any]:
    return {
        "version": version.name,
        "samples": version.samples,
        "first_seen": time_of(version.first_seen_ns),
        "last_seen": time_of(version.last_seen_ns),
        "compatibility": version.verdict,
        "changes": [{"path": each.path, "change": each.what, "keeps": each.reads} for each in version.changes],
        "schema": dict(version.schema),
    }


def type_rows(described: Iterable[Described]) -> Rows:
    """One row per event type: how much is known of its bodies, and how its versions fit."""
    columns = ("name", "on", "samples", "unread", "fields", "always", "versioned_by", "versions", "certainty")
    rows = [
        (
            event.name, f"{event.system} {event.channel_kind} {event.address}".strip(), contract.samples, contract.unread,
            len(contract.fields), sum(each.present == each.of for each in contract.fields), contract.versioned_by or None,
            [_fits(each) for each in contract.versions] or None, contract.certainty,
        )
        for event, contract in described
    ]  # fmt: skip
    return Rows(columns, rows, NOTHING, spare=("unread", "versioned_by", "always", "on"))


def _fits(version: Version) -> str:
    return version.name if version.verdict is None else f"{version.name} ({version.verdict})"


def field_rows(described: Sequence[Described]) -> Rows:
    """One row per field: what every value of it was like."""
    columns = (
        "event", "path", "types", "format", "format_certainty", "present",
        "of", "nulls", "closed_set", "closed", "least", "most", "role", "examples",
    )  # fmt: skip
    rows = [_field(event, each) for event, contract in described for each in contract.fields]
    spare = ("format_certainty", "closed", "nulls", "least", "most", "examples", "of")
    return Rows(columns, rows, NO_FIELDS, spare=spare if len(described) > 1 else ("event", *spare))


def _field(event: Event, field: Field) -> tuple[Any, ...]:
    least, most = field.range or (None, None)
    return (
        event.name, field.path, list(field.types), field.format or None, field.format_certainty,
        field.present, field.of, field.nulls,
        list(field.values) or None, field.closed, least, most, field.role or None, list(field.examples),
    )  # fmt: skip
