"""What `run` says at its end: short, true, and what to type next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgtrace_analysis import summary

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from tests.analysis.made_trace import MadeTrace


def said(made: MadeTrace, capsys: pytest.CaptureFixture[str], *options: str) -> list[str]:
    made.write()
    assert summary.main([str(made.path), *options]) == 0
    return capsys.readouterr().out.splitlines()


def test_a_dozen_lines(made: MadeTrace, capsys: pytest.CaptureFixture[str]) -> None:
    send = 0
    for number in range(3):
        send = made.send(service="web", channel="orders", channel_kind="topic", event_type="placed")
        made.receive(send, "exact" if number else "likely", service="mail", channel="orders", channel_kind="topic")
    made.receive(service="mail", channel="news", channel_kind="topic")
    made.cause(send, made.operation("send", "pyee", channel="E", channel_kind="bus", routing_key="told"), "likely")
    assert said(made, capsys) == [
        f"msgtrace: 8 operations in 3 processes of 3 services: {made.path}",
        "  operations      receive 4, send 4",
        "  event types     3: rabbitmq 2, pyee 1",
        "  channels        3: rabbitmq 2, pyee 1",
        "  receives        exact 2, likely 1 matched to their sends; 1 without a send in the trace",
        "  sends           1 without a receive in the trace; cause found for 1 (likely 1)",
        "  losses          none counted",
        f"  next            msgtrace report --db {made.path}    (also: events, flows, queues, follow ID, sql)",
    ]


def test_many_systems_and_losses_stay_short(made: MadeTrace, capsys: pytest.CaptureFixture[str]) -> None:
    process = made.process("app")
    for number in range(30):
        made.operation(f"kind{number}", f"system{number}")
        made.operation("send", f"system{number}", channel=f"c{number}", channel_kind="topic")
        made.row(
            "msgtrace_store.recorded_losses", process_number=process, reason=f"reason{number}", detail="", lost=number + 1,
            seen_at="2026-01-01",
        )  # fmt: skip
    lines = said(made, capsys)
    assert len(lines) <= 12
    assert "  losses          reason29 30, reason28 29, reason27 28, 27 more reasons" in "\n".join(lines)
    assert len(said(made, capsys, "--verbose")) > 60


def test_a_program_without_messages_is_told_what_that_means(
    made: MadeTrace, capsys: pytest.CaptureFixture[str]
) -> None:
    made.process("app")
    lines = said(made, capsys)
    assert (
        lines[1] == "  nothing         the program sent and received no message through a library that msgtrace knows"
    )
    assert "msgtrace doctor" in lines[2]
    assert "run --verbose" in lines[2]


def test_a_program_that_is_no_python_is_told_so(made: MadeTrace, capsys: pytest.CaptureFixture[str]) -> None:
    assert "no Python process of the program was recorded" in said(made, capsys)[1]


def test_operations_without_messages_are_counted(made: MadeTrace, capsys: pytest.CaptureFixture[str]) -> None:
    made.operation("connect")
    assert said(made, capsys)[1] == "  operations      connect 1: no message among them"


def test_a_file_that_cannot_be_read_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert summary.main([str(tmp_path / "no.duckdb")]) == 1
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("msgtrace: no summary: ")
