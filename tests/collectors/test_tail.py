"""Segments are read exactly once and wholly, whatever the writer, a crash or a scribble does to them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from msgtrace.segment import END_WORD, FRAME, FREE, HEADER_BYTES, STATE_WORD
from msgtrace_collectors.process import ProcessState
from msgtrace_collectors.tail import Tail
from tests.collectors.made_segments import MadeProcess, encode

if TYPE_CHECKING:
    from pathlib import Path

PAYLOADS = st.lists(st.binary(min_size=1, max_size=2_000), min_size=1, max_size=40)


@pytest.fixture
def process(tmp_path: Path) -> MadeProcess:
    return MadeProcess(tmp_path, segment_bytes=1 << 13)


def tail_of(process: MadeProcess, state: ProcessState | None = None) -> Tail:
    return Tail(state or ProcessState(1, process.process_id.hex()), process.folder)


def read_all(tail: Tail, *, ended: bool = True) -> list[bytes]:
    """Everything that is there, without the clock that every segment begins with."""
    found: list[bytes] = []
    while True:
        payloads = tail.read(ended=ended)
        found += payloads
        if not payloads and tail.exhausted:
            return [payload for payload in found if payload[:2] != b"\x93\x05"]


@settings(max_examples=60)
@given(PAYLOADS, st.data())
def test_every_payload_is_read_once_while_it_is_written(
    tmp_path_factory: pytest.TempPathFactory, payloads: list[bytes], data: st.DataObject
) -> None:
    process = MadeProcess(tmp_path_factory.mktemp("spool"), segment_bytes=1 << 13)
    process.folder.mkdir()
    tail = tail_of(process)
    found: list[bytes] = []
    for payload in payloads:
        process.write(payload)
        for _ in range(data.draw(st.integers(0, 2))):
            found += tail.read(ended=False)
        if data.draw(st.booleans()):
            tail.release()
    found += read_all(tail)
    assert [payload for payload in found if payload[:2] != b"\x93\x05"] == payloads
    assert tail.damages == []


def test_a_segment_goes_back_only_after_release(process: MadeProcess) -> None:
    process.write(b"one")
    process.turn()
    tail = tail_of(process)
    read_all(tail, ended=False)
    first = process.folder / "0.segment"
    assert first.read_bytes()[STATE_WORD * 8] != FREE
    tail.release()
    assert first.read_bytes()[STATE_WORD * 8] == FREE


def test_a_successor_gives_back_what_its_predecessor_had_stored(process: MadeProcess) -> None:
    process.write(b"one")
    process.turn()
    tail = tail_of(process)
    assert read_all(tail, ended=False) == [b"one"]
    state = tail.state
    tail.close()
    successor = tail_of(process, state)
    process.write(b"two")
    assert read_all(successor, ended=False) == [b"two"]
    assert (process.folder / "0.segment").read_bytes()[STATE_WORD * 8] == FREE


def test_what_is_behind_the_end_waits_while_the_writer_lives(process: MadeProcess) -> None:
    process.write(b"one", b"two")
    process.words[END_WORD] -= FRAME.size + 3
    tail = tail_of(process)
    assert read_all(tail, ended=False) == [b"one"]
    assert read_all(tail, ended=True) == [b"two"]
    assert tail.damages == []


def test_a_damaged_frame_waits_for_a_live_writer_and_is_counted_later(process: MadeProcess) -> None:
    process.write(b"one", b"two", b"three")
    place = process.bytes.find(b"two")
    process.bytes[place] ^= 0xFF
    tail = tail_of(process)
    assert read_all(tail, ended=False) == [b"one"]
    process.bytes[place] ^= 0xFF
    assert read_all(tail, ended=False) == [b"two", b"three"]
    process.write(b"four", b"five")
    process.bytes[process.bytes.find(b"four")] ^= 0xFF
    assert read_all(tail, ended=False) == []
    process.turn()
    assert read_all(tail, ended=False) == [b"five"]
    assert [(damage.detail, damage.count) for damage in tail.damages] == [("frames whose checksum is wrong", 1)]


def test_a_destroyed_length_costs_the_rest_of_the_segment_and_no_more(process: MadeProcess) -> None:
    process.write(b"one", b"two", b"three")
    place = process.bytes.find(b"two") - FRAME.size
    process.bytes[place : place + 4] = b"\xff\xff\xff\x7f"
    process.turn()
    process.write(b"four")
    tail = tail_of(process)
    assert read_all(tail) == [b"one", b"four"]
    assert [damage.count for damage in tail.damages] == [1]
    assert "the rest of a segment" in tail.damages[0].detail
    assert read_all(tail) == []
    assert len(tail.damages) == 1, "counted once"


@pytest.mark.parametrize(
    "content", [b"", b"short", b"\0" * 256, b"NOTTRACE" + bytes(1016), b"MSGTRACE\xff" + bytes(1015)]
)
def test_a_file_that_is_no_segment_is_counted_once_and_left_out(process: MadeProcess, content: bytes) -> None:
    process.write(b"one")
    (process.folder / "9.segment").write_bytes(content)
    process.turn()
    process.write(b"two")
    tail = tail_of(process)
    assert read_all(tail) == [b"one", b"two"]
    read_all(tail)
    assert len(tail.damages) <= 1


def test_a_segment_that_is_gone_is_counted_and_passed_over(process: MadeProcess) -> None:
    process.write(b"one")
    process.turn()
    process.write(b"two")
    process.turn()
    process.write(b"three")
    (process.folder / "1.segment").unlink()
    tail = tail_of(process)
    assert read_all(tail) == [b"one", b"three"]
    assert [damage.detail for damage in tail.damages] == ["segments that are gone or destroyed"]


@settings(max_examples=40)
@given(st.lists(st.binary(min_size=1, max_size=300), min_size=1, max_size=15), st.data())
def test_a_process_killed_at_any_byte_leaves_its_whole_frames(
    tmp_path_factory: pytest.TempPathFactory, payloads: list[bytes], data: st.DataObject
) -> None:
    process = MadeProcess(tmp_path_factory.mktemp("spool"), segment_bytes=1 << 13)
    ends = []
    for payload in payloads:
        process.write(payload)
        ends.append(process.end)
    cut = data.draw(st.integers(HEADER_BYTES, process.end))
    # What was being copied when it was killed: half a frame, the end not yet moved over it.
    process.bytes[cut : process.end] = bytes(process.end - cut)
    process.words[END_WORD] = max([HEADER_BYTES, *[end for end in ends if end <= cut]])
    tail = tail_of(process)
    assert read_all(tail) == payloads[: sum(end <= cut for end in ends)]
    assert tail.damages == []


def test_the_dropped_count_is_known_from_any_segment(process: MadeProcess) -> None:
    process.write(encode([1]))
    process.words[7] = 12
    tail = tail_of(process)
    read_all(tail)
    assert tail.state.dropped == 12
