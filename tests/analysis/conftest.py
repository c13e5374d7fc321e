"""Traces of one's own to analyse."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from msgtrace_analysis.passes import examine, prepare
from msgtrace_analysis.study import Study
from msgtrace_collectors.trace import open_trace
from tests.analysis.made_trace import MadeTrace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from msgtrace_analysis.findings import Findings


# How long an example takes says more about the machine than about the code.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


@pytest.fixture
def made(tmp_path: Path) -> MadeTrace:
    """A trace that is still empty and not written."""
    return MadeTrace(tmp_path / "trace.duckdb")


@pytest.fixture
def findings(made: MadeTrace) -> Callable[[], Findings]:
    """Writes the made trace and examines it."""

    def found() -> Findings:
        made.write()
        with open_trace(made.path) as trace, Study(trace) as study:
            return examine(study)

    return found


@pytest.fixture
def study(made: MadeTrace) -> Callable[[], AbstractContextManager[Study]]:
    """Writes the made trace and studies it."""

    @contextmanager
    def studied() -> Iterator[Study]:
        made.write()
        with open_trace(made.path) as trace, Study(trace) as study:
            prepare(study)
            yield study

    return studied
