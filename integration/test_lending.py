"""An unmodified image: what an init container has copied beside the startup folder is lent by PYTHONPATH alone."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from integration.interpreters import evaluated
from integration.recorded import read

if TYPE_CHECKING:
    from collections.abc import Iterator

PROGRAM = """
import sys
from pyee import EventEmitter
emitter = EventEmitter()
emitter.on("greeting", print)
emitter.emit("greeting", "hello")
print("msgspec" in sys.modules, "wrapt" in sys.modules)
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    made = Path(tempfile.mkdtemp(prefix="msgtrace-test-", dir="/dev/shm"))
    yield made
    shutil.rmtree(made)


def package(name: str) -> Path:
    spec = find_spec(name)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent


def test_lent_by_pythonpath_alone(folder: Path, tmp_path: Path) -> None:
    """As deploy/Dockerfile lays it out, read-only, for an interpreter that has nothing of ours."""
    bare = tmp_path / "bare"
    subprocess.run(["python3", "-m", "venv", "--without-pip", bare], check=True)
    python = bare / "bin" / "python"
    tag = evaluated(str(python), "__import__('sys').implementation.cache_tag")
    if tag != sys.implementation.cache_tag:
        pytest.skip("the system's Python is of another version than ours")
    lent = tmp_path / "msgtrace"
    shutil.copytree(package("msgtrace") / "startup", lent / "startup")
    for name in ("msgtrace", "msgspec", "wrapt"):
        shutil.copytree(package(name), lent / tag / name)
    site = next((bare / "lib").glob("python3*/site-packages"))
    shutil.copytree(package("pyee"), site / "pyee")
    shutil.copy(package("typing_extensions") / "typing_extensions.py", site)
    env = {
        "PATH": "/usr/bin:/bin",
        "PYTHONPATH": str(lent / "startup"),
        "MSGTRACE_SPOOL": str(folder),
        "MSGTRACE_RAISE": "1",
    }
    done = subprocess.run([python, "-c", PROGRAM], env=env, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (0, "hello\nFalse False\n"), done.stderr
    recording = read(folder)
    assert [each["routing_key"] for each in recording.of("send") if each["routing_key"] != "new_listener"] == [
        "greeting"
    ]
