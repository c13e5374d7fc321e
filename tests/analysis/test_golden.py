"""The documents of the shop's kept recording are, byte for byte, those that were reviewed: tests/golden."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from integration.golden import DOCUMENTS, GOLDEN, KEPT
from integration.kept_trace import restored
from msgtrace_analysis.passes import examine
from msgtrace_analysis.renderers.documents import render
from msgtrace_analysis.renderers.persons import without_persons
from msgtrace_analysis.study import Study
from msgtrace_collectors.trace import open_trace

if TYPE_CHECKING:
    from msgtrace_analysis.findings import Findings


@pytest.fixture(scope="module")
def findings(tmp_path_factory: pytest.TempPathFactory) -> Findings:
    trace = restored(KEPT, tmp_path_factory.mktemp("golden") / "trace.duckdb")
    with open_trace(trace) as opened, Study(opened) as study:
        return examine(study)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_it_is_what_was_reviewed(findings: Findings, name: str) -> None:
    """`python -m integration.golden --render` writes them anew: read what changed before it is kept."""
    written = without_persons(render(name, findings)[name])
    reviewed = (GOLDEN / name).read_text("utf-8")
    if written == reviewed:
        return
    different = difflib.unified_diff(
        reviewed.splitlines(), written.splitlines(), "reviewed", "written", lineterm="", n=0
    )
    pytest.fail("\n".join(list(different)[:200]))


def test_the_recording_is_small_and_says_nothing_of_where_it_was_made() -> None:
    files = sorted(KEPT.glob("*.parquet"))
    assert sum(each.stat().st_size for each in files) < 300_000
    assert not any(str(Path(__file__).parents[2]).encode() in each.read_bytes() for each in files)
