"""Which event types go through which channel, in whose hands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from msgtrace_analysis.findings.catalog import Parameter
    from msgtrace_analysis.findings.evidence import Evidence


@dataclass(frozen=True, slots=True)
class Header:
    """A header of some messages.

    Attributes:
        types: JSON's type names of its values.
        present: messages that have it.
    """

    name: str
    types: tuple[str, ...]
    present: int


@dataclass(frozen=True, slots=True)
class Use:
    """Messages of one event type that one service sends to, or receives from, one channel.

    An exchange is sent to and a queue is received from: unlike an event type's address, this is the channel that the
    service itself names.

    Attributes:
        event: the event type's id.
        channel: a template where parts of it vary.
        keys: AMQP routing keys, as templates where parts of them vary.
        parameters: of the templates in `channel` and `keys`.
        groups: consumer groups.
        servers: addresses of the servers that it was sent to or received from.
        encodings: how the bodies could be read, most often used first.
        messages: operations.
        correlated: of them, with a correlation id of the protocol's own.
        replied: of them, with an address to reply to.
        headers: by name.
    """

    event: str
    side: Literal["send", "receive"]
    service: str
    system: str
    channel: str
    channel_kind: str
    keys: tuple[str, ...]
    parameters: tuple[Parameter, ...]
    groups: tuple[str, ...]
    servers: tuple[str, ...]
    encodings: tuple[str, ...]
    messages: int
    correlated: int
    replied: int
    headers: tuple[Header, ...]
    evidence: Evidence
