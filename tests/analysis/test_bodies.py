"""Bodies that are read once each, and the operations that had them, whoever may write to the trace meanwhile."""

from __future__ import annotations

import hashlib
import json
import uuid
from array import array
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from msgtrace.recording_file import lock_path
from msgtrace_analysis import bodies
from msgtrace_analysis.passes.schema.reading import Packed, summarised
from msgtrace_analysis.study import Study
from msgtrace_collectors.trace import open_trace

if TYPE_CHECKING:
    from tests.analysis.made_trace import MadeTrace

DISTINCT = 300


def digest_of(number: int) -> uuid.UUID:
    return uuid.UUID(bytes=hashlib.blake2b(b"%d" % number, digest_size=16).digest())


def filled(made: MadeTrace) -> dict[int, str]:
    """A trace of operations with bodies, some of them the same, some that are no JSON; the text of each that has one."""
    texts: dict[int, str] = {}
    for number in range(DISTINCT):
        document = None if number % 10 == 9 else json.dumps({"number": number, "name": f"é {number}"})
        made.row(
            "msgtrace_store.bodies", body_digest=digest_of(number), document=document,
            content=None if document is not None else b"?", encoding="json" if document else "binary", redacted=0,
        )  # fmt: skip
        for _ in range(1 + number % 3):
            operation = made.send(body_digest=digest_of(number), body_size=20)
            if document is not None:
                texts[operation] = document
    made.send()
    made.operation("settle", body_digest=digest_of(0), body_size=20)
    made.write()
    return texts


@pytest.fixture(params=["stored", "recorded"])
def texts(request: pytest.FixtureRequest, made: MadeTrace, monkeypatch: pytest.MonkeyPatch) -> dict[int, str]:
    """A trace that nobody records, or that a collector may come back to, which is then read in another order."""
    monkeypatch.setattr(bodies, "PAGE_ROWS", 80)
    monkeypatch.setattr(bodies, "BLOCK_ROWS", 20)
    known = filled(made)
    if request.param == "recorded":
        lock_path(made.path).touch()
    return known


def test_every_body_is_read_with_each_of_its_operations(made: MadeTrace, texts: dict[int, str]) -> None:
    with open_trace(made.path) as trace, Study(trace) as study:
        pages = list(study.bodies())
    assert len(pages) > 2
    found = [row for page in pages for row in page]
    assert sorted(found) == [(operation, text, "json") for operation, text in sorted(texts.items())]


def test_a_question_keeps_its_columns_beside_the_bodies(made: MadeTrace, texts: dict[int, str]) -> None:
    wanted = """
        select operation_id, kind, operation_id % 7 as part, body_digest, body_block from operations where operation_id % 7 = 3
    """
    with open_trace(made.path) as trace, Study(trace) as study:
        rows = [row for page in study.bodies_of(wanted) for row in page.to_pylist()]
        assert list(study.bodies_of(f"select * from ({wanted}) where false")) == []
    assert {row["operation_id"]: row["body"] for row in rows} == {
        operation: text for operation, text in texts.items() if operation % 7 == 3
    }
    assert {(row["kind"], row["part"], *sorted(row)) for row in rows} == {
        ("send", 3, "body", "kind", "operation_id", "part")
    }


def test_texts_and_chosen_bodies_are_those_of_their_operations(made: MadeTrace, texts: dict[int, str]) -> None:
    chosen = [*list(texts)[::50], max(texts) + 1, 12345]
    with open_trace(made.path) as trace, Study(trace) as study:
        study.keep_texts("kept", ["/number", "/nothing"])
        kept = {operation: (one, other) for operation, one, other in study.rows("from kept")}
        some = study.some_bodies(chosen)
    assert kept == {operation: (str(json.loads(text)["number"]), None) for operation, text in texts.items()}
    assert some == [(operation, texts[operation]) for operation in sorted(chosen) if operation in texts]


def test_a_copy_is_the_same_whoever_may_write_meanwhile(made: MadeTrace) -> None:
    filled(made)
    copies: list[Any] = []
    for touch in (False, True):
        if touch:
            lock_path(made.path).touch()
        with open_trace(made.path) as trace, Study(trace) as study:
            copies.append(study.rows("select * exclude (body_block) from operations order by operation_id"))
    assert copies[0] == copies[1]
    assert len(copies[0]) > DISTINCT


ROWS = st.lists(
    st.tuples(
        st.sampled_from(["a", "b é"]),
        st.integers(0, 2**62),
        st.one_of(
            st.dictionaries(st.text(max_size=3), st.integers(-9, 9) | st.text(max_size=9)).map(json.dumps),
            st.text(max_size=9).map(lambda text: text.encode("utf-8", "ignore").decode()),
        ),
        st.booleans(),
        st.sampled_from([None, ("header x-version", "1"), ("header schema-version", "2")]),
    )
)


@given(ROWS)
def test_a_packed_page_is_the_page(rows: list[tuple[str, int, str, bool, tuple[str, str] | None]]) -> None:
    events = ("a", "b é")
    saids = (None, *sorted({row[4] for row in rows if row[4] is not None}))
    ends, texts = array("i", [0]), b""
    for _, _, text, *_ in rows:
        texts += text.encode()
        ends.append(len(texts))
    packed = Packed(
        events, array("i", [events.index(row[0]) for row in rows]).tobytes(), array("q", [row[1] for row in rows]).tobytes(),
        bytes(row[3] for row in rows), ends.tobytes(), texts, saids,
        array("i", [saids.index(row[4]) for row in rows]).tobytes(),
    )  # fmt: skip
    assert len(packed) == len(rows)
    assert [(*row[:2], str(row[2], "utf-8"), *row[3:]) for row in packed] == rows  # type: ignore[arg-type]
    assert summarised(packed) == summarised(rows)
