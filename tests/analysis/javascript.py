"""Asks programs of others, written in JavaScript, what they make of our documents."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any, NoReturn

import pytest

from integration.node_packages import FOLDER, installed

HERE = Path(__file__).parent


def unavailable(why: str) -> NoReturn:
    """Skip a test that lacks something by name; fail it where all must run."""
    if os.environ.get("CI") == "true":
        pytest.fail(why)
    pytest.skip(why)


def told_by(program: str, given: object) -> list[Any]:
    """What a program beside this file answers to JSON; skipped by name where it can't run, failed where all must."""
    if shutil.which("node") is None or not installed():
        unavailable("no node, or its packages are missing: `python -m integration.node_packages`")
    done = subprocess.run(
        ["node", str(HERE / program), str(FOLDER)],
        input=json.dumps(given), capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return list(json.loads(done.stdout))
