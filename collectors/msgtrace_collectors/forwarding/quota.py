"""How much each sender may have stored in a day. What is over it is counted, and what the rest can't do without is kept."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from msgtrace import records

if TYPE_CHECKING:
    from collections.abc import Sequence

DAY_S: Final = 86_400
SPARE: Final = 0.25
"""Of the quota, on top, for what describes processes and channels: later operations need it."""
MAX_SENDERS: Final = 10_000
MAX_PROCESSES: Final = 100_000
"""Of one sender in a day."""

_OPERATIONS: Final = frozenset({records.BEGIN, records.COMPLETE, records.OBSERVED, records.TOGETHER})


@dataclass(slots=True)
class Quota:
    """Of all senders.

    Attributes:
        bytes_a_day: of one sender, as they are before they are squeezed; None for no limit.
    """

    bytes_a_day: int | None
    _day: int = 0
    _used: dict[str, int] = field(default_factory=dict)
    _processes: dict[str, int] = field(default_factory=dict)

    def within(self, sender: str, size: int, now_s: float) -> bool:
        """Whether something of this size is within the quota; it is counted in any case."""
        return self._use(sender, size, now_s, 1.0)

    def kept(self, sender: str, payloads: Sequence[bytes], now_s: float) -> list[bytes]:
        """The records that are stored."""
        size = sum(map(len, payloads))
        if self._use(sender, size, now_s, 1.0):
            return list(payloads)
        if not self._use(sender, 0, now_s, 1.0 + SPARE):
            return []
        # A record is an array, its first element the tag: one byte each.
        return [payload for payload in payloads if len(payload) > 1 and payload[1] not in _OPERATIONS]

    def one_more(self, sender: str, now_s: float) -> bool:
        """Whether a sender may have one more process: each is a row for good, however little it says."""
        self._turn(now_s)
        count = self._processes[sender] = self._processes.get(sender, 0) + 1
        return count <= MAX_PROCESSES

    def _turn(self, now_s: float) -> None:
        day = int(now_s // DAY_S)
        if day != self._day or len(self._used) > MAX_SENDERS:
            self._day, self._used, self._processes = day, {}, {}

    def _use(self, sender: str, size: int, now_s: float, share: float) -> bool:
        if self.bytes_a_day is None:
            return True
        self._turn(now_s)
        used = self._used[sender] = self._used.get(sender, 0) + size
        return used <= self.bytes_a_day * share
