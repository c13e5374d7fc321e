"""Writing to the activity stream, from services without an event loop."""

import json
from collections.abc import Mapping

from redis import Redis
from redis.typing import EncodableT, FieldT

from shop.runtime import ledger
from shop.runtime.settings import Settings

KEEP = 10_000
"""About how many entries stay in the stream."""


def stream(settings: Settings) -> str:
    """Return the name of the stream."""
    return settings.name("activity")


def entry(kind: str, subject: str, details: Mapping[str, object]) -> dict[FieldT, EncodableT]:
    """Return the fields of an entry: what happened to what, and the details as JSON."""
    return {"type": kind, "subject": subject, "details": json.dumps(details)}


class ActivityLog:
    """The stream, seen by somebody who writes to it."""

    def __init__(self, client: Redis, name: str) -> None:
        self._client = client
        self._name = name

    @classmethod
    def open(cls, address: str, settings: Settings) -> "ActivityLog":
        """Connect to Redis at `address`."""
        return cls(Redis.from_url(address), stream(settings))

    def add(self, kind: str, subject: str, details: Mapping[str, object]) -> None:
        """Append what happened."""
        ledger.sent("redis", self._name, kind)
        self._client.xadd(self._name, entry(kind, subject, details), maxlen=KEEP)

    def close(self) -> None:
        """Close the connection."""
        self._client.close()
