"""Circuit breakers: settings, changes of state and refused calls are recorded, and the program is left as it was."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from integration.recorded import record
from integration.traced import run
from msgtrace_analysis.passes.breakers import breakers
from msgtrace_analysis.study import Study
from msgtrace_collectors.trace import open_trace

PROGRAM = Path(__file__).parent / "programs" / "breakers" / "openings.py"
KINDS = ("pybreaker", "circuitbreaker", "purgatory", "purgatory-async", "aiobreaker")


@pytest.mark.parametrize("kind", KINDS)
def test_settings_changes_and_refusals(kind: str) -> None:
    recording = record([str(PROGRAM), kind])
    plain = record([str(PROGRAM), kind], traced=False)
    assert (recording.exit_code, recording.stderr, recording.losses) == (0, "", [])
    assert (plain.stdout, plain.stderr) == (recording.stdout, "")
    assert recording.said[3:5] == ["refused", "refused"]

    declared = recording.of("declare", channel="bank")
    assert [(each["settings"]["error_threshold"], each["settings"]["reset_timeout_s"]) for each in declared] == [
        (3, 0.15)
    ]
    told = [each["settings"] for each in recording.of("call", channel="bank", channel_kind="breaker")]
    states = [each.get("state", each["action"]) for each in told if each.get("state") != "half-open"]
    assert states == ["open", "refused", "refused", "open", "refused", "closed"]
    half_open = [each for each in told if each.get("state") == "half-open"]
    assert len(half_open) == (0 if kind == "circuitbreaker" else 2)
    first = told[0]
    assert first["failures"] == (None if kind.startswith("purgatory") else 3)

    handlings = [each.sequence for each in recording.of("process")]
    for each in recording.of("call", channel_kind="breaker"):
        assert each.causes
        assert set(each.causes) <= set(handlings)


def test_a_breaker_without_a_name_has_a_number() -> None:
    recording = record([str(PROGRAM), "pybreaker"])
    assert [each["channel"] for each in recording.of("declare", channel_kind="breaker")] == ["bank", "unnamed 1"]


@pytest.mark.parametrize("library", ["pybreaker", "circuitbreaker", "purgatory", "aiobreaker"])
def test_methods_look_as_before_and_are_put_back(library: str) -> None:
    ended = record([str(Path(__file__).parent / "restored.py"), library])
    assert (ended.exit_code, ended.stderr, ended.losses) == (0, "", [])
    points = [each for each in ended.said if each["target"].startswith(library)]
    assert points
    assert [each["status"] for each in points] == ["wrapped"] * len(points)
    assert [each["target"] for each in points if not each["alike"] or not each["restored"]] == []


@pytest.mark.parametrize("kind", KINDS)
def test_findings_equal_what_happened(kind: str, tmp_path: Path) -> None:
    """All the way through the collector: settings, openings, failed probes and refusals, as the program had them."""
    ended = run([sys.executable, str(PROGRAM), kind], tmp_path)
    assert ended.code == 0, ended.stderr
    with open_trace(ended.trace) as trace, Study(trace) as study:
        (bank,) = [each for each in breakers(study).breakers if each.name == "bank"]
    assert (bank.library, bank.error_threshold, bank.reset_timeout_s) == (kind.partition("-")[0], 3, 0.15)
    assert (bank.openings, bank.reopenings, bank.closings) == (1, 1, 1)
    assert bank.refused == ended.account.count("refused") == 3
    assert not bank.still_open
    assert bank.open_s is not None
    assert bank.open_s[0] >= 0.15
