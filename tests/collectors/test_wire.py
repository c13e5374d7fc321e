"""One record that tells the end of many operations reads back as the end of each, when it is whole, and of none when it isn't."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from msgtrace import records
from msgtrace.recorder import MAX_TOGETHER, Recorder
from msgtrace.redaction import Redactor
from msgtrace.segment import HEADER_BYTES, Header, frames
from msgtrace_collectors.collector import Collector, Stop
from msgtrace_collectors.wire import Complete, CompletionFields, Together, apart, decode, salvage
from tests.collectors.conftest import rows
from tests.collectors.made_segments import MadeProcess, begun, completed, encode, introduced

if TYPE_CHECKING:
    import pytest

SEQUENCES = st.lists(st.integers(1, 2**40), max_size=12) | st.integers(900, 2_300).map(lambda n: list(range(5, 5 + n)))
FACTS: st.SearchStrategy[Any] = st.fixed_dictionaries(
    {},
    optional={
        "log_offset": st.integers(0, 2**62),
        "broker_time_ms": st.integers(0, 2**42),
        "settings": st.dictionaries(st.text(max_size=5), st.integers(0, 9), max_size=2),
    },
)
EVERYTHING = """
    select * exclude (operation_id, connection_id, handler_id, observed_at, body_digest) from operations order by sequence
"""


def written(folder: Path) -> list[Any]:
    """Records of the segments, in their order."""
    found = []
    for path in folder.glob("*/*.segment"):
        buffer = memoryview(path.read_bytes())
        header = Header.read(buffer)
        found += [
            (header.generation, each.next_offset, each.payload)
            for each in frames(buffer, header.generation, HEADER_BYTES, header.end)
        ]
    return [decode(payload) for *_, payload in sorted(found) if payload is not None]


@settings(deadline=None)
@given(SEQUENCES, FACTS)
def test_what_ended_together_reads_back_as_the_end_of_each(sequences: list[int], facts: Any) -> None:
    folder = Path(tempfile.mkdtemp(dir="/dev/shm"))
    try:
        recorder = Recorder(folder, dict, segment_bytes=1 << 16)
        recorder.together(sequences, dict(facts))  # type: ignore[arg-type]  # as hooks give it
        told = [record for record in written(folder) if type(record) is Together]
    finally:
        shutil.rmtree(folder)
    ends = [complete for record in told for complete in apart(record)]
    assert all(len(record.sequences) <= MAX_TOGETHER for record in told)
    expected = []
    for place, sequence in enumerate(sequences):
        own = {"log_offset": facts["log_offset"] + place} if "log_offset" in facts else {}
        expected.append((sequence, "ok", CompletionFields(**(facts | own))))
    assert [(end.sequence, end.outcome, end.facts) for end in ends] == expected
    assert len({id(end.facts) for end in ends}) == len(ends)
    assert all(type(end) is Complete and end.error_type is None for end in ends)


@given(st.lists(st.integers(1, 2**40), max_size=5), st.sampled_from([5, "x", [], {}, None]))
def test_a_fact_of_a_wrong_type_is_left_out_alone(sequences: list[int], wrong: Any) -> None:
    record, left_out = salvage(encode((records.TOGETHER, sequences, 9, {"broker_time_ms": 7, "identity": wrong})))
    assert type(record) is Together
    assert record.sequences == sequences
    assert record.facts.broker_time_ms == 7
    assert left_out == ([] if wrong is None or wrong == "x" else ["identity"])


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.integers(2, 40), min_size=1, max_size=20, unique=True), FACTS, st.booleans())
def test_the_trace_is_the_same_as_with_an_end_for_each(
    tmp_path_factory: pytest.TempPathFactory, sequences: list[int], facts: Any, late: bool
) -> None:
    """Also when the operations had been stored before, and however their settings are redacted."""
    facts = facts | {"settings": {**facts.get("settings", {}), "password": "hunter2"}}
    found = []
    for together in (False, True):
        spool = tmp_path_factory.mktemp("spool", numbered=True)
        db = spool.with_suffix(".duckdb")
        process = MadeProcess(spool, b"p" * 16)
        introduced(process)
        process.write(*(begun(each, each * 10, body=b"{}", channel="c") for each in range(2, 41)))
        collector = Collector(db, spool, Redactor(), print)
        if late:
            collector._reader.poll(collector._batch)
            collector.commit(Stop())
        if together:
            process.record(records.TOGETHER, sequences, 999, facts)
        else:
            for place, each in enumerate(sequences):
                own = {"log_offset": facts["log_offset"] + place} if "log_offset" in facts else {}
                process.write(completed(each, 999, **(facts | own)))
        collector.run(Stop(), until_idle_s=lambda: 0.0, every=lambda: None)
        collector.close()
        found.append(rows(db, EVERYTHING))
    assert found[0] == found[1]
    assert sum(row["outcome"] == "ok" for row in found[1]) == len(sequences)
    assert "hunter2" not in str(found)
