"""What of a trace is shown: the options --service, --channel, --event and --since, the same for all looks at events."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Final

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from msgtrace_analysis.findings import Event

UNITS: Final = {"ms": 1_000_000, "s": 10**9, "m": 60 * 10**9, "h": 3_600 * 10**9, "d": 86_400 * 10**9}
_AGO = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h|d)")


@dataclass(frozen=True, slots=True)
class Since:
    """From when on: a time, or so long before the trace's last operation."""

    at_ns: int | None
    before_end_ns: int | None
    text: str = ""

    def begin_ns(self, last_ns: int) -> int:
        """When that is, in a trace that ends at `last_ns`."""
        return self.at_ns if self.at_ns is not None else last_ns - (self.before_end_ns or 0)


@dataclass(frozen=True, slots=True)
class Choice:
    """What is wanted: patterns, any of which may fit; none for everything."""

    services: tuple[str, ...]
    channels: tuple[str, ...]
    events: tuple[str, ...]
    since: Since | None

    @property
    def everything(self) -> bool:
        """Whether nothing is left out by name."""
        return not (self.services or self.channels or self.events)

    @property
    def said(self) -> str:
        """The options, as they can be given again; '' where none was."""
        given = {"--service": self.services, "--channel": self.channels, "--event": self.events}
        parts = [f"{option} {value}" for option, values in given.items() for value in values]
        return " ".join([*parts, f"--since {self.since.text}"] if self.since is not None else parts)

    def wants(self, event: Event) -> bool:
        """Whether an event type is wanted: by name, by channel, and by one of the services at its ends."""
        ends = {party.place.service for party in (*event.publishers, *event.consumers)}
        return (
            _fits(self.events, {event.name, event.ref})
            and _fits(self.channels, {event.address, *event.channels})
            and _fits(self.services, ends)
        )

    def fits_service(self, service: str) -> bool:
        """Whether a service is wanted."""
        return _fits(self.services, {service})

    def fits_services(self, services: Iterable[str]) -> bool:
        """Whether one of some services is wanted."""
        return _fits(self.services, services)

    def fits_channel(self, channel: str) -> bool:
        """Whether a channel is wanted."""
        return _fits(self.channels, {channel})

    def fits(self, channel: str, services: Iterable[str]) -> bool:
        """Whether what is of a channel and of services is wanted, events aside."""
        return _fits(self.channels, {channel}) and _fits(self.services, services)

    def wanted(self, events: Iterable[Event]) -> dict[str, Event]:
        """The wanted event types, by id."""
        return {event.ref: event for event in events if self.wants(event)}


def _fits(patterns: tuple[str, ...], names: Iterable[str]) -> bool:
    return not patterns or any(name == pattern or fnmatchcase(name, pattern) for name in names for pattern in patterns)


def choice_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the four options, which it gets as `choice`."""

    @functools.wraps(command)
    def chosen(
        *arguments: Any,
        service: tuple[str, ...],
        channel: tuple[str, ...],
        event: tuple[str, ...],
        since: Since | None,
        **named: Any,
    ) -> Any:
        return command(*arguments, choice=Choice(service, channel, event, since), **named)

    for option in (
        since_option,
        click.option("--event", multiple=True, metavar="NAME", help="Only these event types."),
        click.option("--channel", multiple=True, metavar="NAME", help="Only what is on these channels."),
        click.option("--service", multiple=True, metavar="NAME",
                     help="Only what this service sends or receives. This and the next two may be patterns, and be repeated."),
    ):  # fmt: skip
        option(chosen)
    return chosen


def since_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command `--since`."""
    return click.option(
        "--since", callback=_since, metavar="TIME",
        help="Only what was recorded since: 10m (before the end; ms, s, m, h, d), or 2024-05-01T12:00:00 (UTC).",
    )(command)  # fmt: skip


def _since(_context: click.Context, _option: click.Parameter, text: str | None) -> Since | None:
    if text is None:
        return None
    if ago := _AGO.fullmatch(text.strip()):
        return Since(None, round(float(ago[1]) * UNITS[ago[2]]), text.strip())
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise click.BadParameter(f"{text!r} is neither like 10m nor like 2024-05-01T12:00:00") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return Since(int(moment.timestamp() * 1_000_000) * 1_000, None, text.strip())
