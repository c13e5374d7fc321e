"""`msgtrace delivery`: what delivery promises and what it kept."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import click

from msgtrace_analysis.commands.choosing import choice_options
from msgtrace_analysis.commands.opening import db_option, format_option, rules_option, show, studied
from msgtrace_analysis.passes.delivery import channels_of, guarantees
from msgtrace_analysis.passes.events import catalogue
from msgtrace_analysis.renderers.delivery_rows import OF, delivery_rows

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path
    from typing import TypeVar

    from msgtrace_analysis.commands.choosing import Choice
    from msgtrace_analysis.findings import (
        Consumer,
        Duplicates,
        Guarantees,
        Lag,
        Load,
        Missing,
        Order,
        Pressure,
        Producer,
    )
    from msgtrace_analysis.renderers.delivery_rows import Of
    from msgtrace_analysis.renderers.rows import Format
    from msgtrace_analysis.rules import Rules
    from msgtrace_analysis.study import Study

    Placed = TypeVar("Placed", Consumer, Producer, Duplicates, Order, Missing, Lag, Load, Pressure)


@click.command()
@db_option
@rules_option
@choice_options
@click.option("--of", "of", type=click.Choice(OF), default="consumer", show_default=True, help="What each row is of.")
@format_option
def delivery(db: Path, rules: Rules, choice: Choice, of: Of, form: Format) -> None:
    """What delivery promises and what it kept: acknowledgements, confirms, duplicates, order, gaps, lag, rebalances."""
    with studied(db, rules, choice.since) as study:
        found = chosen(guarantees(study), choice, _channels(study, choice, rules) if choice.events else None)
    show(delivery_rows(found, of), form)


def _channels(study: Study, choice: Choice, rules: Rules) -> frozenset[str]:
    """The channels of the wanted event types."""
    return frozenset[str]().union(*channels_of(study, choice.wanted(catalogue(study, 0, rules))).values())


def _services(each: Consumer | Producer | Duplicates | Order | Missing | Lag | Load | Pressure) -> tuple[str, ...]:
    # By its own name and not with isinstance: only type checkers import these.
    own: str | None = getattr(each, "service", None)
    return getattr(each, "services", ()) if own is None else (own,)


def chosen(found: Guarantees, choice: Choice, channels: frozenset[str] | None = None) -> Guarantees:
    """What is wanted.

    Args:
        found: everything.
        choice: by channel and service.
        channels: of the wanted event types; None for all.
    """

    def wanted(values: Iterable[Placed]) -> tuple[Placed, ...]:
        return tuple(
            each
            for each in values
            if choice.fits(each.channel, _services(each)) and (channels is None or each.channel in channels)
        )

    return replace(
        found,
        consumers=wanted(found.consumers),
        producers=wanted(found.producers),
        duplicates=wanted(found.duplicates),
        orders=wanted(found.orders),
        missing=wanted(found.missing),
        lags=wanted(found.lags),
        loads=wanted(found.loads),
        pressures=wanted(found.pressures),
        rebalances=tuple(
            each
            for each in found.rebalances
            if any(choice.fits(channel, each.services) for channel in each.channels or ("",))
            and (channels is None or not channels.isdisjoint(each.channels))
        ),
    )
