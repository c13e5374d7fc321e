"""Finds the traced processes of one spool folder, reads them in turn, and clears away those that ended."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import time
from typing import TYPE_CHECKING, Final, Protocol

from msgtrace_collectors.batch import DAMAGED
from msgtrace_collectors.liveness import has_ended, own_pid_namespace
from msgtrace_collectors.tail import Tail

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from msgtrace_collectors.process import ProcessState

LIVENESS_EVERY_S: Final = 0.05
"""How often a silent process is asked for."""
STILLBORN_AFTER_S: Final = 60.0
"""A folder without a segment is a process that is just starting; after this, one that never wrote."""

_PROCESS_ID = re.compile(r"[0-9a-f]{32}\Z")


class Sink(Protocol):
    """Takes what is read: a batch for the trace file, or for a central collector."""

    def add(self, process: ProcessState, payloads: Sequence[bytes], /) -> None:
        """Take records of one process, in their order."""

    def lose(self, process: ProcessState | None, reason: str, detail: str, count: int = 1, /) -> None:
        """Count something that is lost."""


class Processes(Protocol):
    """Knows where reading of each process stands."""

    changed: dict[int, ProcessState]

    def get(self, process_id: str, /) -> ProcessState:
        """The state of a process."""
        ...


class SpoolReader:
    """The processes in a spool folder.

    Args:
        root: the folder.
        registry: gives states.
        at_once: bytes that are read of one process at once, see `Tail`.
    """

    def __init__(self, root: Path, registry: Processes, at_once: int | None = None) -> None:
        self._root = root
        self._registry = registry
        self._tails: dict[str, Tail] = {}
        self._asked: dict[str, float] = {}
        self._ended: set[str] = set()
        self._at_once = at_once
        self._pid_namespace = own_pid_namespace()

    @property
    def waiting_bytes(self) -> int:
        """Of segments that one process can't write to until the batch is stored; of the process that waits for most."""
        return max((t.unreleased_bytes for t in self._tails.values()), default=0)

    @property
    def live(self) -> int:
        """Processes that have not ended, or have not been read to their end."""
        return len(self._tails)

    @property
    def ending(self) -> bool:
        """Whether a process has ended that has not been read to its end."""
        return bool(self._ended)

    def poll(self, batch: Sink) -> int:
        """Read what is there, at most one segment of each process.

        Returns:
            The number of records.
        """
        self._discover()
        records = 0
        for process_id, tail in list(self._tails.items()):
            ended = process_id in self._ended
            payloads = tail.read(ended=ended)
            for damage in tail.damages:
                batch.lose(tail.state, DAMAGED, damage.detail, damage.count)
                self._registry.changed[tail.state.number] = tail.state
            tail.damages.clear()
            if payloads:
                batch.add(tail.state, payloads)
                records += len(payloads)
                self._registry.changed[tail.state.number] = tail.state
            if not ended:
                # Also of one that has left much to be read: who stops collecting must know that all of it is there.
                self._ask(process_id, tail)
            elif not payloads and tail.exhausted and not tail.state.ended:
                tail.state.ended = True
                self._registry.changed[tail.state.number] = tail.state
        return records

    def stored(self) -> None:
        """What was read so far is in the trace: give segments back, remove folders of the ended."""
        self._registry.changed.clear()
        for process_id, tail in list(self._tails.items()):
            tail.release()
            if tail.state.ended:
                self._remove(process_id, tail)

    def close(self) -> None:
        """Unmap everything; nothing is given back that was not stored."""
        for tail in self._tails.values():
            tail.close()
        self._tails.clear()

    def _discover(self) -> None:
        try:
            entries = list(os.scandir(self._root))
        except FileNotFoundError:
            return
        for entry in entries:
            if (
                entry.name in self._tails
                or not _PROCESS_ID.match(entry.name)
                or not entry.is_dir(follow_symlinks=False)
            ):
                continue
            state = self._registry.get(entry.name)
            tail = Tail(state, self._root / entry.name, at_once=self._at_once)
            if state.ended:
                # Stored to its end by a collector that was killed before it could remove the folder.
                self._remove(entry.name, tail)
            else:
                self._tails[entry.name] = tail

    def _ask(self, process_id: str, tail: Tail) -> None:
        now = time.monotonic()
        if now - self._asked.get(process_id, 0.0) < LIVENESS_EVERY_S:
            return
        self._asked[process_id] = now
        if tail.header is not None:
            if has_ended(tail.header, tail.folder, self._pid_namespace):
                self._ended.add(process_id)
            return
        with contextlib.suppress(FileNotFoundError):
            if time.time() - tail.folder.stat().st_mtime < STILLBORN_AFTER_S:
                return
        self._ended.add(process_id)

    def _remove(self, process_id: str, tail: Tail) -> None:
        tail.close()
        shutil.rmtree(tail.folder, ignore_errors=True)
        self._tails.pop(process_id, None)
        self._asked.pop(process_id, None)
        self._ended.discard(process_id)
