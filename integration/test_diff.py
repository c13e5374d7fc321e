"""A program is recorded in two editions: `msgtrace diff` says what the second does otherwise, and to whom that matters."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from junitparser import JUnitXml

from integration.traced import PROGRAMS, run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from integration.brokers import Rabbitmq

PROGRAM = PROGRAMS / "diff" / "orders.py"


def diff(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "msgtrace", "diff", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.rabbitmq
def test_two_editions(rabbitmq: Rabbitmq, tmp_path: Path, unique: Callable[[str], str]) -> None:
    prefix = unique("diff")
    traces = []
    for edition in ("1", "2"):
        (tmp_path / edition).mkdir()
        ended = run([sys.executable, str(PROGRAM), rabbitmq.url, prefix, edition], tmp_path / edition)
        assert ended.code == 0, ended.stderr
        traces.append(ended.trace)
    subprocess.run(
        [sys.executable, "-m", "msgtrace", "report", "--db", traces[0], "--out", tmp_path / "report"], check=True
    )

    done = diff(tmp_path / "report", traces[1], "--format", "json", "--fail-on", "breaking")
    assert done.returncode == 1
    assert diff(*traces, "--format", "json").stdout == done.stdout
    (line,) = done.stderr.splitlines()
    assert "breaking differences between" in line
    found: list[dict[str, Any]] = json.loads(done.stdout)["differences"]
    placed, audited = "order.placed", "order.audited"
    told = {
        (each["of"], each["subject"], each["part"], each["what"] or each["how"]): bool(each["breaking"])
        for each in found
        if each["of"] in {"event", "field", "version", "subscriber", "retry policy"}
    }
    assert told == {
        ("event", audited, None, "vanished"): True,
        ("field", placed, "total", "number became string"): True,
        ("field", placed, "currency", "required field removed"): True,
        ("field", placed, "channel", "required field added"): False,
        ("version", placed, None, "changed"): False,
        ("subscriber", placed, "mail", "vanished"): True,
        ("retry policy", "__main__.charge", "tenacity in orders", "max_attempts"): False,
        ("retry policy", "__main__.charge", "tenacity in billing", "max_attempts"): False,
        ("retry policy", "__main__.charge", "tenacity in mail", "not seen"): False,
    }
    (step,) = [each for each in found if each["of"] == "version"]
    assert (step["base"], step["head"], step["verdict"]) == ("1", "2", "none")

    back = {
        (each["of"], each["subject"], each["part"], each["how"])
        for each in json.loads(diff(*traces[::-1], "--format", "json").stdout)["differences"]
    }
    assert ("event", audited, None, "appeared") in back
    assert ("subscriber", placed, "mail", "appeared") in back

    same = diff(traces[1], traces[1], "--fail-on", "any")
    assert (same.returncode, same.stderr) == (0, "")
    failures = [
        case
        for suite in JUnitXml.fromstring(diff(*traces, "--format", "junit").stdout.encode())
        for case in suite
        if case.result
    ]
    assert {case.name for case in failures} == {placed, audited}
