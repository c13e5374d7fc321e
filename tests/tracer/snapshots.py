"""Snapshots as a reader of the trace finds them, and plain data to take them of."""

from __future__ import annotations

import dataclasses
from typing import Any, Final

import msgspec
from hypothesis import strategies as st

from msgtrace.snapshot import snapshot, stand_in

NODES: Final = 200
SIZE: Final = 64 * 1024


@dataclasses.dataclass
class Order:
    number: int
    lines: list[str]
    _secret: str = "hidden"


class Mapping(dict[str, Any]):
    pass


def written(value: Any, nodes: int = NODES, size: int = SIZE) -> Any:
    """What a reader of the trace would find of a single argument."""
    encoded = msgspec.msgpack.Encoder(enc_hook=stand_in).encode(snapshot((value,), {}, nodes, size))
    return msgspec.msgpack.decode(encoded)


scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False)
    | st.text(st.characters(exclude_categories=["Cs"]))
    | st.binary()
)
plain = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=8), inner, max_size=5)
    ),
    max_leaves=20,
)
