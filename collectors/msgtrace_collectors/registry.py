"""The processes of one trace, by number and by id. Holds their states; reads and writes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgtrace_collectors.process import ProcessState

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class Registry:
    """All processes that the trace knows.

    Args:
        states: as stored.

    Attributes:
        changed: states that moved since they were stored, by number.
    """

    def __init__(self, states: Iterable[ProcessState] = ()) -> None:
        self._by_id = {s.process_id: s for s in states}
        self.changed: dict[int, ProcessState] = {}
        self._next = max((s.number for s in self._by_id.values()), default=0) + 1

    def get(self, process_id: str) -> ProcessState:
        """The state of a process, with a new number when it was unknown."""
        state = self._by_id.get(process_id)
        if state is None:
            state = self._by_id[process_id] = ProcessState(self._next, process_id)
            self.changed[state.number] = state
            self._next += 1
        return state

    def __contains__(self, process_id: str) -> bool:
        return process_id in self._by_id

    def __iter__(self) -> Iterator[ProcessState]:
        return iter(self._by_id.values())

    def __len__(self) -> int:
        return len(self._by_id)
