"""The body of a Redis stream's entry: both directions agree, on any fields, and a cut entry is still JSON."""

import json

from hypothesis import given
from hypothesis import strategies as st

from msgtrace.hooks.redis_entries import encode, fields, items

NAMES = st.text(min_size=0, max_size=12).map(str.encode)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
VALUES = st.one_of(
    st.binary(max_size=40),
    st.text(max_size=20).map(str.encode),
    st.builds(lambda document, indent: json.dumps(document, indent=indent).encode(), JSON, st.sampled_from([None, 1])),
    st.sampled_from(
        [b"{", b"[1,", b'{"$bytes": "AA=="}', b'{"$bytes"', b'""', b"\xff{", b'{"a":\xff}', b"nan", b"[NaN]"]
    ),
)
FIELDS = st.lists(st.tuples(NAMES, VALUES), max_size=6, unique_by=lambda pair: pair[0])


def body(wire: list[bytes], limit: int) -> tuple[bytes, int]:
    """An entry's body; the same whether what is ASCII came as text or as bytes."""
    shown, size = fields(wire, limit)
    written = encode(shown)
    as_text = [each.decode() if each.isascii() else each for each in wire]
    shown, same = fields(as_text, limit)
    assert (encode(shown), same) == (written, size)
    return written, size


def flat(pairs: list[tuple[bytes, bytes]]) -> list[bytes]:
    """As on the wire."""
    return [each for pair in pairs for each in pair]


@given(FIELDS)
def test_round_trip(pairs: list[tuple[bytes, bytes]]) -> None:
    written, size = body(flat(pairs), 1 << 20)
    assert (items(written), size) == (pairs, 0)
    assert len(json.loads(written)) == len(pairs)


@given(FIELDS, st.integers(0, 60))
def test_a_cut_entry_is_the_beginning_of_the_whole(pairs: list[tuple[bytes, bytes]], limit: int) -> None:
    written, size = body(flat(pairs), limit)
    whole = sum(map(len, flat(pairs)))
    kept = items(written)
    if whole <= limit:
        assert (kept, size) == (pairs, 0)
        return
    assert size == whole
    assert sum(len(name) + len(value) for name, value in kept) <= limit
    for place, (name, value) in enumerate(kept):
        assert pairs[place][0] == name
        assert pairs[place][1].startswith(value)
        if place < len(kept) - 1:
            assert pairs[place][1] == value


def test_documents_stay_documents() -> None:
    written, _ = body([b"type", b"OrderPlaced", b"qty", b"3", b"order", b'{"id": 4711, "lines": [1, 2]}'], 1000)
    assert written == b'{"type":"OrderPlaced","qty":"3","order":{"id": 4711, "lines": [1, 2]}}'


def test_the_last_of_two_fields_of_one_name() -> None:
    assert body([b"a", b"1", b"b", b"2", b"a", b"3"], 1000)[0] == b'{"a":"3","b":"2"}'


def test_a_name_that_is_no_text() -> None:
    assert body([b"\xff", b"1"], 1000)[0] == b'{"\\\\xff":"1"}'
