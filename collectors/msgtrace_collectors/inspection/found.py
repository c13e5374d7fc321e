"""What an inspection found, before it is stored. Pure.

A row's settings say how something is set up, as declarations do; under `state` stands what was measured.
"""

from __future__ import annotations

import time
import uuid
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from msgtrace.redaction import Redactor

PART_ROWS: Final = 2_000
PART_BYTES: Final = 4 << 20
BROKER: Final = "broker"
"""The kind of the last row of an inspection, without which it does not count."""


class InspectionError(Exception):
    """A broker can't be inspected. Its text is one line for the user, without secrets."""


class Row(msgspec.Struct, frozen=True):
    """One thing on a broker; the columns of the view `topology`."""

    channel_kind: str
    channel: str
    settings: dict[str, Any]
    virtual_host: str | None = None
    routing_key: str | None = None
    consumer_group: str | None = None
    consumer_tag: str | None = None


class Part(msgspec.Struct, frozen=True):
    """Some rows of an inspection; storing one twice is storing it once.

    Attributes:
        number: from 0.
        inspected_ns: when the inspection began.
    """

    inspection_id: str
    number: int
    system: str
    server: str
    inspected_ns: int
    rows: list[Row]


@dataclass(slots=True)
class Budget:
    """What an inspection may cost.

    Attributes:
        limit: things of each kind that are read.
        timeout_s: for everything.
        step_s: for one answer.
    """

    limit: int = 10_000
    timeout_s: float = 60.0
    step_s: float = 10.0
    _begun: float = field(default_factory=time.monotonic)

    def left_s(self) -> float:
        """For the next answer.

        Raises:
            InspectionError: the time is over.
        """
        left = self.timeout_s - (time.monotonic() - self._begun)
        if left <= 0:
            raise InspectionError(
                f"not done within {self.timeout_s:g} s; give it more with --timeout, or less with --limit"
            )
        return min(left, self.step_s)


@dataclass(slots=True)
class Found:
    """Everything that was found on one broker.

    Attributes:
        server: address and port, without user and password.
        broker_id: what it or its cluster is called.
        rows: of all kinds.
        left_out: things that there are beyond the limit, by kind.
        unreadable: what could not be read, and why.
        facts: of the broker.
    """

    system: str
    server: str
    broker_id: str = ""
    version: str = ""
    rows: list[Row] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)
    unreadable: dict[str, str] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
    inspected_ns: int = field(default_factory=time.time_ns)

    def counts(self) -> Counter[str]:
        """How many rows of what."""
        return Counter(what(row) for row in self.rows)

    def add(self, rows: Iterable[Row], name: str, limit: int) -> None:
        """Take rows up to a limit, and count the others."""
        for number, row in enumerate(rows):
            if number < limit:
                self.rows.append(row)
            else:
                self.left_out[name] += 1

    def parts(self, redactor: Redactor) -> Iterator[Part]:
        """All rows as they are stored, secrets replaced; the broker's own row comes last."""
        identity = str(uuid.uuid4())
        own = {
            "action": "inspect", "version": self.version, **self.facts, "found": dict(sorted(self.counts().items())),
            "left_out": dict(sorted(self.left_out.items())), "unreadable": dict(sorted(self.unreadable.items())),
        }  # fmt: skip
        rows: list[Row] = []
        size_bytes = number = 0
        for row in [*self.rows, Row(BROKER, self.broker_id, own)]:
            safe = msgspec.structs.replace(row, settings=redactor.tree(row.settings)[0])
            rows.append(safe)
            size_bytes += len(msgspec.msgpack.encode(safe))
            if len(rows) >= PART_ROWS or size_bytes >= PART_BYTES:
                yield Part(identity, number, self.system, self.server, self.inspected_ns, rows)
                rows, size_bytes, number = [], 0, number + 1
        if rows:
            yield Part(identity, number, self.system, self.server, self.inspected_ns, rows)


def what(row: Row) -> str:
    """What a row is, in a word."""
    names = {"bind": "binding", "consume": "consumer", "lag": "offset"}
    return names.get(str(row.settings.get("action")), row.channel_kind)
