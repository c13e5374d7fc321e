"""`msgtrace diff` as users type it: every format, exit codes, hostile names and input that is none."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner
from junitparser import JUnitXml

from msgtrace_analysis.commands.diff import diff
from msgtrace_analysis.commands.report import report
from msgtrace_analysis.passes import examine
from msgtrace_analysis.renderers import event_flows
from msgtrace_analysis.study import Study
from msgtrace_collectors.trace import open_trace
from tests.analysis.hostile import NAMES, hostile_trace
from tests.analysis.made_trace import MadeTrace

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result


def orders(path: Path, *, edition: int) -> Path:
    """A trace of 20 orders; the second edition has no currency, and mail does not get them."""
    made = MadeTrace(path)
    for number in range(20):
        body = {"id": number} | ({"currency": "EUR"} if edition == 1 else {})
        send = made.send(service="web", channel="orders", channel_kind="exchange", event_type="order.placed", body=body)
        for service in ("billing", "mail")[: 3 - edition]:
            made.receive(send, service=service, channel=service, channel_kind="queue", handler="/app/x.py:1 on_order")
    made.write()
    return path


def saved(trace: Path) -> Path:
    """A trace's report, beside it."""
    report = trace.with_suffix(".json")
    with open_trace(trace) as opened, Study(opened) as study:
        report.write_text(event_flows.render(examine(study)), encoding="utf-8")
    return report


@pytest.fixture(scope="module")
def traces(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("traces")
    return orders(folder / "base.duckdb", edition=1), orders(folder / "head.duckdb", edition=2)


@pytest.fixture(scope="module")
def reports(traces: tuple[Path, Path]) -> tuple[Path, Path]:
    return saved(traces[0]), saved(traces[1])


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A run whose names try to be something else, beside a person's address, and one without anything."""
    folder = tmp_path_factory.mktemp("hostile")
    empty, full = MadeTrace(folder / "empty.duckdb"), MadeTrace(folder / "full.duckdb")
    empty.write()
    hostile_trace(full)
    full.send(service="web", channel="mail.to.ada@example.org", channel_kind="queue", event_type="welcome", body={})
    full.write()
    return saved(full.path), saved(empty.path)


def told(*arguments: str | Path) -> Result:
    return CliRunner().invoke(diff, [str(each) for each in arguments])


def test_exit_codes_and_the_line_that_says_why(reports: tuple[Path, Path]) -> None:
    assert told(*reports).exit_code == 0
    assert told(reports[0], reports[0], "--fail-on", "any").exit_code == 0
    failed = told(*reports, "--fail-on", "breaking")
    assert failed.exit_code == 1
    assert failed.stderr == (
        f"Error: 2 breaking differences between {reports[0]} and {reports[1]}; "
        "the first: field 'order.placed currency' vanished\n"
    )
    back = told(*reports[::-1], "--fail-on", "breaking")
    assert (back.exit_code, back.stderr) == (0, "")
    assert told(*reports[::-1], "--fail-on", "any").exit_code == 1
    assert told(*reports[::-1], "--fail-on", "breaking", "--compatibility", "backward").exit_code == 1


def test_a_trace_its_report_and_the_folder_of_it_are_the_same(
    traces: tuple[Path, Path], reports: tuple[Path, Path], tmp_path: Path
) -> None:
    expected = told(*reports, "--format", "json").stdout
    assert json.loads(expected)["breaking"] == 2
    assert CliRunner().invoke(report, ["--db", str(traces[0]), "--out", str(tmp_path)]).exit_code == 0
    assert told(tmp_path, traces[1], "--format", "json").stdout == expected


def test_markdown(reports: tuple[Path, Path]) -> None:
    lines = told(*reports, "--format", "markdown").stdout.splitlines()
    assert lines[0] == "### Messaging: 2 breaking changes, 0 others"
    assert (
        "| field | `order.placed` `currency` | vanished: required field removed, backward compatible | 20 of 20 | 0 of 20 "
        "| who reads by BASE's schema can't read it |"
    ) in lines
    same = told(reports[0], reports[0], "--format", "markdown").stdout
    assert same.startswith("### Messaging: no certain change\n\nNo difference")


def test_junit(reports: tuple[Path, Path]) -> None:
    document = JUnitXml.fromstring(told(*reports, "--format", "junit").stdout.encode())
    (suite,) = [each for each in document if each.name == "event types"]
    (case,) = suite
    assert (suite.name, case.name, case.classname) == (
        "event types",
        "order.placed",
        "rabbitmq/exchange/orders/order.placed",
    )
    assert [each.type for each in case.result] == ["vanished", "vanished"]
    assert (document.tests, document.failures) == (2, 2)


@pytest.mark.parametrize("form", ["table", "markdown", "json", "junit"])
def test_hostile_names_break_no_format_and_no_person_is_shown(form: str, hostile: tuple[Path, Path]) -> None:
    done = told(*hostile, "--format", form)
    assert done.exit_code == 0, done.output
    assert "welcome" in done.stdout
    assert "ada@example.org" not in done.stdout
    subjects = {*NAMES, "welcome"}
    if form == "json":
        found: list[dict[str, Any]] = json.loads(done.stdout)["differences"]
        assert {each["subject"] for each in found if each["of"] == "event"} == subjects
    elif form == "junit":
        (suite,) = [each for each in JUnitXml.fromstring(done.stdout.encode()) if each.name == "event types"]
        assert len(list(suite)) == len(subjects)
    elif form == "markdown":
        rows = [line for line in done.stdout.splitlines() if line.startswith("| event ")]
        assert len(rows) == len(subjects)
        assert {line.replace("\\|", "").count("|") for line in rows} == {6}
        assert "<script" not in re.sub(r"(`+).*?\1", "", done.stdout)
    else:
        assert sum(" event " in line for line in done.stdout.splitlines()) >= len(subjects)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (None, "No such file"),
        (b"{}", "is no report"),
        (b"\xff\xfe", "is not UTF-8"),
        (b"not json", "is no JSON"),
    ],
)
def test_what_is_no_run(content: bytes | None, why: str, reports: tuple[Path, Path], tmp_path: Path) -> None:
    path = tmp_path / "head.json"
    if content is not None:
        path.write_bytes(content)
    done = told(reports[0], path)
    assert (done.exit_code, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"Error: {path}: ")
    assert why in line


def test_a_folder_without_a_report(reports: tuple[Path, Path], tmp_path: Path) -> None:
    done = told(tmp_path, reports[0])
    assert done.exit_code == 1
    assert "`msgtrace report` writes one" in done.stderr
