"""Writes records into this process's segments, at once and in the caller's thread: no thread, no socket, no wait.

An operation that returned to the program has been copied into shared memory, so that killing the process at any
instant loses nothing that was recorded. What finds no room is dropped and counted.

The hot path is `Recorder.write` and, in `probe`, what calls it. There, an attribute looked up once or a call saved is
measured, not taste: `docs/performance.md`.
"""

from __future__ import annotations

import mmap
import os
import sys
import threading
import time
from _thread import RLock, _local, get_ident
from itertools import count
from typing import TYPE_CHECKING, Any, Final
from zlib import adler32

import msgspec

from msgtrace import records
from msgtrace.native import native
from msgtrace.segment import CHECKED_BYTES, DROPPED_WORD, END_WORD, FRAME, GENERATION_WORD, HEADER_BYTES
from msgtrace.snapshot import stand_in, without_surrogates
from msgtrace.spool import Segment, Spool

if TYPE_CHECKING:
    from collections.abc import Callable

    from msgtrace.records import Facts, Message

MADV_WIPEONFORK: Final = 18
"""linux/mman.h; Python's mmap module has no name for it. The kernel zeroes such a page in a forked child."""

MAX_DEFINITIONS: Final = 50_000
"""Interned values of one table of one process; later ones are written out each time."""
MAX_TOGETHER: Final = 1_000
"""Operations whose end one record tells: it must fit into any segment."""

TABLES: Final = 6
_pack = FRAME.pack


def _fork_mark() -> memoryview:
    """A byte that is 1 here and 0 in a forked child, whether or not fork handlers ran (uWSGI's don't).

    Reading it costs a tenth of `os.getpid()`, which is a system call.
    """
    page = mmap.mmap(-1, mmap.PAGESIZE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    page.madvise(MADV_WIPEONFORK)
    page[0] = 1
    return memoryview(page)


class Recorder:
    """This process's recorder.

    Args:
        root: the trace's spool folder.
        facts: what the PROCESS record says of this process; called again in a forked child.
        body_limit: bytes kept of a body; its full size is always recorded.
        segment_bytes: size of a segment file.
        spool_limit: bytes that this process's segments may take together.
        last_sequence: that an earlier recorder of this process has given.
        turned: called when a segment was full, in the thread that filled it, and may `close`. It must not wait.

    Attributes:
        process_id: 16 random bytes; another in a forked child.
        mine: a byte that is 0 in a forked child until `adopt` was called there. Whoever is about to record looks at
            it first, and before asking for any number.
        numbers: interned values by table; cleared in place by `adopt`.
        pen: the writing in C, or None: see `native`.
        thread: `thread.number` is the calling thread's, once it has one.

    Raises:
        OSError: the spool folder can't be used.
    """

    mine: memoryview

    def __init__(
        self,
        root: str | os.PathLike[str],
        facts: Callable[[], dict[str, Any]],
        *,
        body_limit: int = 64 * 1024,
        segment_bytes: int = 1 << 20,
        spool_limit: int = 32 << 20,
        last_sequence: int = 0,
        turned: Callable[[], None] | None = None,
    ) -> None:
        self._turned = turned
        self._root = os.fspath(root)
        self._facts = facts
        self.body_limit = min(body_limit, segment_bytes // 4)
        self._segment_bytes = segment_bytes
        self._spool_limit = spool_limit
        self.encode = msgspec.msgpack.Encoder(enc_hook=stand_in).encode
        # Never reset, so that a forked child's sequences differ from those of its parent that it still knows as causes.
        self.next_sequence: Callable[[], int] = count(last_sequence + 1).__next__
        self.pen = self._native_pen(last_sequence)
        self.numbers: tuple[dict[Any, int], ...] = tuple({} for _ in range(TABLES))
        self.on_adopt: list[Callable[[], None]] = []
        if not getattr(sys, "_is_gil_enabled", lambda: True)():
            self.write = self._write_locked  # type: ignore[method-assign]  # as in `_native_pen`, which has none then
        self._adoptions: dict[int, Any] = {}
        self._opener = get_ident()
        self._closed = False
        self._open(forked_from=None)
        self._opened = os.getpid()

    def _native_pen(self, last_sequence: int) -> Any:
        """What writes in C, or None; from now on in the place of what does so here."""
        if native is None:
            return None
        pen = native.Pen(
            encode=self.encode,
            encode_odd=self.encode_odd,
            slow=self._append_slowly,
            adopt=self.adopt,
            cap=self.cap,
            thread_number=self.thread_number,
            body_limit=self.body_limit,
            last_sequence=last_sequence,
        )
        self.next_sequence = pen.next_sequence
        self.write = pen.write  # type: ignore[method-assign]  # the one place that decides
        return pen

    def _open(self, forked_from: bytes | None) -> None:
        """Begin as a new process: own id, own segments, own numbers, own lock."""
        self._opening = os.getpid()
        # For turning segments. Native, also under gevent's monkey-patching: it is never held across a switch.
        self._lock = RLock()
        # Nothing of a parent's is written to from here on; what interrupts this waits for the first segment.
        self._turning, self._draining = True, False
        self._interrupted: list[bytes] = []
        self._target: tuple[Any, Any, Any, int] = _NOWHERE
        self._segment: Segment | None = None
        mark = _fork_mark()
        if self.pen is not None:
            self.pen.close()
        try:
            self._next_number = count(1).__next__
            self.thread = _local()
            for table in self.numbers:
                table.clear()
            for forget in self.on_adopt:
                forget()
            self.process_id = os.urandom(16)
            self._dropped = 0
            self._spool = Spool(self._root, self.process_id, self._segment_bytes, self._spool_limit)
            facts = {"process_id": self.process_id.hex(), "first_sequence": self.next_sequence(), **self._facts()}
            if forked_from is not None:
                facts["forked_from"] = forked_from.hex()
            process = self._encoded((records.PROCESS, facts))
            self._turning = False
            self.write(process)
            # Last: whoever sees it writes at once.
            self.mine = mark
            if self.pen is not None:
                self.pen.begin_process(mark)
        finally:
            self._turning, self._opening = False, 0

    def adopt(self) -> None:
        """A forked child's first step when it has something to record: nothing of its parent's is its own.

        Not done at the fork: most children of most programs publish nothing. Once, however many threads of the child come
        here together; a lock of the child's own, because one of the parent's may be held for ever.
        """
        process = os.getpid()
        if self._opening == process and self._opener == get_ident():
            return  # interrupted by a signal handler or a finaliser: what that records waits for the first segment
        if self._closed:
            return
        with self._adoptions.setdefault(process, RLock()):
            if self._opened == process:
                return
            self._opener = get_ident()
            self._spool.abandon()
            self._open(forked_from=self.process_id)
            self._opened = process

    def close(self) -> None:
        """Record no more, for good. What was recorded waits in the spool, which knows that nothing follows.

        What still calls this recorder, such as a wrapper that somebody else has wrapped, writes nowhere.
        """
        if not self.mine[0]:  # a forked child that has recorded nothing: all there is is its parent's
            self._closed, self._target = True, _NOWHERE
            if self.pen is not None:
                self.pen.close()
            return
        with self._lock:
            self._closed, self._target = True, _NOWHERE
            last, self._segment = self._segment, None
            if last is not None:
                last.seal(None if self.pen is None else self.pen.close())
            self._spool.close()

    def complete(
        self,
        sequence: int,
        outcome: str = "ok",
        error: BaseException | tuple[str, str] | None = None,
        facts: Facts | None = None,
    ) -> None:
        """Record how an operation ended, or what became known of it later.

        Args:
            sequence: the operation's.
            outcome: one of `records.Outcome`.
            error: what was raised, of which only its type and a bounded text of exact strings are kept; or these two.
            facts: fields that became known.
        """
        if not self.mine[0]:
            return  # begun by the parent, which completes it
        if error is None:
            self.write(self._encoded((1, sequence, time.monotonic_ns(), outcome, None, None, facts)))
        else:
            told = error if isinstance(error, tuple) else described(error)
            self.write(self._encoded((1, sequence, time.monotonic_ns(), outcome, *told, facts)))

    def together(self, sequences: list[int], facts: Facts) -> None:
        """Record that several operations ended well at once, in a record for each `MAX_TOGETHER` of them.

        Args:
            sequences: theirs.
            facts: what became known of each; but `log_offset` is the first's, and each next one's is one more.
        """
        if not self.mine[0]:
            return  # as above
        now, offset = time.monotonic_ns(), facts.get("log_offset")
        for start in range(0, len(sequences), MAX_TOGETHER):
            if offset is not None:
                facts = {**facts, "log_offset": offset + start}
            some = sequences[start : start + MAX_TOGETHER]
            self.write(self._encoded((records.TOGETHER, some, now, facts)))

    def lose(self, reason: str, count: int = 1, detail: str = "") -> None:
        """Record that something was not recorded, in the words that the losses table shows."""
        if not self.mine[0]:
            self.adopt()
        self.write(self._encoded((records.LOSS, reason, count, detail)))

    def mark(self, test: str, outcome: str | None) -> None:
        """Record that a test begins, or, with an outcome, how it ended."""
        if not self.mine[0]:
            self.adopt()
        self.write(self._encoded((records.TEST, test, time.monotonic_ns(), outcome)))

    def cap(self, message: Message, body: Any) -> None:
        """Cut a body that is longer than the limit, and note its full size."""
        if isinstance(body, memoryview):
            message.setdefault("body_size", body.nbytes)
            message["body"] = bytes(body.cast("B")[: self.body_limit]) if body.c_contiguous else body.tobytes()
            return
        if isinstance(body, str):
            # Text is measured in bytes. Counting them is a pass over it, made in C and only for the few that are cut.
            message.setdefault("body_size", len(body.encode("utf-8", "replace")))
        else:
            message.setdefault("body_size", len(body))
        message["body"] = body[: self.body_limit]

    # ---- interned values --------------------------------------------------------------------------------------

    def number(self, table: int, key: Any, value: Any = None) -> int:
        """The number of a value that repeats. In a forked child, `adopt` must have been called.

        Args:
            table: `records.TEXTS` and so on.
            key: a hashable of exact built-in types that stands for the value.
            value: what the DEFINE record says, `key` itself by default.

        Returns:
            the number, or 0 when the table is full.
        """
        known = self.numbers[table].get(key)
        if known is not None:
            return known
        if len(self.numbers[table]) >= MAX_DEFINITIONS:
            return 0
        number = self._next_number()
        # Written before it is known to others: no record of theirs can stand before it.
        if self.write(self._encoded((records.DEFINE, table, number, key if value is None else value))):
            self.numbers[table][key] = number
            return number
        return 0

    def reserve(self) -> int:
        """A number that `define` gives its meaning to, later."""
        return self._next_number()

    def define(self, table: int, number: int, value: Any) -> None:
        """Say what a reserved number means."""
        self.write(self._encoded((records.DEFINE, table, number, value)))

    def thread_number(self) -> int:
        """The number of the calling thread's name."""
        # Not current_thread(): it would make a _DummyThread and so change threading.enumerate().
        thread = threading._active.get(threading.get_ident())  # type: ignore[attr-defined]  # noqa: SLF001 - as just said
        name = getattr(thread, "name", None)
        number = self.number(records.THREADS, name if type(name) is str else "")
        self.thread.number = number
        return number

    def _encoded(self, record: tuple[Any, ...]) -> bytes:
        try:
            return self.encode(record)
        except UnicodeEncodeError:
            return self.encode_odd(record)

    def encode_odd(self, record: tuple[Any, ...]) -> bytes:
        """Encode a record with text in it that UTF-8 has no form for, such as a file's name: that is replaced."""
        return self.encode(without_surrogates(record))

    # ---- writing ----------------------------------------------------------------------------------------------
    # `mmap.write` copies the bytes and moves the map's position in one call, with the interpreter's lock held: an append
    # that no other thread, signal handler or finaliser can get into. So a frame needs no lock of ours, and a program
    # that publishes from a signal handler in the middle of a record being written finds nothing half done.

    def write(self, payload: bytes) -> bool:
        """Append one frame; False when there was no room for it."""
        append, position, words, seed = self._target
        length = len(payload)
        head = payload if length <= CHECKED_BYTES else payload[:CHECKED_BYTES]
        try:
            append(_pack(length, adler32(head, seed)) + payload)
        except ValueError:  # behind the segment's end, where a sealed one's position is
            return self._append_slowly(payload, words)
        words[END_WORD] = position()
        return True

    def _write_locked(self, payload: bytes) -> bool:
        """`write` for an interpreter without a global lock."""
        with self._lock:
            return Recorder.write(self, payload)

    def _append_slowly(self, payload: bytes, failed: Any) -> bool:
        """Append where a new segment is needed.

        Args:
            payload: the frame's.
            failed: the words of the segment that had no room; another thread may have turned it since.
        """
        if self._closed:
            return False
        written = self._append_turning(payload, failed)
        if self._turned is not None:
            self._turned()
        return written

    def _append_turning(self, payload: bytes, failed: Any) -> bool:
        """As `_append_slowly`."""
        with self._lock:
            if self._closed:
                return False
            if self._turning:
                # A signal handler or finaliser inside this very thread's turning: the outer call writes it.
                self._interrupted.append(payload)
                return True
            if self._target[2] is not failed:
                return self.write(payload)
            if len(payload) > self._segment_bytes - 2 * HEADER_BYTES:
                self._drop()
                return False
            # Closed first: of an operation that interrupts this, the small end would fit where the beginning did not.
            self._target = _NOWHERE
            if self.pen is not None:
                self.pen.close()
            self._turning = True
            try:
                turned = self._turn()
            finally:
                self._turning = False
            if turned:
                self.write(payload)
            else:
                self._drop()
            if not self._draining:
                # By one alone, in order: what interrupts this may turn a segment, too, and leaves what waits to us.
                self._draining = True
                try:
                    while self._interrupted:
                        self.write(self._interrupted.pop(0))
                finally:
                    self._draining = False
            return turned

    def _drop(self) -> None:
        self._dropped += 1
        self._spool.publish_dropped(self._dropped)

    def _turn(self) -> bool:
        """Seal the segment and begin the next, with an anchor for its times; False when there is none to be had."""
        self._target = _NOWHERE
        full, self._segment = self._segment, None
        if full is not None:
            # Also when there is no next one: only a sealed segment comes back to be used again.
            full.seal(None if self.pen is None else self.pen.close())
        self._segment = fresh = self._spool.next()
        if fresh is None:
            return False
        fresh.words[DROPPED_WORD] = self._dropped
        seed = fresh.words[GENERATION_WORD] & 0xFFFF or 1
        self._target = (fresh.map.write, fresh.map.tell, fresh.words, seed)
        if self.pen is not None:
            self.pen.open(fresh.map, fresh.words, seed)
        return self.write(self.encode((records.CLOCK, time.time_ns(), time.monotonic_ns())))


def _no_room(_frame: bytes) -> int:
    raise ValueError("no segment")


_NOWHERE: Final[tuple[Any, Any, Any, int]] = (_no_room, None, None, 1)


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
