"""Writes records into this process's segments, at once and in the caller's thread: no thread, no socket, no wait.

An operation that returned to the program has been copied into shared memory, so that killing the process at any
instant loses nothing that was recorded. What finds no room is dropped and counted.
"""

from __future__ import annotations

import mmap
import os
import threading
import time
from _thread import RLock, _local, get_ident
from itertools import count
from typing import TYPE_CHECKING, Any, Final

import msgspec

from msgtrace import records
from msgtrace.segment import DROPPED_WORD, END_WORD, HEADER_BYTES, SEALED, STATE_WORD, framed
from msgtrace.spool import Segment, Spool

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from msgtrace.records import Facts, Message

MADV_WIPEONFORK: Final = 18
"""linux/mman.h; Python's mmap module has no name for it. The kernel zeroes such a page in a forked child."""

MAX_DEFINITIONS: Final = 50_000
"""Interned values of one table of one process; later ones are written out each time."""


def _fork_mark() -> memoryview:
    """A byte that is 1 here and 0 in a forked child, whether or not fork handlers ran (uWSGI's don't).

    Reading it costs a tenth of `os.getpid()`, which is a system call.
    """
    page = mmap.mmap(-1, mmap.PAGESIZE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    page.madvise(MADV_WIPEONFORK)
    page[0] = 1
    return memoryview(page)


def _plain(value: Any) -> str:
    """What stands for a value that MessagePack has no type for: its type's name. Nothing of the value is called."""
    kind = type(value)
    return f"<{kind.__module__}.{kind.__qualname__}>"


class Recorder:
    """This process's recorder.

    Args:
        root: the trace's spool folder.
        facts: what the PROCESS record says of this process; called again in a forked child.
        body_limit: bytes kept of a body; its full size is always recorded.
        segment_bytes: size of a segment file.
        spool_limit: bytes that this process's segments may take together.

    Raises:
        OSError: the spool folder can't be used.
    """

    def __init__(
        self,
        root: Path,
        facts: Callable[[], dict[str, Any]],
        *,
        body_limit: int = 64 * 1024,
        segment_bytes: int = 1 << 20,
        spool_limit: int = 32 << 20,
    ) -> None:
        self._root = root
        self._facts = facts
        self._body_limit = min(body_limit, segment_bytes // 4)
        self._segment_bytes = segment_bytes
        self._spool_limit = spool_limit
        self._encode = msgspec.msgpack.Encoder(enc_hook=_plain).encode
        # Never reset, so that a forked child's sequences differ from those of its parent that it still knows as causes.
        self._next_sequence = count(1).__next__
        self._open(forked_from=None)

    def _open(self, forked_from: bytes | None) -> None:
        """Begin as a new process: own id, own segments, own numbers, own lock."""
        self._mine = _fork_mark()
        # Native, also under gevent's monkey-patching: the lock is held for a few stores and never across a switch.
        # Re-entrant, because a signal handler or a finaliser may publish while this thread is writing a record.
        self._lock = RLock()
        self._writing = False
        self._interrupted: list[bytes] = []
        self._next_number = count(1).__next__
        self._thread = _local()
        self._numbers: tuple[dict[Any, int], ...] = tuple({} for _ in range(6))
        self.process_id = os.urandom(16)
        self._dropped = 0
        self._segment: Segment | None = None
        self._position = self._limit = 0
        self._spool = Spool(self._root, self.process_id, self._segment_bytes, self._spool_limit)
        facts = {"process_id": self.process_id.hex(), "first_sequence": self._next_sequence(), **self._facts()}
        if forked_from is not None:
            facts["forked_from"] = forked_from.hex()
        self._write(self._encode((records.PROCESS, facts)))

    def _after_fork(self) -> None:
        """A forked child's first record: its parent's segments, lock and numbers are not its own.

        Done when there is something to write, not at the fork: most children of most programs publish nothing.
        """
        self._spool.abandon()
        self._open(forked_from=self.process_id)

    # ---- operations -------------------------------------------------------------------------------------------

    def begin(self, point: int, site: int, causes: Any, cause_state: int, message: Message) -> int:
        """Record that an operation begins.

        Returns:
            its sequence, for `complete` and as a cause.
        """
        if not self._mine[0]:
            self._after_fork()
        sequence = self._next_sequence()
        body = message.get("body")
        if body is not None and len(body) > self._body_limit:
            self._cap(message, body)
        self._write(
            self._encode(
                (
                    0,
                    sequence,
                    time.monotonic_ns(),
                    point,
                    getattr(self._thread, "number", 0) or self.thread_number(),
                    site,
                    causes,
                    cause_state,
                    message,
                )
            )
        )
        return sequence

    def complete(
        self, sequence: int, outcome: str = "ok", error: BaseException | None = None, facts: Facts | None = None
    ) -> None:
        """Record how an operation ended, or what became known of it later.

        Args:
            sequence: what `begin` returned.
            outcome: one of `records.Outcome`.
            error: what was raised; only its type and a bounded text of exact strings are kept.
            facts: fields that became known.
        """
        if not self._mine[0]:
            return  # begun by the parent, which completes it
        if error is None:
            payload = self._encode((1, sequence, time.monotonic_ns(), outcome, None, None, facts))
        else:
            payload = self._encode((1, sequence, time.monotonic_ns(), outcome, *described(error), facts))
        self._write(payload)

    def observe(
        self,
        point: int,
        site: int,
        causes: Any,
        cause_state: int,
        message: Message,
        outcome: str = "ok",
        duration_ns: int = 0,
    ) -> int:
        """Record an operation that is over.

        Returns:
            its sequence, as a cause.
        """
        if not self._mine[0]:
            self._after_fork()
        sequence = self._next_sequence()
        body = message.get("body")
        if body is not None and len(body) > self._body_limit:
            self._cap(message, body)
        self._write(
            self._encode(
                (
                    2,
                    sequence,
                    time.monotonic_ns(),
                    point,
                    getattr(self._thread, "number", 0) or self.thread_number(),
                    site,
                    causes,
                    cause_state,
                    message,
                    outcome,
                    duration_ns,
                )
            )
        )
        return sequence

    def lose(self, reason: str, count: int = 1, detail: str = "") -> None:
        """Record that something was not recorded, in the words that the losses table shows."""
        self._write(self._encode((records.LOSS, reason, count, detail)))

    def _cap(self, message: Message, body: Any) -> None:
        if isinstance(body, memoryview):
            message.setdefault("body_size", body.nbytes)
            message["body"] = bytes(body.cast("B")[: self._body_limit]) if body.c_contiguous else body.tobytes()
            return
        if isinstance(body, str):
            # Text is measured in bytes; a surrogate can't be in a text that came over a wire.
            message.setdefault("body_size", len(body.encode("utf-8", "replace")))
        else:
            message.setdefault("body_size", len(body))
        message["body"] = body[: self._body_limit]

    # ---- interned values --------------------------------------------------------------------------------------

    def number(self, table: int, key: Any, value: Any = None) -> int:
        """The number of a value that repeats.

        Args:
            table: `records.TEXTS` and so on.
            key: a hashable of exact built-in types that stands for the value.
            value: what the DEFINE record says, `key` itself by default.

        Returns:
            the number, or 0 when the table is full.
        """
        if not self._mine[0]:
            self._after_fork()
        known = self._numbers[table].get(key)
        if known is not None:
            return known
        if len(self._numbers[table]) >= MAX_DEFINITIONS:
            return 0
        number = self._next_number()
        # Written before it is known to others: no record of theirs can stand before it.
        if self._write(self._encode((records.DEFINE, table, number, key if value is None else value))):
            self._numbers[table][key] = number
            return number
        return 0

    def thread_number(self) -> int:
        """The number of the calling thread's name."""
        # Not current_thread(): it would make a _DummyThread and so change threading.enumerate().
        thread = threading._active.get(get_ident())  # type: ignore[attr-defined]  # noqa: SLF001 - the only way without that effect
        name = getattr(thread, "name", None)
        number = self.number(records.THREADS, name if type(name) is str else "")
        self._thread.number = number
        return number

    # ---- writing ----------------------------------------------------------------------------------------------

    def _write(self, payload: bytes) -> bool:
        """Append one frame; False when there was no room for it."""
        frame = framed(payload)
        with self._lock:
            if self._writing:
                # A signal handler or finaliser inside this very thread's write: the outer call writes it.
                self._interrupted.append(frame)
                return True
            self._writing = True
            try:
                written = self._append(frame)
                while self._interrupted:
                    self._append(self._interrupted.pop(0))
            finally:
                self._writing = False
        return written

    def _append(self, frame: bytes) -> bool:
        start = self._position
        end = start + len(frame)
        if end > self._limit:
            if not self._turn(len(frame)):
                self._dropped += 1
                self._spool.publish_dropped(self._dropped)
                return False
            start = self._position
            end = start + len(frame)
        segment = self._segment
        assert segment is not None  # noqa: S101 - for the type checker; _turn() returned True
        segment.bytes[start:end] = frame
        self._position = end
        segment.words[END_WORD] = end
        return True

    def _turn(self, size: int) -> bool:
        """Seal the segment and begin the next, with an anchor for its times."""
        if size > self._segment_bytes - 2 * HEADER_BYTES:
            return False
        fresh = self._spool.next()
        if self._segment is not None:
            # Also when there is no next one: only a sealed segment comes back to be used again.
            self._segment.words[STATE_WORD] = SEALED
        self._segment, self._position, self._limit = fresh, 0, 0
        if fresh is None:
            return False
        fresh.words[DROPPED_WORD] = self._dropped
        self._limit = self._segment_bytes
        self._position = HEADER_BYTES
        anchor = framed(self._encode((records.CLOCK, time.time_ns(), time.monotonic_ns())))
        return self._append(anchor)


def described(error: BaseException) -> tuple[str, str]:
    """An exception's type and text, without calling anything of the program's.

    The text is made of the exception's arguments that are exactly strings or numbers; `str(error)` would run its code.
    """
    kind = type(error)
    try:
        arguments = BaseException.args.__get__(error)  # type: ignore[attr-defined]  # a C getset, unseen by typeshed
    except AttributeError:
        arguments = ()
    texts = [str(a) for a in arguments if type(a) in {str, int, float, bool}]
    return f"{kind.__module__}.{kind.__qualname__}".removeprefix("builtins."), ", ".join(texts)[:500]
