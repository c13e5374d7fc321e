"""What the collector knows of one traced process between two transactions. A row of `msgtrace_store.positions`."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any, Final

from msgtrace.segment import HEADER_BYTES

SEQUENCES: Final = 10**12
"""An operation's id is its process's number times this, and its sequence."""
NUMBERS: Final = 10**6
"""The same for interned numbers."""


@dataclass(slots=True)
class ProcessState:
    """One traced process.

    Attributes:
        number: given by the collector, from 1.
        process_id: given by the process: 32 hexadecimal digits.
        generation: of the segment being read.
        frame_offset: first byte in it that has not been read.
        records: how many have been read.
        clock_wall_ns: the last CLOCK record's wall time.
        clock_monotonic_ns: the same moment on the monotonic clock.
        first_sequence: its operations' sequences are at least this; lower ones are its parent's.
        parent: the process it was forked from.
        dropped: records that found no room in its segments.
        pid: as in its segments' headers.
        ended: it ended and all it wrote has been read.
        begun_ns: wall time of its first record; not stored: who goes on reading reads no source of its functions.
        facts: its PROCESS record as JSON.
        sender: of a process on another machine, whoever forwards it. Not stored.
        test: that is running in it; not stored: who goes on reading finds it among the tests.
    """

    number: int
    process_id: str
    generation: int = 1
    frame_offset: int = HEADER_BYTES
    records: int = 0
    clock_wall_ns: int | None = None
    clock_monotonic_ns: int | None = None
    first_sequence: int | None = None
    parent: ProcessState | None = None
    dropped: int = 0
    pid: int | None = None
    ended: bool = False
    facts: bytes | None = None
    sender: str | None = None
    begun_ns: int | None = None
    test: str | None = None

    def own(self, process_id: str) -> str:
        """The id, in the trace, of a process that this one names: nobody can speak for another sender's."""
        if self.sender is None:
            return process_id
        key = hashlib.sha256(self.sender.encode()).digest()
        return hashlib.blake2b(process_id.encode(), digest_size=16, key=key).hexdigest()

    @property
    def loaded_ns(self) -> int | None:
        """When its code may have been read at the earliest: a fork runs what its parent had read."""
        process, seen = self, 0
        while process.parent is not None and process.parent is not self and seen < 100:
            process, seen = process.parent, seen + 1
        return process.begun_ns

    def operation_id(self, sequence: int) -> int | None:
        """The id of an operation of this process, or of one that it inherited from its parent by fork.

        None for what is no sequence, and for an operation of an earlier recording of the process.
        """
        if not 0 < sequence < SEQUENCES:
            return None
        if self.first_sequence is not None and sequence < self.first_sequence:
            return None if self.parent is None else self.parent.operation_id(sequence)
        return self.number * SEQUENCES + sequence

    def definition_id(self, number: int) -> int | None:
        """The id of an interned value; None for 0, "not known"."""
        return self.number * NUMBERS + number if 0 < number < NUMBERS else None

    def row(self) -> tuple[Any, ...]:
        """In the order of `columns.POSITION_COLUMNS`."""
        return (
            self.number, self.process_id, self.generation, self.frame_offset, self.records, self.clock_wall_ns,
            self.clock_monotonic_ns, self.first_sequence, self.parent.number if self.parent else None, self.dropped,
            self.pid, self.ended, self.facts,
        )  # fmt: skip
