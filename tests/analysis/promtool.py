"""Asks Prometheus' own `promtool` what it makes of our rules: whether it accepts them, and when they fire."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from integration.brokers import tools

if TYPE_CHECKING:
    from pathlib import Path


def promtool(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run it; skipped by name where it is not installed, failed where it must be."""
    if (why := tools.missing("promtool")) is not None:
        if os.environ.get("CI") == "true":
            pytest.fail(why, pytrace=False)
        pytest.skip(f"{why}: `python -m integration.brokers install promtool`")
    argv = [str(tools.find("promtool")), *map(str, arguments)]
    return subprocess.run(argv, capture_output=True, text=True, timeout=120, check=False)


def accepted(rules: Path) -> int:
    """How many rules of a file it accepts; all of them, or the test fails."""
    done = promtool("check", "rules", rules)
    assert done.returncode == 0, done.stdout + done.stderr
    return int(done.stdout.split("SUCCESS: ")[1].split()[0])


def fires(rules: Path, alert: str, series: dict[str, str], at: str = "30m") -> list[dict[str, Any]]:
    """The alerts of a name that fire on made series, which begin at 0 and have a value each minute.

    promtool says only whether an expectation holds: it is told to expect none, and what it got instead is read.
    """
    case = {
        "rule_files": [str(rules)],
        "evaluation_interval": "1m",
        "tests": [
            {
                "interval": "1m",
                "input_series": [{"series": name, "values": values} for name, values in series.items()],
                "alert_rule_test": [{"eval_time": at, "alertname": alert, "exp_alerts": []}],
            }
        ],
    }
    path = rules.with_name("case.yaml")
    path.write_text(yaml.safe_dump(case))
    done = promtool("test", "rules", path)
    said = done.stdout + done.stderr
    if done.returncode == 0:
        return []
    assert "got:" in said, said
    return [
        {part.split("=", 1)[0]: part.split("=", 1)[1].strip('"') for part in line.split("Labels:{", 1)[1].split("}")[0].split(", ")}
        for line in said.split("got:")[1].splitlines()
        if "Labels:{" in line
    ]  # fmt: skip
