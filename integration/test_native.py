"""A compiled part that was built from another source than the Python beside it is left alone: the trace is the same without it."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
import sys
import sysconfig
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import msgtrace
from integration.traced import PROGRAMS, clean_environment

if TYPE_CHECKING:
    from collections.abc import Iterator

SOURCE = Path(__file__).parent.parent / "tracer" / "msgtrace" / "_native.c"
PROGRAM = PROGRAMS / "pyee" / "plain.py"
COUNT = "import sys; from msgtrace_collectors.trace import open_trace\nwith open_trace(sys.argv[1]) as t: print(t.query('select count(*) as n from operations').to_pylist()[0]['n'])"


@pytest.fixture
def copied(tmp_path: Path) -> Iterator[Path]:
    """A folder with a copy of msgtrace to import instead of the installed one, without its compiled part."""
    if shutil.which(compiler()[0]) is None:
        pytest.skip("no C compiler")
    folder = tmp_path / "site"
    shutil.copytree(
        Path(msgtrace.__file__).parent, folder / "msgtrace", ignore=shutil.ignore_patterns("_native*", "__pycache__")
    )
    yield folder
    shutil.rmtree(folder)


def compiler() -> list[str]:
    return shlex.split(sysconfig.get_config_var("CC") or "cc")


def build(folder: Path) -> None:
    """Compile what lies in a folder as the build does (hatch_build.py), with its own checksum."""
    path = folder / "msgtrace" / "_native.c"
    parts = [path, *sorted(path.parent.glob("compiled/*.c"))]
    checksum = zlib.crc32(b"".join(each.read_bytes() for each in parts))
    target = folder / "msgtrace" / f"_native{sysconfig.get_config_var('EXT_SUFFIX')}"
    include = sysconfig.get_paths()["include"]
    subprocess.run(
        [*compiler(), "-shared", "-fPIC", "-O1", "-std=c11", f"-I{include}", f"-DMSGTRACE_SOURCE={checksum}u", path, "-o", target],
        check=True, capture_output=True,
    )  # fmt: skip


def asked(folder: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    env = clean_environment() | {"PYTHONPATH": str(folder)}
    return subprocess.run(
        [sys.executable, *map(str, arguments)], env=env, capture_output=True, text=True, timeout=90, check=False
    )


def recorder(folder: Path) -> dict[str, str]:
    """What the doctor says of the recorder."""
    found: list[dict[str, str]] = json.loads(asked(folder, "-m", "msgtrace", "doctor", "--format", "json").stdout)
    return next(each for each in found if each["subject"] == "recorder")


def operations(folder: Path, trace: Path) -> int:
    done = asked(folder, "-m", "msgtrace", "run", "--quiet", "--db", trace, "--", sys.executable, PROGRAM)
    assert done.returncode == 0, done.stderr
    return int(asked(folder, "-c", COUNT, trace).stdout)


def test_a_stale_build_is_left_alone(copied: Path, tmp_path: Path) -> None:
    (copied / "msgtrace" / "_native.c").write_bytes(SOURCE.read_bytes())
    build(copied)
    assert (recorder(copied)["state"], recorder(copied)["detail"]) == ("ok", "compiled")
    compiled = operations(copied, tmp_path / "compiled.duckdb")
    assert compiled > 0

    changed = copied / "msgtrace" / "compiled" / "pen.c"
    changed.write_bytes(changed.read_bytes() + b"/* newer than what was built */\n")
    told = recorder(copied)
    assert told["state"] == "warning"
    assert "built from the source of another version of msgtrace" in told["detail"]
    assert operations(copied, tmp_path / "stale.duckdb") == compiled
