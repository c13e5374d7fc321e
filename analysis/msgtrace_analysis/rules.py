"""What users say about names: a TOML file that goes before everything that is found in a trace. docs/event-types.md.

[[name]]
channel = "orders*"
field = "payload.kind"

[[channel]]
template = "user.{user_id}.inbox"

[[kind]]
event = "order.*"
kind = "domain event"
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Final, TypeVar, get_args

from msgtrace_analysis.findings import Kind

if TYPE_CHECKING:
    from pathlib import Path

KINDS: Final[tuple[Kind, ...]] = get_args(Kind)


class RulesError(Exception):
    """The file can't be read or means nothing: its place and what to do, in one line."""


@dataclass(frozen=True, slots=True)
class NameRule:
    """Messages that fit every pattern that is given are named by the one source that is.

    Attributes:
        system: pattern (`*`, `?`, `[abc]`), like the next three.
        channel: of the channel, or of its template.
        routing_key: of the routing key or event name.
        service: of the service that sends or receives.
        name: a name for all of them.
        header: name of a header.
        field: way to a field of the JSON body, with dots, or a JSON pointer.
        by: `routing_key` or `channel`.
    """

    system: str | None = None
    channel: str | None = None
    routing_key: str | None = None
    service: str | None = None
    name: str | None = None
    header: str | None = None
    field: str | None = None
    by: str | None = None

    @property
    def pointer(self) -> str:
        """The way to `field` (RFC 6901); '' without one."""
        if self.field is None or self.field.startswith("/"):
            return self.field or ""
        return "".join(f"/{part.replace('~', '~0')}" for part in self.field.split("."))


@dataclass(frozen=True, slots=True)
class ChannelRule:
    """Channels, routing keys and event names of this form are one; `{name}` stands for what varies."""

    template: str


@dataclass(frozen=True, slots=True)
class KindRule:
    """Event types of this name (a pattern) are of this kind."""

    event: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Rules:
    """All of them; the first that fits wins."""

    names: tuple[NameRule, ...] = ()
    channels: tuple[ChannelRule, ...] = ()
    kinds: tuple[KindRule, ...] = ()


Made = TypeVar("Made", NameRule, ChannelRule, KindRule)
NO_RULES: Final = Rules()


def read_rules(path: Path) -> Rules:
    """Read a file; of a `pyproject.toml` the table `tool.msgtrace`.

    Raises:
        RulesError: it can't be read, or says what is not understood.
    """
    try:
        known = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise RulesError(f"{path}: can't be read: {getattr(error, 'strerror', None) or error}") from None
    except tomllib.TOMLDecodeError as error:
        raise RulesError(f"{path}: no TOML: {error}") from None
    if path.name == "pyproject.toml":
        known = known.get("tool", {}).get("msgtrace", {})
    if unknown := known.keys() - {"name", "channel", "kind"}:
        raise RulesError(f"{path}: unknown table {min(unknown)!r}; there are [[name]], [[channel]] and [[kind]]")
    rules = Rules(
        tuple(_made(path, "name", NameRule, each) for each in _tables(path, known, "name")),
        tuple(_made(path, "channel", ChannelRule, each) for each in _tables(path, known, "channel")),
        tuple(_made(path, "kind", KindRule, each) for each in _tables(path, known, "kind")),
    )
    for each in rules.names:
        if sum(value is not None for value in (each.name, each.header, each.field, each.by)) != 1:
            raise RulesError(f"{path}: [[name]] needs exactly one of name, header, field, by")
        if each.by not in {None, "routing_key", "channel"}:
            raise RulesError(f"{path}: [[name]] by is 'routing_key' or 'channel', not {each.by!r}")
    for kind in rules.kinds:
        if kind.kind not in KINDS:
            raise RulesError(f"{path}: [[kind]] kind is one of {', '.join(KINDS)}, not {kind.kind!r}")
    return rules


def _tables(path: Path, known: dict[str, Any], name: str) -> list[dict[str, Any]]:
    tables = known.get(name, [])
    if not isinstance(tables, list) or not all(isinstance(each, dict) for each in tables):
        raise RulesError(f"{path}: {name!r} is written as [[{name}]]")
    return tables


def _made(path: Path, table: str, of: type[Made], given: dict[str, Any]) -> Made:
    names = {each.name for each in fields(of)}
    if unknown := given.keys() - names:
        raise RulesError(f"{path}: [[{table}]] has no {min(unknown)!r}; there are {', '.join(sorted(names))}")
    if wrong := sorted(name for name, value in given.items() if not isinstance(value, str)):
        raise RulesError(f"{path}: [[{table}]] {wrong[0]} is text")
    try:
        return of(**given)
    except TypeError:
        raise RulesError(f"{path}: [[{table}]] needs {' and '.join(sorted(names))}") from None
