"""The central's half of a connection: who may speak, and in which order. Pure: bytes in; messages and bytes out."""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from msgtrace_collectors.forwarding.protocol import (
    MAX_FRAME_BYTES,
    VERSION,
    Bodies,
    Hello,
    Open,
    Ping,
    ProtocolError,
    Records,
    Refused,
    Unpacker,
    Welcome,
    packed,
)

GREETING_BYTES: Final = 4096
"""Of a frame by somebody who has not yet shown a token."""

Said: TypeAlias = Open | Bodies | Records


@dataclass(slots=True)
class Receiver:
    """One connection.

    Attributes:
        token: what the peer must know.
        key: handed to one that does.
        welcomed: it has.
    """

    token: str
    key: bytes
    welcomed: bool = False
    _unpacker: Unpacker = field(default_factory=lambda: Unpacker(GREETING_BYTES))

    def feed(self, data: bytes) -> None:
        """Take bytes of the peer's."""
        self._unpacker.feed(data)

    def next(self) -> tuple[Said | None, bytes, bool]:
        """The next thing that the peer said.

        Returns:
            What is to be done, None for nothing; what is to be answered; whether there may be more in what came.

        Raises:
            ProtocolError: the connection is to be closed.
        """
        message = self._unpacker.next()
        if message is None:
            return None, b"", False
        if not self.welcomed:
            return None, self._greeted(message), True
        if isinstance(message, Ping):
            return None, packed(Ping()), True
        if isinstance(message, Open | Bodies | Records):
            return message, b"", True
        raise ProtocolError(f"{type(message).__name__} is not a forwarder's to say")

    def _greeted(self, message: object) -> bytes:
        if not isinstance(message, Hello) or not hmac.compare_digest(message.token.encode(), self.token.encode()):
            raise ProtocolError("a wrong token")
        if message.version != VERSION:
            raise ProtocolError(f"version {message.version} of the protocol, this msgtrace speaks {VERSION}")
        self.welcomed = True
        self._unpacker.max_bytes = MAX_FRAME_BYTES
        return packed(Welcome(VERSION, self.key))


def refusal(error: ProtocolError) -> bytes:
    """The last word to a peer."""
    return packed(Refused(str(error)[:200]))
