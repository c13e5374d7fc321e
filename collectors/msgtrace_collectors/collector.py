"""Moves what traced processes recorded into the trace file: read, gather, store, give back, again.

Memory is bounded by one batch. While a batch can't be stored, nothing more is read: the segments keep what they have,
and what finds no room in them the writers count.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from msgtrace_collectors.batch import Batch
from msgtrace_collectors.bodies import Bodies
from msgtrace_collectors.handler_code import HandlerCode
from msgtrace_collectors.left_out import LeftOut
from msgtrace_collectors.registry import Registry
from msgtrace_collectors.secret import trace_secret
from msgtrace_collectors.spool import SpoolReader
from msgtrace_collectors.store import Store
from msgtrace_collectors.trace_file import BusyTraceError, FullDiskError, TraceError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from msgtrace.redaction import Redactor
    from msgtrace_collectors.decoders.schemas import Schemas

MAX_OPERATIONS: Final = 50_000
MAX_BYTES: Final = 16 << 20
MAX_WAITING_BYTES: Final = 8 << 20
"""Of one process's segments that are read and not stored: a quarter of its default pool."""
COMMIT_EVERY_S: Final = 0.25
"""While there is little to read; a transaction has costs of its own."""
COMMIT_AT_LEAST_EVERY_S: Final = 1.0
BUSY_RECORDS: Final = 1_000
"""Read at once: there is more to come."""
SHORTEST_PAUSE_S: Final = 0.001
LONGEST_PAUSE_S: Final = 0.05
DRAIN_AT_MOST_S: Final = 5.0
"""Of processes that go on, and never stop recording."""
RETRY_EVERY_S: Final = 0.5
SETTLED_WITHIN_S: Final = 5.0
MAX_RETRIES: Final = 5
"""Of errors that are not a full disk."""


@dataclass(slots=True)
class Stop:
    """Asked of a running collector by a signal handler, which may do no more than this.

    Attributes:
        requested: end once what is there has been read and stored.
    """

    requested: bool = False


class Source(Protocol):
    """Something else than the spool that operations come from."""

    @property
    def live(self) -> int:
        """Whether there may be more to come."""
        ...

    def poll(self, batch: Batch, /) -> int:
        """Take what has come; the number of records."""
        ...

    def stored(self) -> None:
        """What was taken so far is in the trace."""

    def forget(self) -> None:
        """Bodies were deleted from the trace."""

    def close(self) -> None:
        """Let go of it."""


class Collector:
    """The collector of one trace file and one spool folder.

    Args:
        path: the trace file.
        spool: the folder.
        redactor: for everything that is stored.
        say: takes one line for the user.
        schemas: asked for the schemas of bodies that don't bring theirs along.

    Raises:
        TraceError: the trace file can't be used.
        OSError: the spool folder can't be used.
    """

    def __init__(
        self, path: Path, spool: Path, redactor: Redactor, say: Callable[[str], None], schemas: Schemas | None = None
    ) -> None:
        self.store = Store(path)
        try:
            secret = trace_secret(self.store.trace_id(), spool)
        except OSError:
            self.store.close()
            raise
        self._say = say
        self.registry = Registry(self.store.load())
        self.sources: list[Source] = []
        self._bodies = Bodies(redactor, secret, stored=self.store.has_bodies(), schemas=schemas)
        if schemas is not None:
            for channel_id, name in self.store.texts():
                self._bodies.name_channel(channel_id, name)
        self._redactor = redactor
        self._code = HandlerCode()
        self._reader = SpoolReader(spool, self.registry)
        self._left_out = LeftOut()
        self._batch = self._new_batch()
        self._committed_at = time.monotonic()
        self.operations = 0
        """Stored by this collector."""
        self.linking = threading.Lock()
        """Held by who makes the links."""
        self.keeping = threading.Lock()
        """Held by who stores what was inspected: ids are given one after the other."""
        self._asked = threading.Event()
        self._asking: list[threading.Event] = []
        """Who waits for everything to be stored."""

    def _new_batch(self) -> Batch:
        return Batch(self._redactor, self._bodies, self.registry.get, self._left_out, self._code)

    def run(
        self,
        stop: Stop,
        *,
        until_idle_s: Callable[[], float | None],
        every: Callable[[], None],
        beat: Callable[[], None] = lambda: None,
    ) -> None:
        """Collect until asked to stop.

        Args:
            stop: looked at between steps.
            until_idle_s: asked how long there may be no process before it ends by itself; None for ever.
            every: called after each transaction.
            beat: called at each step; it may ask to stop.

        Raises:
            TraceError: what was read could not be stored. It is still in the segments.
        """
        pause = SHORTEST_PAUSE_S
        busy_at = time.monotonic()
        while not stop.requested:
            beat()
            self._asked.clear()
            asking, self._asking = self._asking, []
            read = self._poll()
            now = time.monotonic()
            if self._due(now, read) or (asking and not read):
                self.commit(stop)
                every()
            self._answer(asking, read)
            if read or self._reader.live or any(source.live for source in self.sources):
                busy_at = now
            elif (idle_s := until_idle_s()) is not None and now - busy_at >= idle_s:
                break
            pause = SHORTEST_PAUSE_S if read else min(pause * 2, LONGEST_PAUSE_S)
            if read < BUSY_RECORDS:
                self._asked.wait(pause)
        self._drain(stop)
        self._answer(self._asking, 0)

    def _answer(self, asking: list[threading.Event], read: int) -> None:
        """Tell those who wait that everything is stored, once there was nothing left to read."""
        if not read:
            for event in asking:
                event.set()
        elif asking:
            self._asking += asking
            self._asked.set()

    def settled(self) -> None:
        """Wait, in another thread than the one that collects, until everything is stored that has been recorded by now.

        No longer than a few seconds: where recording never pauses, what is missing then was recorded meanwhile.
        """
        stored = threading.Event()
        self._asking.append(stored)
        self._asked.set()
        stored.wait(SETTLED_WITHIN_S)

    def _poll(self) -> int:
        return self._reader.poll(self._batch) + sum(source.poll(self._batch) for source in self.sources)

    def _due(self, now: float, read: int) -> bool:
        batch = self._batch
        if batch.operations >= MAX_OPERATIONS or batch.size_bytes >= MAX_BYTES:
            return True
        if self._reader.waiting_bytes >= MAX_WAITING_BYTES:
            return True
        every_s = COMMIT_AT_LEAST_EVERY_S if read >= BUSY_RECORDS else COMMIT_EVERY_S
        return now - self._committed_at >= every_s and not (batch.empty and not self.registry.changed)

    def _drain(self, stop: Stop) -> None:
        """Read everything that is there, and what processes that are just ending still write.

        A process that goes on is read up to now, and said to be no longer recorded.
        """
        for source in self.sources:
            source.close()  # what has come is stored; the rest comes again, to the next collector
        quiet = 0
        deadline = time.monotonic() + DRAIN_AT_MOST_S
        while quiet < 3:
            read = self._poll()
            if not self._reader.ending and time.monotonic() >= deadline:
                self.commit(stop)
                break
            if read or self.registry.changed:
                quiet = 0
                self.commit(stop)
            else:
                quiet += 1
                time.sleep(LONGEST_PAUSE_S if self._reader.live else 0)
        if self._reader.live:
            self._say(f"{self._reader.live} traced processes still run; what they do from now on is not recorded")

    def commit(self, stop: Stop) -> None:
        """Store the batch, waiting for room on the disk as long as nobody asks to stop.

        Raises:
            TraceError: it could not be stored.
        """
        batch, self._batch = self._batch, self._new_batch()
        tables = batch.tables()
        retries = 0
        told = False
        while True:
            try:
                self.store.commit(tables, self.registry.changed.values(), bodies_may_repeat=self._bodies.may_repeat)
                break
            except TraceError as error:
                full = isinstance(error, FullDiskError)
                retries += not full
                if stop.requested or retries > MAX_RETRIES:
                    raise
                if not told:
                    self._say(f"{error}; trying again, the segments keep what is recorded")
                    told = True
                time.sleep(RETRY_EVERY_S)
                self._try_reopen()
        if told:
            self._say(f"{self.store.path}: stored again")
        self.operations += batch.operations
        self._reader.stored()
        for source in self.sources:
            source.stored()
        self._committed_at = time.monotonic()

    def bodies_deleted(self) -> None:
        """Bodies were deleted from the trace file: which are stored is to be asked anew."""
        self._bodies.forget()
        for source in self.sources:
            source.forget()

    def _try_reopen(self) -> None:
        try:
            self.store.reopen()
        except BusyTraceError:
            raise
        except TraceError:
            pass  # the next attempt to store says what is wrong

    def close(self) -> None:
        """Let go of the segments and the file."""
        for source in self.sources:
            source.close()
        self._reader.close()
        self.store.close()
