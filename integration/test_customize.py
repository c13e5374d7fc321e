"""The program's own sitecustomize and usercustomize run under `msgtrace run` as they do without it, and before it."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from integration.traced import PROGRAMS, clean_environment, make_venv, run

if TYPE_CHECKING:
    from pathlib import Path

CUSTOMIZE = "import sys\nsys.customized = [*getattr(sys, 'customized', []), (__name__, __file__)]\n"
PROGRAM = (
    "import sys\nprint(sys.customized)\nprint([sys.modules[n].__file__ for n in ('sitecustomize', 'usercustomize')])\n"
    + (PROGRAMS / "run" / "emitting.py").read_text()
)


@pytest.fixture
def program(tmp_path: Path) -> tuple[list[str], dict[str, str]]:
    """A program of an environment in which both are looked for, and its variables."""
    python = make_venv(tmp_path / "venv", "pyee", "typing_extensions.py", files={"sitecustomize.py": CUSTOMIZE})
    settings = tmp_path / "venv" / "pyvenv.cfg"
    # Only so does an environment have the user's own packages.
    settings.write_text(
        settings.read_text().replace("include-system-site-packages = false", "include-system-site-packages = true")
    )
    variables = {"PYTHONUSERBASE": str(tmp_path / "user")}
    done = subprocess.run(
        [python, "-c", "import site; print(site.ENABLE_USER_SITE, site.USER_SITE, sep='\\n')"],
        env=clean_environment() | variables, capture_output=True, text=True, check=True,
    )  # fmt: skip
    enabled, folder = done.stdout.splitlines()
    if enabled != "True":
        pytest.skip(f"this Python has no packages of the user's own: {enabled}")
    (tmp_path / "user").mkdir()
    site = tmp_path / folder
    site.mkdir(parents=True)
    (site / "usercustomize.py").write_text(CUSTOMIZE)
    return [str(python), "-c", PROGRAM], variables


@pytest.mark.parametrize("other", [False, True], ids=["in the environment", "on PYTHONPATH"])
def test_both_run(program: tuple[list[str], dict[str, str]], other: bool, tmp_path: Path) -> None:
    """Each once, in their order, also where another sitecustomize comes first on the program's own PYTHONPATH."""
    command, variables = program
    if other:
        (tmp_path / "first").mkdir()
        (tmp_path / "first" / "sitecustomize.py").write_text(CUSTOMIZE)
        variables = variables | {"PYTHONPATH": str(tmp_path / "first")}
    plain, traced = (run(command, tmp_path, traced=each, env=variables) for each in (False, True))
    assert (plain.code, plain.stderr) == (traced.code, traced.stderr) == (0, "")
    assert traced.stdout == plain.stdout
    said = plain.stdout.splitlines()[0]
    assert said.count("'sitecustomize'") == said.count("'usercustomize'") == 1
    assert said.index("sitecustomize") < said.index("usercustomize")
    assert ("/first/sitecustomize.py" in said) == other
    assert traced.values("select routing_key from operations where kind = 'send'") == ["greeting", "greeting"]
    assert sys.version.split()[0] in traced.values("select python from processes")
