"""The interpreters that tests of hooks run programs with: the tests' own, and environments with older libraries.

MSGTRACE_TEST_PYTHON_OLD names the latter, separated as in PATH.
"""

import functools
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
OTHERS = sorted(str(path) for path in ROOT.glob("build/other-3.*/bin/python"))
"""Interpreters of other minor versions, as `python -m integration.other_interpreters` has made them."""
_OLDER = [path for path in os.environ.get("MSGTRACE_TEST_PYTHON_OLD", "").split(os.pathsep) if path]


@functools.cache
def evaluated(python: str, expression: str) -> Any:
    """What an expression is to an interpreter; None if it can't be evaluated there."""
    done = subprocess.run(
        [python, "-W", "ignore", "-c", f"import json; print(json.dumps({expression}))"],
        capture_output=True,
        text=True,
        check=False,
    )
    return json.loads(done.stdout) if done.returncode == 0 else None


def has(python: str, module: str) -> bool:
    """Whether an interpreter can import a module."""
    return bool(evaluated(python, f"__import__('importlib').import_module({module!r}) is not None"))


def needs(python: str, *modules: str) -> None:
    """Skip the test, by name, where the interpreter lacks a module."""
    for module in modules:
        if not has(python, module):
            pytest.skip(f"{python} has no {module}")


def every_version(library: str) -> pytest.MarkDecorator:
    """Runs tests with the installed library, and with each older interpreter that has it; they take `python`."""
    older = [path for path in _OLDER if has(path, library)]
    none = pytest.mark.skip(reason=f"MSGTRACE_TEST_PYTHON_OLD names no interpreter with an older {library}")
    return pytest.mark.parametrize(
        "python",
        [
            pytest.param(sys.executable, id="installed"),
            *(pytest.param(path, id=f"older-{number}") for number, path in enumerate(older, 1)),
            *([] if older else [pytest.param("", id="older", marks=none)]),
        ],
    )


def every_minor_version() -> pytest.MarkDecorator:
    """Runs tests with this interpreter and those of other minor versions; they take `python`."""
    none = pytest.mark.skip(reason="no build/other-3.*: python -m integration.other_interpreters")
    return pytest.mark.parametrize(
        "python",
        [
            pytest.param(sys.executable, id="installed"),
            *(pytest.param(path, id=Path(path).parts[-3]) for path in OTHERS),
            *([] if OTHERS else [pytest.param("", id="other", marks=none)]),
        ],
    )
