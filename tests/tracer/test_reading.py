"""Tables beside extractors: a table reads what it says and nothing else, and leaves to the extractor what it does not foresee."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given

from msgtrace.native import native, reason
from msgtrace.reading import ABSENT, COUNTED, PAIRS, TEXT, TRUTHY, Common, forget, reading
from tests.tracer.tables import EXAMPLES, HEADERS, ODD, Named, drawn, recorder

if TYPE_CHECKING:
    from msgtrace.recorder import Recorder

pytestmark = pytest.mark.skipif(native is None, reason=f"no compiled part: {reason}")
__all__ = ["recorder"]


def test_a_path_that_leads_nowhere_is_left_to_the_extractor(recorder: Recorder) -> None:
    def read(thing: Any) -> dict[str, Any]:
        return {"channel": thing.name}

    read_quickly = reading(read, {"channel": "thing.name"})
    assert drawn(recorder, read_quickly, (), Named(name="n")) == {"channel": "n"}
    assert drawn(recorder, read_quickly, (), thing=Named(name="n")) == {"channel": "n"}
    assert drawn(recorder, read_quickly, (), Named()) is None
    assert drawn(recorder, read_quickly, ()) is None
    assert drawn(recorder, read_quickly, (), Named(name="n"), 2) is None
    assert drawn(recorder, read_quickly, (), Named(name="n"), other=2) is None
    assert drawn(recorder, read_quickly, (), Named(name=object())) is None


def test_an_attribute_that_moves_is_found_where_it_is(recorder: Recorder) -> None:
    class Slotted:
        __slots__ = ("name", "other")

    def read(thing: Any) -> dict[str, Any]:
        return {"channel": thing.name}

    read_quickly = reading(read, {"channel": "thing.name"})
    thing: Any = Slotted()
    assert drawn(recorder, read_quickly, (), thing) is None  # it is not set
    thing.name, thing.other = "name", "other"
    for _ in range(2):
        assert drawn(recorder, read_quickly, (), thing) == {"channel": "name"}
    Slotted.name = Slotted.other  # type: ignore[attr-defined]  # what it is about
    assert drawn(recorder, read_quickly, (), thing) == {"channel": "other"}
    del thing.other
    assert drawn(recorder, read_quickly, (), thing) is None


def test_what_is_common_is_asked_once_for_the_same_objects(recorder: Recorder) -> None:
    asked = []

    def read(thing: Any, name: str) -> dict[str, Any]:
        return {"channel": thing.name, "routing_key": name, "partition_id": 1}

    def common(thing: Any, name: str) -> dict[str, Any]:
        asked.append(name)
        return {"channel": thing.name, "routing_key": name}

    read_quickly = reading(read, {"partition_id": "thing.number"}, common=Common(common, ("thing", "name")))
    things = [Named(name="a", number=1), Named(name="b", number=1)]
    for _ in range(3):
        for thing in things:
            for name in ("x", "y", chr(120)):
                assert drawn(recorder, read_quickly, (), thing, name) is not None
    assert sorted(asked) == ["x", "x", "y", "y"]
    forget(read_quickly)
    drawn(recorder, read_quickly, (), things[0], "x")
    assert len(asked) == 5


def test_what_can_not_be_held_weakly_is_left_to_the_extractor(recorder: Recorder) -> None:
    def read(thing: Any) -> dict[str, Any]:
        return {"channel": "c"}

    read_quickly = reading(read, {}, common=Common(read, ("thing",)))
    assert drawn(recorder, read_quickly, (), []) is None
    assert drawn(recorder, read_quickly, (), Named()) == {"channel": "c"}


@given(ODD, ODD, ODD, ODD | HEADERS)
@EXAMPLES
def test_rules(recorder: Recorder, text: Any, truthy: Any, counted: Any, pairs: Any) -> None:
    def read(thing: Any) -> dict[str, Any]:
        found: dict[str, Any] = {}
        if thing.text is not None:
            found["routing_key"] = thing.text
        if thing.truthy:
            found["message_id"] = thing.truthy
        if thing.counted is not None and thing.counted >= 0:
            found["log_offset"] = thing.counted
        if thing.pairs:
            found["headers"] = list(thing.pairs.items()) if type(thing.pairs) is dict else thing.pairs
        return found

    fields = {
        "routing_key": ("thing.text", TEXT),
        "message_id": ("thing.truthy", TRUTHY),
        "log_offset": ("thing.counted", COUNTED),
        "headers": ("thing.pairs", PAIRS),
    }
    thing = Named(text=text, truthy=truthy, counted=counted, pairs=pairs)
    drawn(recorder, reading(read, fields, only={"thing.none": ABSENT}), (), thing)
