"""The recorder: what returned is in the segments, through threads, signals, finalisers, forks, and a pool that is full."""

from __future__ import annotations

import gc
import os
import random
import signal
import threading
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from msgtrace import records
from msgtrace.recorder import Recorder
from msgtrace.segment import FINAL_WORD, FREE, GENERATION_WORD, HEADER_BYTES, SEALED, STATE_WORD, Header, frames

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def spool() -> Iterator[Path]:
    import tempfile

    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        yield Path(folder)


def recorder(spool: Path, **limits: Any) -> Recorder:
    return Recorder(spool, lambda: {"pid": os.getpid()}, **limits)


def written(spool: Path, process_id: bytes) -> list[Any]:
    """Every record of a process, oldest first."""
    segments = []
    for path in (spool / process_id.hex()).glob("*.segment"):
        buffer = memoryview(path.read_bytes())
        header = Header.read(buffer)
        segments.append((header.generation, buffer, header.end))
    found = []
    for generation, buffer, end in sorted(segments, key=lambda s: s[0]):
        for frame in frames(buffer, generation, HEADER_BYTES, end):
            assert frame.payload is not None
            found.append(msgspec.msgpack.decode(frame.payload))
    return found


def losses(spool: Path, process_id: bytes) -> list[Any]:
    return [r for r in written(spool, process_id) if r[0] == records.LOSS]


def test_first_record_says_which_process(spool: Path) -> None:
    it = recorder(spool)
    kinds = [r[0] for r in written(spool, it.process_id)]
    assert kinds == [records.CLOCK, records.PROCESS]
    assert oct((spool / it.process_id.hex()).stat().st_mode & 0o777) == "0o700"
    for path in (spool / it.process_id.hex()).iterdir():
        assert oct(path.stat().st_mode & 0o777) == "0o600"


@settings(max_examples=25, deadline=None)
@given(st.lists(st.lists(st.integers(1, 2_000), max_size=15), min_size=1, max_size=4))
def test_any_interleaving_of_threads_reads_back(sizes: list[list[int]]) -> None:
    """Each thread's records are all there, whole and in its order, however the threads were switched."""
    import sys
    import tempfile

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
            it = recorder(Path(folder), segment_bytes=16_384)
            gate = threading.Barrier(len(sizes))

            def work(number: int) -> None:
                gate.wait()
                for index, size in enumerate(sizes[number]):
                    it.lose("test", number, f"{index}:" + "x" * size)

            threads = [threading.Thread(target=work, args=(n,)) for n in range(len(sizes))]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            found = losses(Path(folder), it.process_id)
    finally:
        sys.setswitchinterval(interval)
    for number, wanted in enumerate(sizes):
        assert [r[3] for r in found if r[2] == number] == [f"{i}:" + "x" * size for i, size in enumerate(wanted)]


def test_signal_handler_may_record_while_a_record_is_written(spool: Path) -> None:
    it = recorder(spool, spool_limit=256 << 20)
    numbers = count()  # one step: a signal may come in the midst of the handler of another

    def handler(*_: object) -> None:
        it.lose("signal", next(numbers))

    before = signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, 0.0002, 0.0002)
    try:
        for number in range(30_000):
            it.lose("main", number)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    handled = next(numbers)
    found = losses(spool, it.process_id)
    assert handled > 20
    assert [r[2] for r in found if r[1] == "main"] == list(range(30_000))
    assert sorted(r[2] for r in found if r[1] == "signal") == list(range(handled))


def test_finaliser_may_record_while_a_record_is_written(spool: Path) -> None:
    it = recorder(spool, spool_limit=256 << 20)

    class Loud:
        def __init__(self) -> None:
            self.cycle = self

        def __del__(self) -> None:
            it.lose("finaliser")

    thresholds = gc.get_threshold()
    gc.set_threshold(1, 1, 1)
    try:
        for number in range(2_000):
            Loud()
            it.lose("main", number)
    finally:
        gc.set_threshold(*thresholds)
    gc.collect()
    found = losses(spool, it.process_id)
    assert [r[2] for r in found if r[1] == "main"] == list(range(2_000))
    assert sum(r[1] == "finaliser" for r in found) == 2_000


@pytest.mark.parametrize("with_handlers", [True, False], ids=["os.fork", "fork without Python's handlers"])
def test_forked_child_has_segments_of_its_own(spool: Path, with_handlers: bool) -> None:
    import ctypes

    it = recorder(spool)
    parent_id = it.process_id
    it.lose("before")
    pid = os.fork() if with_handlers else ctypes.PyDLL(None).fork()
    if pid == 0:
        it.lose("child")
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0
    it.lose("after")
    assert [r[1] for r in losses(spool, parent_id)] == ["before", "after"]
    children = [p for p in spool.iterdir() if p.name != parent_id.hex()]
    assert len(children) == 1
    child = written(spool, bytes.fromhex(children[0].name))
    assert [r[1] for r in child if r[0] == records.LOSS] == ["child"]
    facts = next(r[1] for r in child if r[0] == records.PROCESS)
    assert facts["forked_from"] == parent_id.hex()
    assert facts["pid"] == pid


def test_child_that_records_nothing_leaves_nothing(spool: Path) -> None:
    it = recorder(spool)
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)
    assert [p.name for p in spool.iterdir()] == [it.process_id.hex()]


def test_full_pool_drops_the_newest_and_counts(spool: Path) -> None:
    it = recorder(spool, segment_bytes=8_192, spool_limit=3 * 8_192)
    for number in range(3_000):
        it.lose("test", number)
    found = [r[2] for r in losses(spool, it.process_id)]
    assert found == list(range(len(found))), "what is kept is the oldest, without a gap"
    headers = [Header.read(memoryview(p.read_bytes())) for p in (spool / it.process_id.hex()).glob("*.segment")]
    assert {h.dropped for h in headers} == {3_000 - len(found)}
    assert all(h.state == SEALED for h in headers), "only a sealed segment can come back"


def test_freed_segment_is_used_again(spool: Path) -> None:
    it = recorder(spool, segment_bytes=8_192, spool_limit=2 * 8_192)
    rng = random.Random(5)
    kept: list[int] = []
    for number in range(3_000):
        it.lose("test", number, "x" * rng.randrange(100))
        for path in (spool / it.process_id.hex()).glob("*.segment"):
            with path.open("r+b") as file:
                import mmap

                with mmap.mmap(file.fileno(), 0) as mapped, memoryview(mapped) as view, view.cast("Q") as words:
                    if words[STATE_WORD] == SEALED:
                        for frame in frames(view, words[GENERATION_WORD], HEADER_BYTES, words[FINAL_WORD]):
                            assert frame.payload is not None
                            record = msgspec.msgpack.decode(frame.payload)
                            if record[0] == records.LOSS:
                                kept.append(record[2])
                        words[STATE_WORD] = FREE
    assert kept == list(range(len(kept)))
    assert len(kept) > 2_800
    assert len(list((spool / it.process_id.hex()).glob("*.segment"))) == 2


def test_record_larger_than_a_segment_is_dropped_and_counted(spool: Path) -> None:
    it = recorder(spool, segment_bytes=4_096, spool_limit=8 * 4_096)
    it.lose("huge", 1, "x" * 5_000)
    it.lose("small")
    assert [r[1] for r in losses(spool, it.process_id)] == ["small"]


def test_values_without_a_form_are_named_by_type(spool: Path) -> None:
    it = recorder(spool)

    class Hostile:
        def __repr__(self) -> str:
            raise AssertionError("the program's code was called")

        __str__ = __repr__

    it.write(it.encode((records.LOSS, "x", 1, Hostile())))
    assert losses(spool, it.process_id)[-1][3].endswith("Hostile")


def test_threads_of_a_forked_child_begin_together(spool: Path) -> None:
    """The child is one process with all of their records, whoever of them was first."""
    import sys

    it = recorder(spool)
    many, each = 8, 20
    for _ in range(15):
        child = os.fork()
        if child == 0:
            sys.setswitchinterval(1e-6)
            gate = threading.Barrier(many)

            def work(number: int, gate: threading.Barrier = gate) -> None:
                gate.wait()
                for index in range(each):
                    it.lose("child", number, str(index))

            threads = [threading.Thread(target=work, args=(number,)) for number in range(many)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
    children = [folder.name for folder in spool.iterdir() if folder.name != it.process_id.hex()]
    assert len(children) == 15
    for name in children:
        found = written(spool, bytes.fromhex(name))
        assert [r[0] for r in found].count(records.PROCESS) == 1
        lost = [r for r in found if r[0] == records.LOSS]
        assert sorted((r[2], int(r[3])) for r in lost) == sorted((n, i) for n in range(many) for i in range(each))
