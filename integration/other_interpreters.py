"""Makes environments of other minor versions of Python for the tests: `python -m integration.other_interpreters`.

For each interpreter that this machine has (`traced.interpreters`) one in build/other-VERSION, with the wheel built for it and
the libraries of locks/older.txt. `make test` calls it; where there is no other interpreter, its tests are skipped by name.
"""

import subprocess
import sys
from pathlib import Path

from integration.interpreters import ROOT
from integration.traced import interpreters


def made(python: Path) -> Path:
    """The environment of an interpreter, made or brought up to date; its own interpreter."""
    version = python.name.removeprefix("python")
    folder, wheels = ROOT / "build" / f"other-{version}", ROOT / "build" / f"dist-{version}"
    own = folder / "bin" / "python"
    uv = str(ROOT / ".venv" / "bin" / "uv")

    def run(*words: str | Path) -> None:
        subprocess.run([uv, *words, "--quiet", "--python", own], cwd=ROOT, check=True)

    if not own.exists():
        subprocess.run([uv, "venv", "--quiet", "--python", python, folder], check=True)
    for old in wheels.glob("*.whl"):
        old.unlink()
    run("build", "--wheel", "--out-dir", wheels, ".")
    run("pip", "install", "--require-hashes", "-r", "locks/older.txt")
    run("pip", "install", "--no-deps", "--reinstall-package", "msgtrace", *wheels.glob("*.whl"))
    return own


if __name__ == "__main__":
    for found in interpreters():
        try:
            sys.stdout.write(f"{made(found)}\n")
        except subprocess.CalledProcessError as error:
            # What a machine happens to have may lack headers or wheels; the tests' own interpreter is another matter.
            sys.stderr.write(f"no environment for {found}: {error}\n")
