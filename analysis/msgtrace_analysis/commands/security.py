"""`msgtrace security`: what protects messages and what they give away."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import click

from msgtrace_analysis.commands.choosing import choice_options
from msgtrace_analysis.commands.opening import db_option, format_option, rules_option, show, studied
from msgtrace_analysis.passes.events import catalogue
from msgtrace_analysis.passes.exposures import Searching
from msgtrace_analysis.passes.handling import time_operations
from msgtrace_analysis.passes.security import security as find_security
from msgtrace_analysis.passes.stack import stack
from msgtrace_analysis.passes.topology import topology
from msgtrace_analysis.renderers.security_rows import OF, security_rows

if TYPE_CHECKING:
    from pathlib import Path

    from msgtrace_analysis.commands.choosing import Choice
    from msgtrace_analysis.findings import Security
    from msgtrace_analysis.renderers.rows import Format
    from msgtrace_analysis.renderers.security_rows import Of
    from msgtrace_analysis.rules import Rules


@click.command()
@db_option
@rules_option
@choice_options
@click.option("--of", "of", type=click.Choice(OF), default="transport", show_default=True, help="What each row is of.")
@format_option
def security(db: Path, rules: Rules, choice: Choice, of: Of, form: Format) -> None:
    """Encryption, authentication, who may publish and consume, personal data and secrets by field, pickles, signatures.

    Kinds, places and counts: never a value.
    """
    with studied(db, rules, choice.since) as study:
        time_operations(study)
        known = topology(study)
        with Searching(study) as searching:
            found = find_security(study, stack(study), known, searching)
        events = None if choice.everything else frozenset(choice.wanted(catalogue(study, 0, rules)))
    show(security_rows(found if events is None else chosen(found, choice, events), known.permissions, of), form)


def chosen(found: Security, choice: Choice, events: frozenset[str]) -> Security:
    """What is wanted: by service and channel, and data by event type."""
    return replace(
        found,
        transports=tuple(each for each in found.transports if any(map(choice.fits_service, each.services))),
        access=tuple(
            each
            for each in found.access
            if choice.fits(each.channel, [service for service, _ in (*each.publishers, *each.consumers)])
        ),
        exposures=tuple(each for each in found.exposures if each.event in events),
        hazards=tuple(each for each in found.hazards if choice.fits(each.channel, (*each.publishers, *each.consumers))),
        protections=tuple(each for each in found.protections if choice.fits_channel(each.channel)),
    )
