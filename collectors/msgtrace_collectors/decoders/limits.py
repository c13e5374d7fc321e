"""What reading bodies may cost, whoever wrote them; and the ways in which reading fails. Pure."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Final

MAX_INPUT_BYTES: Final = 1 << 20
"""Of a body that is read value by value. Text and JSON are read at any size."""
MAX_CONTENT_BYTES: Final = 2 << 20
"""Of what a compressed body may become, and of the JSON that any body may become."""
MAX_RATIO: Final = 200
"""Times its own size may a compressed body become, beyond the first `FREE_BYTES`."""
FREE_BYTES: Final = 64 << 10
MAX_LAYERS: Final = 4
"""Compressed in an envelope in ..., each counted."""
MAX_NODES: Final = 200_000
"""Values in one body."""
MAX_DEPTH: Final = 100
MAX_BATCH_BYTES: Final = 64 << 20
"""Of JSON and decompressed content that the bodies of one transaction may become."""
MAX_BATCH_S: Final = 10.0
"""Time for those bodies of one transaction that are no plain JSON."""


class Unreadable(Exception):  # noqa: N818 - reads as what it is
    """A body can't be read as what it was taken for. The text is a short reason of ours, with nothing of the body in it."""


class Malformed(Unreadable):
    """It is not of this format, or it is cut off."""


class TooMuch(Unreadable):
    """It is, but it would cost more than a body may."""


class Unavailable(Unreadable):
    """It is, but what reads it is not there: a library, a schema."""


class SchemaMissing(Unavailable):
    """What is missing is the schema: the body's names are not in it."""


@dataclass(slots=True)
class Budget:
    """What the bodies of one transaction may still cost together.

    Attributes:
        content_bytes: that may still be made.
        until: the monotonic time when reading stops.
    """

    content_bytes: int = MAX_BATCH_BYTES
    until: float = field(default_factory=lambda: time.monotonic() + MAX_BATCH_S)

    def spend(self, count: int) -> None:
        """Take some bytes.

        Raises:
            TooMuch: there is nothing left.
        """
        self.content_bytes -= count
        if self.content_bytes < 0:
            raise TooMuch("more than the bodies of one transaction may become")

    def check_time(self) -> None:
        """Look at the clock.

        Raises:
            TooMuch: there is no time left.
        """
        if time.monotonic() > self.until:
            raise TooMuch("no time left for the bodies of one transaction")


def content_limit(size_bytes: int) -> int:
    """How many bytes a compressed body of so many bytes may become."""
    return min(MAX_CONTENT_BYTES, FREE_BYTES + MAX_RATIO * size_bytes)
