"""Baselines: what holds, what does not, what is kept of messages, and which files are left alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given

from msgtrace_analysis.messages.baseline import compared, contract, differences
from msgtrace_analysis.messages.observed import Message, Receipt
from tests.analysis.messages.test_matching import JSON

if TYPE_CHECKING:
    from pathlib import Path


def message(body: Any, name: str = "order", **more: Any) -> Message:
    return Message(1, name, channel=more.pop("channel", "orders"), body=body, **more)


@given(JSON, JSON)
def test_the_same_messages_and_more_of_them_differ_in_nothing(one: Any, other: Any) -> None:
    before = contract([message(one), message(other)])
    assert differences(before, before) == []
    assert differences(before, contract([message(one), message(other), message(one, "another")])) == []
    assert differences({}, before) == []


@pytest.mark.parametrize(
    ("now", "line"),
    [
        ([], "order: no longer sent"),
        ([message({"id": 1}, channel="x", service="shop")], "order: no longer on orders"),
        ([message({"id": 1}, service="")], "order: no longer sent by shop"),
        ([message({}, service="shop")], "order: field id has vanished"),
        ([message({"id": "1"}, service="shop")], "order: field id was integer, is string"),
        ([message({"id": None}, service="shop")], "order: field id was integer, is null"),
        (
            [message({"id": 1}, service="shop"), message({})],
            "order: field id was in every message, and is not any more",
        ),
    ],
)
def test_what_no_longer_holds(now: list[Message], line: str) -> None:
    before = contract([message({"id": 1}, service="shop")])
    assert line in differences(before, contract(now))


def test_what_is_kept() -> None:
    found = contract([
        message({"to": "ada", "lines": [{"sku": "a"}, {"sku": None, "n": 1.5}]}, receipts=(Receipt("billing"),)),
        message({"to": "eve"}),
    ])  # fmt: skip
    assert found == {"order": {
        "channels": ["orders"], "senders": [], "receivers": ["billing"], "required": ["to"],
        "fields": {
            "lines": ["array"], "lines[]": ["object"], "lines[].n": ["number"], "lines[].sku": ["null", "string"], "to": ["string"],
        }}}  # fmt: skip


def test_a_number_may_become_whole() -> None:
    assert differences(contract([message({"a": 1.5})]), contract([message({"a": 2})])) == []
    assert differences(contract([message({"a": 2})]), contract([message({"a": 1.5})])) != []


def test_files(tmp_path: Path) -> None:
    path = tmp_path / "made" / "baseline.json"
    now = contract([message({"ada@example.org": 1})])
    with pytest.raises(ValueError, match="--msgtrace-update"):
        compared(path, now, update=False)
    assert compared(path, now, update=True) == []
    assert compared(path, now, update=False) == []
    assert "ada@example.org" not in path.read_text()
    for theirs in ("{}", "[]", "a diary"):
        path.write_text(theirs)
        for update in (True, False):
            with pytest.raises(ValueError, match="baseline"):
                compared(path, now, update=update)
        assert path.read_text() == theirs
