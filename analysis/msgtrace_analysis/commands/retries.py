"""`msgtrace retries`: how messages are tried again, what is declared, and where those end that never succeed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, Literal

import click

from msgtrace_analysis.commands.choosing import choice_options
from msgtrace_analysis.commands.opening import db_option, format_option, rules_option, show, studied
from msgtrace_analysis.passes import span_ns
from msgtrace_analysis.passes.attempts import tried
from msgtrace_analysis.passes.dead_letters import dead_letters
from msgtrace_analysis.passes.delivery import channels_of
from msgtrace_analysis.passes.events import catalogue
from msgtrace_analysis.passes.handling import time_operations
from msgtrace_analysis.passes.practices import recording
from msgtrace_analysis.passes.retrying import retrying
from msgtrace_analysis.passes.topology import topology
from msgtrace_analysis.renderers.retry_values import delays_text, then_text
from msgtrace_analysis.renderers.rows import Rows

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from pathlib import Path

    from msgtrace_analysis.commands.choosing import Choice
    from msgtrace_analysis.findings import DeadLetters, DeadRoute, Retrying, Topology
    from msgtrace_analysis.renderers.rows import Format
    from msgtrace_analysis.rules import Rules
    from msgtrace_analysis.study import Study

Of = Literal["policy", "declared", "difference", "route", "poison", "dropped"]
OF: Final[tuple[Of, ...]] = ("policy", "declared", "difference", "route", "poison", "dropped")
NOTHING: Final[dict[Of, str]] = {
    "policy": "No message was seen to be tried again. Record a handler that fails to see how it is retried.",
    "declared": "No retry policy was seen to be declared.",
    "difference": "Nothing that was observed differs from what is declared.",
    "route": "No dead-letter route was declared or observed.",
    "poison": "No message was seen to fail again and again.",
    "dropped": "No message was seen to be dropped.",
}


@click.command()
@db_option
@rules_option
@choice_options
@click.option(
    "--of",
    "of",
    type=click.Choice(OF),
    default="policy",
    show_default=True,
    help="What each row is of: an observed policy, a declared one, where the two differ, a dead-letter route, "
    "messages that always fail, messages that are gone.",
)
@format_option
def retries(db: Path, rules: Rules, choice: Choice, of: Of, form: Format) -> None:
    """How messages are tried again, and where those end that never succeed."""
    with studied(db, rules, choice.since) as study:
        channels, again = topology(study), tried(study)
        policies, dead = retrying(study, channels, again), dead_letters(study, channels, again)
        events = choice.wanted(catalogue(study, span_ns(recording(study)), rules))
        if of == "route" and not choice.everything:
            dead = replace(dead, routes=chosen(study, dead.routes, channels, choice, events))
    show(rows_of(of, policies, dead, Wanted(choice, events.keys())), form)


def chosen(
    study: Study, routes: Iterable[DeadRoute], known: Topology, choice: Choice, events: Collection[str]
) -> tuple[DeadRoute, ...]:
    """The routes that are wanted: from or to a channel, of a service that takes from where they begin, of an event type there."""
    time_operations(study)
    of_events = frozenset[str]().union(*channels_of(study, events).values())
    services: dict[tuple[str, str], set[str]] = {}
    for each in known.subscriptions:
        services.setdefault((each.system, each.channel), set()).add(each.service)
    return tuple(
        route
        for route in routes
        if any(choice.fits_channel(channel) for channel in (route.source, *route.targets))
        and choice.fits_services(services.get((route.system, route.source), ()))
        and (not choice.events or route.source in of_events)
    )


class Wanted:
    """What was chosen by event, channel and service.

    Args:
        choice: the options.
        events: ids of the event types that they choose.
    """

    def __init__(self, choice: Choice, events: Collection[str]) -> None:
        self._choice, self._events = choice, events

    def __call__(self, service: str, events: Collection[str]) -> bool:
        """Whether something of a service and of some event types is wanted; what is of none only where no event is asked for."""
        if self._choice.everything:
            return True
        if not self._choice.fits_service(service):
            return False
        if not events:
            return not (self._choice.events or self._choice.channels)
        return any(each in self._events for each in events)


def rows_of(of: Of, policies: Retrying, dead: DeadLetters, wanted: Wanted) -> Rows:
    """The rows of one kind."""
    match of:
        case "policy":
            columns, rows = _policies(policies, wanted)
        case "declared":
            columns, rows = _declared(policies, wanted)
        case "difference":
            columns, rows = _differences(policies, wanted)
        case "route":
            columns, rows = _routes(dead)
        case "poison":
            columns, rows = _poison(dead, wanted)
        case "dropped":
            columns, rows = _dropped(dead, wanted)
    return Rows(columns, rows, NOTHING[of], spare=("evidence", "example", "reasons", "errors", "note", "settings"))


Table = tuple[tuple[str, ...], list[tuple[Any, ...]]]


def _policies(found: Retrying, wanted: Wanted) -> Table:
    columns = (
        "service", "system", "channel", "handler", "mechanism", "delays", "attempts", "then", "messages", "given_up",
        "recovered", "fit_error", "certainty", "errors", "route", "reasons", "note", "example",
    )  # fmt: skip
    return columns, [
        (
            each.service, each.system, each.channel, each.place.name or each.place.site, each.mechanism, delays_text(each.policy),
            each.policy.max_attempts, then_text(each.policy), each.groups, each.exhausted, each.recovered,
            None if each.fit_error is None else round(each.fit_error, 3), each.evidence.certainty,
            [name for name, _ in each.errors] or None, list(each.route) or None, list(each.reasons), each.note or None,
            next(iter(each.evidence.examples), None),
        )
        for each in found.observed
        if wanted(each.service, each.events)
    ]  # fmt: skip


def _declared(found: Retrying, wanted: Wanted) -> Table:
    columns = ("source", "service", "channel", "function", "delays", "attempts", "then", "at", "settings")
    return columns, [
        (
            each.source, each.service, each.channel or None, each.place.name or None, delays_text(each.policy),
            each.policy.max_attempts, then_text(each.policy), each.place.site or None,
            dict(each.settings) or None,
        )
        for each in found.declared
        if wanted(each.service, ())
    ]  # fmt: skip


def _differences(found: Retrying, wanted: Wanted) -> Table:
    columns = ("service", "channel", "source", "field", "declared", "observed", "certainty")
    return columns, [
        (
            each.observed.service, each.observed.channel, each.declared.source, each.field, each.declared_value,
            each.observed_value, each.certainty,
        )
        for each in found.differences
        if wanted(each.observed.service, each.observed.events)
    ]  # fmt: skip


def _routes(found: DeadLetters) -> Table:
    columns = (
        "system", "source", "by", "exchange", "routing_key", "targets", "declared", "observed", "retry", "messages",
        "reasons", "median_age_s", "oldest_s", "retention", "redriven", "certainty",
    )  # fmt: skip
    return columns, [
        (
            each.system, each.source, each.by, each.exchange, each.routing_key, list(each.targets), each.declared,
            each.observed, each.retry, each.messages, dict(each.reasons) or None, each.median_age_s, each.oldest_s,
            list(each.retention) or None, each.redriven, each.certainty,
        )
        for each in found.routes
    ]  # fmt: skip


def _poison(found: DeadLetters, wanted: Wanted) -> Table:
    columns = (
        "event",
        "system",
        "channel",
        "service",
        "handler",
        "messages",
        "of",
        "attempts",
        "errors",
        "end",
        "example",
    )
    return columns, [
        (
            each.name, each.system, each.channel, each.place.service, each.place.name or each.place.site, each.messages,
            each.of, each.attempts, dict(each.errors) or None, dict(each.end), next(iter(each.evidence.examples), None),
        )
        for each in found.poison
        if wanted(each.place.service, (each.event,))
    ]  # fmt: skip


def _dropped(found: DeadLetters, wanted: Wanted) -> Table:
    columns = ("event", "system", "channel", "service", "handler", "how", "messages", "errors", "certainty", "example")
    return columns, [
        (
            each.name, each.system, each.channel, each.place.service, each.place.name or each.place.site, each.how,
            each.messages, dict(each.errors) or None, each.evidence.certainty, next(iter(each.evidence.examples), None),
        )
        for each in found.dropped
        if wanted(each.place.service, (each.event,))
    ]  # fmt: skip
