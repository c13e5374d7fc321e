"""Processes that help to read bodies start quickly: they import what reading takes, and nothing else."""

from __future__ import annotations

import subprocess
import sys

HEAVY = ("numpy", "pyarrow", "duckdb")


def test_a_helping_process_imports_no_heavy_library() -> None:
    program = f"import sys, msgtrace_analysis.passes.schema.reading; print(*(set({HEAVY}) & set(sys.modules)))"
    ran = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert ran.stdout.split() == []
