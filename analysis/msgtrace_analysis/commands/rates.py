"""`msgtrace rates`: how often, with what certainty, in which rhythm, and whether consumers keep up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

import click

from msgtrace_analysis.commands.choosing import choice_options
from msgtrace_analysis.commands.opening import db_option, format_option, rules_option, show, studied
from msgtrace_analysis.passes import span_ns
from msgtrace_analysis.passes.events import catalogue
from msgtrace_analysis.passes.practices import recording
from msgtrace_analysis.passes.rates import frequencies
from msgtrace_analysis.renderers.json_values import time_of
from msgtrace_analysis.renderers.rows import Rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from msgtrace_analysis.commands.choosing import Choice
    from msgtrace_analysis.findings import Backlog, Event, Rate, Schedule
    from msgtrace_analysis.renderers.rows import Format
    from msgtrace_analysis.rules import Rules

Of = Literal["event", "channel", "service", "edge", "backlog"]
OF: Final[tuple[Of, ...]] = ("event", "channel", "service", "edge", "backlog")
NOTHING: Final = "No message in this trace fits."


@click.command()
@db_option
@rules_option
@choice_options
@click.option("--of", "of", type=click.Choice(OF), default="event", show_default=True, help="What each row is of.")
@format_option
def rates(db: Path, rules: Rules, choice: Choice, of: Of, form: Format) -> None:
    """How often messages are sent: rates with a 95% interval, peaks, bursts, schedules, backlogs.

    `fano` is the variance of the counts in windows over their mean: 1 is chance, less is regular, more comes in bursts.
    """
    with studied(db, rules, choice.since) as study:
        found = frequencies(study)
        events = choice.wanted(catalogue(study, span_ns(recording(study)), rules))
    if of == "backlog":
        rows = backlog_rows(each for each in found.backlogs if each.event in events)
    else:
        rows = rate_rows(_chosen(found.of(of), events, choice), events)
    show(rows, form)
    if found.note:
        click.echo(f"msgtrace: {found.note}", err=True)


def _chosen(rates_: Iterable[Rate], events: Mapping[str, Event], choice: Choice) -> list[Rate]:
    """The rates of the wanted event types, of their channels, or of services."""
    if choice.everything:
        return list(rates_)
    channels = {f"{each.system}/{each.channel_kind}/{each.address}" for each in events.values()}
    services = {party.place.service for each in events.values() for party in (*each.publishers, *each.consumers)}
    known = {"event": events.keys(), "edge": events.keys(), "channel": channels, "service": services}
    return [
        each
        for each in rates_
        if each.subject in known[each.scope] and (each.scope != "service" or choice.fits_service(each.subject))
    ]


def rate_rows(found: Iterable[Rate], events: Mapping[str, Event]) -> Rows:
    """One row per rate, the most frequent first."""
    columns = (
        "name", "on", "side", "messages", "per_second", "low", "high", "peak", "fano", "bytes_per_second", "failed", "schedule",
        "hours",
    )  # fmt: skip
    ordered = sorted(
        found, key=lambda each: (-each.messages, each.subject, each.side, each.source or "", each.target or "")
    )
    return Rows(
        columns,
        [
            (
                each.name, _on(each, events), each.side, each.messages, _digits(each.per_second), _digits(each.low),
                _digits(each.high), _digits(each.peak_per_second), each.fano, _digits(each.bytes_per_second), each.failed,
                [schedule_text(schedule) for schedule in each.schedules] or None,
                None if each.hours is None else list(each.hours),
            )
            for each in ordered
        ],
        NOTHING,
        spare=("hours", "bytes_per_second", "failed", "fano", "peak", "on"),
    )  # fmt: skip


def _on(rate: Rate, events: Mapping[str, Event]) -> str | None:
    if rate.scope == "edge":
        return f"{rate.source or 'outside'} to {rate.target}"
    if rate.scope == "channel":
        return " ".join(rate.subject.split("/", 2)[:2])
    event = events.get(rate.subject) if rate.scope == "event" else None
    return None if event is None else f"{event.system} {event.channel_kind} {event.address}".strip()


def _digits(value: float | None) -> float | None:
    """Four digits that matter: a rate is not known better."""
    return None if value is None else float(f"{value:.4g}")


def schedule_text(schedule: Schedule) -> str:
    """A schedule in a few words.

    >>> from msgtrace_analysis.findings import Place, Schedule
    >>> schedule_text(Schedule(Place("code", "web", "beat", ""), 30.0, 2.0, 9, 1, "likely"))
    'every 30 s, jitter 2 s, by web: beat, 1 missing (likely)'
    """
    missing = f", {schedule.missed} missing" if schedule.missed else ""
    where = f"{schedule.place.service}: {schedule.place.name or schedule.place.site}"
    return f"every {schedule.period_s:g} s, jitter {schedule.jitter_s:g} s, by {where}{missing} ({schedule.certainty})"


def backlog_rows(found: Iterable[Backlog]) -> Rows:
    """One row per queue or group and event type, the longest backlog first."""
    columns = (
        "name", "channel", "group", "services", "sent", "received", "sent_per_second", "received_per_second", "largest",
        "largest_at", "last", "falls_behind",
    )  # fmt: skip
    rows: list[tuple[Any, ...]] = [
        (
            each.name, f"{each.system} {each.channel}".strip(), each.group or None, list(each.services), each.sent, each.received,
            _digits(each.sent_per_second), _digits(each.received_per_second), each.largest, time_of(each.largest_ns), each.last,
            each.behind,
        )
        for each in sorted(found, key=lambda each: (-each.largest, each.event, each.channel, each.group))
    ]  # fmt: skip
    return Rows(columns, rows, NOTHING, spare=("largest_at", "sent_per_second", "received_per_second", "group"))
