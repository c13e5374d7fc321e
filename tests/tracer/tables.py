"""What a table reads of a call, compared with what its extractor reads: for the tests of tables."""

from __future__ import annotations

import tempfile
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final

import msgspec
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from msgtrace import interning
from msgtrace.recorder import Recorder
from msgtrace.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

BODY_LIMIT: Final = 500
SHORT: Final = st.text(max_size=40)
ATOMS: Final = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats(allow_nan=False)
    | SHORT
    | st.binary(max_size=300)
)
ODD: Final = ATOMS | st.just("\ud800 half a pair") | st.just("x" * 2_000) | st.just([1]) | st.dictionaries(SHORT, SHORT)
HEADERS: Final = st.lists(st.tuples(SHORT, st.none() | st.binary(max_size=20)) | st.just(("odd",)), max_size=3)
EXAMPLES: Final = settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
BODIES: Final = st.none() | st.binary(max_size=2 * BODY_LIMIT) | st.sampled_from(["text", bytearray(b"array")])


class Named(SimpleNamespace):
    """Something with attributes that can be held weakly."""

    __slots__ = ("__weakref__",)

    __hash__ = object.__hash__  # type: ignore[assignment]  # as what it stands for


@pytest.fixture(scope="module")
def recorder() -> Iterator[Recorder]:
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        found = Recorder(Path(folder), dict, body_limit=BODY_LIMIT)
        interning.bind(found, Settings())
        yield found
        found.close()


def drawn(recorder: Recorder, read: Any, first: tuple[Any, ...], *args: Any, **kwargs: Any) -> dict[str, Any] | None:
    """What the table reads of a call; None where it leaves it to the extractor. The two are compared."""
    told = read.drawn(recorder.pen, first, args, kwargs)
    if told is None:
        return None
    count, common, fields, body, _, handling, outcome = told
    found: dict[str, Any] = msgspec.msgpack.decode(b"\xde" + count.to_bytes(2) + (common or b"") + fields + body)
    if outcome is not None:
        found["outcome"] = outcome
    whole = read(*first, *args, **kwargs)
    handler = whole.pop("handler", None)
    assert found == msgspec.msgpack.decode(recorder.encode(whole))
    if handler:
        said = msgspec.msgpack.decode(b"\x82" + handling)
        assert said == {"channel": whole["channel"], "handler": handler}
    return found
