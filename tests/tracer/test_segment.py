"""Frames: what is committed reads back, whatever is cut off or scribbled over."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from msgtrace.segment import FRAME, HEADER_BYTES, WRITING, BrokenSegment, Header, framed, frames, stragglers

PAYLOADS = st.lists(st.binary(min_size=1, max_size=3_000), max_size=20)


def segment(payloads: list[bytes]) -> tuple[bytearray, list[int]]:
    """A segment holding the payloads, and the offset just after each."""
    buffer = bytearray(HEADER_BYTES)
    ends = []
    for payload in payloads:
        buffer += framed(payload, 7)
        ends.append(len(buffer))
    return buffer, ends


@given(PAYLOADS)
def test_what_is_committed_reads_back(payloads: list[bytes]) -> None:
    buffer, ends = segment(payloads)
    found = list(frames(memoryview(buffer), 7, HEADER_BYTES, len(buffer)))
    assert [frame.payload for frame in found] == payloads
    assert [frame.next_offset for frame in found] == ends


@given(PAYLOADS, st.data())
def test_a_cut_at_any_byte_leaves_exactly_the_whole_frames(payloads: list[bytes], data: st.DataObject) -> None:
    buffer, ends = segment(payloads)
    cut = data.draw(st.integers(HEADER_BYTES, len(buffer)))
    whole = sum(end <= cut for end in ends)
    assert [f.payload for f in frames(memoryview(buffer)[:cut], 7, HEADER_BYTES, len(buffer))] == payloads[:whole]
    # The file is whole, but no more than this was committed.
    assert [f.payload for f in frames(memoryview(buffer), 7, HEADER_BYTES, cut)] == payloads[:whole]


@given(st.lists(st.binary(min_size=1, max_size=900), min_size=1, max_size=10), st.data())
def test_a_damaged_byte_is_noticed_and_costs_one_frame(payloads: list[bytes], data: st.DataObject) -> None:
    buffer, ends = segment(payloads)
    hit = data.draw(st.integers(0, len(payloads) - 1))
    start = HEADER_BYTES if hit == 0 else ends[hit - 1]
    offset = start + FRAME.size + data.draw(st.integers(0, len(payloads[hit]) - 1))
    buffer[offset] ^= data.draw(st.integers(1, 255))
    expected = [None if i == hit else payload for i, payload in enumerate(payloads)]
    assert [f.payload for f in frames(memoryview(buffer), 7, HEADER_BYTES, len(buffer))] == expected


@given(PAYLOADS, st.data())
def test_an_end_stored_too_early_loses_nothing(payloads: list[bytes], data: st.DataObject) -> None:
    """Behind the published end there are whole frames, then the remains of the segment's earlier use."""
    buffer, ends = segment(payloads)
    whole = data.draw(st.integers(0, len(payloads)))
    end = ([HEADER_BYTES, *ends])[whole]
    remains = b"".join(framed(b"stale" * 9, generation) for generation in (6, 5, 4)) + bytes(64)
    view = memoryview(bytes(buffer) + remains[data.draw(st.integers(0, 30)) :])
    found = [*frames(view, 7, HEADER_BYTES, end), *stragglers(view, 7, end)]
    assert [f.payload for f in found] == payloads


def test_header_round_trip() -> None:
    buffer = memoryview(bytearray(HEADER_BYTES))
    header = Header(
        pid=7,
        process_id=bytes(range(16)),
        generation=3,
        published=128,
        state=WRITING,
        dropped=2,
        start_ticks=99,
        pid_namespace=1,
    )
    header.write(buffer)
    assert Header.read(buffer) == header


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"short", "too few"),
        (bytes(HEADER_BYTES), "not a segment"),
        (b"MSGTRACE\x63\0\0\0" + bytes(HEADER_BYTES), "layout 99"),
    ],
)
def test_what_is_no_segment_is_refused(content: bytes, why: str) -> None:
    with pytest.raises(BrokenSegment, match=why):
        Header.read(memoryview(content))
