"""The recorder's hot path in C, against the Python that it stands for."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from msgtrace import snapshot
from msgtrace.native import native, reason

pytestmark = pytest.mark.skipif(native is None and not os.environ.get("CI"), reason=f"no compiled part: {reason}")

HERE = Path(__file__).parent
ATOMS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text(max_size=20)
    | st.binary(max_size=20)
)
VALUES = st.recursive(
    ATOMS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text(max_size=5) | st.integers(), inner, max_size=4)
    ),
    max_leaves=30,
)


def recorded(seed: int, compiled: str) -> list[str]:
    """What `made_calls` says was recorded."""
    done = subprocess.run(
        [sys.executable, str(HERE / "made_calls.py"), str(seed)],
        env={**os.environ, "MSGTRACE_NATIVE": compiled},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_it_is_built() -> None:
    assert native is not None, reason


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_it_records_what_python_records(seed: int) -> None:
    """Calls of every shape and outcome, bodies that are cut, text without UTF-8, segments that are turned, threads."""
    in_c, in_python = recorded(seed, "1"), recorded(seed, "0")
    assert len(in_c) > 1_500
    for ours, theirs in zip(in_c, in_python, strict=True):
        assert ours == theirs


@given(VALUES, st.integers(0, 40), st.integers(0, 100))
def test_what_is_plain_is_judged_alike(value: Any, nodes: int, size: int) -> None:
    assert native is not None
    assert native.plain(value, nodes, size) is (snapshot._left(value, nodes, size, 0) is not None)


def test_what_c_does_not_know_is_asked_of_python() -> None:
    assert native is not None
    assert native.plain({"when": [object()]}, 10, 10) is None


def test_all_tests_of_the_tracer_pass_without_it() -> None:
    tests = [str(path) for path in sorted(HERE.glob("test_*.py")) if path.name != Path(__file__).name]
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *tests]
    done = subprocess.run(
        command,
        env={**os.environ, "MSGTRACE_NATIVE": "0"},
        cwd=HERE.parents[1],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3_000:]


@pytest.mark.parametrize(
    "wrong",
    [
        "native.begin()",
        "native.begin(1, 2, 3, 4)",
        "native.end(None, None, 1, None, (), {})",
        "native.observe(object(), print, None, None, 0, (), {})",
        "native.late(object(), print, None, (), {})",
        "native.Probe()",
        "native.Probe(object())",
        "native.Pen()",
        "native.plain(1)",
        "native.plain(1, 'x', 2)",
        "native.Pen.__new__(native.Pen).write('text')",
        "native.Probe.__new__(native.Probe).begin({})",
        "native.Probe(native.Pen.__new__(native.Pen)).begin({})",
        "native.begin(native.Probe(native.Pen.__new__(native.Pen)), print, (), {})",
        "native.Pen.__new__(native.Pen).write(b'bytes')",
        "native.begin(native.Probe.__new__(native.Probe), print, (), {})",
        "native.Fields(1, 2, 3, 4)",
        "native.use(1, 2, 3)",
    ],
)
def test_a_wrong_call_is_an_error_and_no_crash(wrong: str) -> None:
    code = f"from msgtrace.native import native\ntry:\n    {wrong}\nexcept (TypeError, ValueError, RuntimeError) as e:\n    print('error', e)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.startswith("error"), (done.returncode, done.stdout, done.stderr)


COLLECTED = """
import gc, mmap
from msgtrace.native import native
def nothing(*_): pass
def garbage():
    mark = memoryview(mmap.mmap(-1, mmap.PAGESIZE))
    ring = [mark]
    pen = native.Pen(
        encode=nothing, encode_odd=nothing, slow=nothing, adopt=ring.append, cap=nothing, thread_number=nothing,
        body_limit=1, last_sequence=0,
    )
    ring.append(pen)
    pen.begin_process(mark)
gc.disable()
garbage()
gc.collect()
"""


def test_what_is_collected_goes_without_a_word() -> None:
    done = subprocess.run([sys.executable, "-c", COLLECTED], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
