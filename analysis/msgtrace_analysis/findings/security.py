"""What protects messages and what they give away. Never a secret, never a person's data: kinds, places and counts of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from msgtrace_analysis.findings.evidence import Certainty, Evidence

Personal = Literal[
    "email", "phone", "card", "iban", "ip address", "name", "address", "date of birth", "national id", "secret"
]
"""Kinds of data; `secret` is what was redacted before it was stored."""
Where = Literal["body", "header", "key", "routing key", "channel", "message id", "settings", "error", "connection"]


@dataclass(frozen=True, slots=True)
class Transport:
    """How connections to one server are protected.

    Attributes:
        encrypted: `unknown` where the library does not tell.
        local: the server is on the same machine, so that nothing goes over a network.
        mechanism: of authentication, e.g. `PLAIN`; '' where none was seen.
        principals: user names; never a password. '' in it stands for connections without one.
        identified: clients identify themselves; None where that can't be told.
    """

    system: str
    server: str
    virtual_host: str | None
    services: tuple[str, ...]
    connections: int
    encrypted: Literal["yes", "no", "both", "unknown"]
    local: bool
    mechanism: str
    principals: tuple[str, ...]
    identified: bool | None
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Access:
    """Who publishes to a channel and who consumes from it, and who may.

    Attributes:
        publishers: (service, principal) as seen; likewise `consumers`. '' where no principal is known.
        may_publish: principals that an inspection found to be allowed to; None where no broker was inspected, or it keeps
            that to itself. Likewise `may_consume`.
        unused: principals that may publish or consume, and were not seen to do either.
    """

    system: str
    channel: str
    channel_kind: str
    publishers: tuple[tuple[str, str], ...]
    consumers: tuple[tuple[str, str], ...]
    may_publish: tuple[str, ...] | None
    may_consume: tuple[str, ...] | None
    unused: tuple[str, ...]
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Exposure:
    """Personal data, or secrets, in one field of one kind of message.

    Attributes:
        event: id of the event type; '' where it is of no message.
        where: part of the message, and `field` the way to it in there: a JSON pointer, a header's name; '' for the whole.
        kind: of the data.
        messages: with such a value there, of `of` that have the field.
        by: what tells: `content`, what the values look like; `name`, the field's name alone.
        personal_name: the field's own name was such data (a map of people), and stands here as its kind.
    """

    event: str
    name: str
    system: str
    channel: str
    where: Where
    field: str
    kind: Personal
    messages: int
    of: int
    by: Literal["content", "name"]
    personal_name: bool
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Hazard:
    """Bodies whose reading is dangerous in itself: pickles.

    Attributes:
        encoding: as `operations.encoding` has it.
        consumers: services that receive them.
    """

    system: str
    channel: str
    channel_kind: str
    encoding: str
    publishers: tuple[str, ...]
    consumers: tuple[str, ...]
    messages: int
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Protection:
    """What protects messages of a channel in themselves.

    Attributes:
        kind: `signature`: a header, or a field, with one. `encrypted body`: bodies that say that they are, or that no format
            explains and that are as even as what is encrypted.
        told_by: the header, field or content type; or `entropy`.
        messages: with it, of `of`.
    """

    kind: Literal["signature", "encrypted body"]
    system: str
    channel: str
    channel_kind: str
    told_by: str
    messages: int
    of: int
    certainty: Certainty
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Security:
    """Everything about security. What brokers permit stands in `Topology.permissions`, as inspected.

    Attributes:
        searched: messages whose bodies could be searched for personal data, and `unsearched` those that could not.
        redacted: secrets that were replaced before anything was stored.
    """

    transports: tuple[Transport, ...] = ()
    access: tuple[Access, ...] = ()
    exposures: tuple[Exposure, ...] = ()
    hazards: tuple[Hazard, ...] = ()
    protections: tuple[Protection, ...] = ()
    searched: int = 0
    unsearched: int = 0
    redacted: int = 0
