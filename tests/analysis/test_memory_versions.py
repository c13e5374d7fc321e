"""A memory file whose fields are of several versions says so, and what the last one changed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from msgtrace_analysis.renderers import memory
from msgtrace_analysis.renderers.documents import render

if TYPE_CHECKING:
    from collections.abc import Callable

    from msgtrace_analysis.findings import Findings
    from tests.analysis.made_trace import MadeTrace


def test_a_field_that_the_last_version_removed_is_said_to_be_gone(
    made: MadeTrace, findings: Callable[[], Findings]
) -> None:
    for number in range(60):
        body = {"id": number, "old": 1} if number < 30 else {"id": number}
        made.send(channel="orders", channel_kind="topic", event_type="paid", body=body)
    found = findings()
    (entry,) = json.loads(memory.files(found)["event_catalog.json"])["entries"]
    assert entry["body_is_of"] == "all 2 versions together"
    assert (entry["last_version"], entry["last_version_changed"]) == ("2", ["old: required field removed"])
    assert "- The table is of all 2 versions together" in render("MESSAGING_GUIDE.md", found)["MESSAGING_GUIDE.md"]
