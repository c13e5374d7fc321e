"""What long work is at is said on a terminal, and nowhere else."""

from __future__ import annotations

import io
import sys
from typing import TYPE_CHECKING

from msgtrace_analysis.commands.progress import told_steps

if TYPE_CHECKING:
    import pytest


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_nothing_is_said_where_there_is_no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    said = io.StringIO()
    monkeypatch.setattr(sys, "stderr", said)
    with told_steps() as step:
        step("reading")
    assert said.getvalue() == ""


def test_steps_are_shown_on_a_terminal_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    said = Terminal()
    monkeypatch.setattr(sys, "stderr", said)
    monkeypatch.setenv("TERM", "xterm")
    with told_steps() as step:
        step("writing [bold]schemas/")
    assert "writing [bold]schemas/" in said.getvalue()
