"""Installs the JavaScript tools that documents are held against, in build/node: `python -m integration.node_packages`.

What they are and in which versions stands in integration/node. Needs node and npm; as root they are installed by apt.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parent.parent
WANTED: Final = ROOT / "integration" / "node"
FOLDER: Final = ROOT / "build" / "node"
LISTS: Final = ("package.json", "package-lock.json")


def installed() -> bool:
    """Whether what is wanted is there."""
    mark = FOLDER / "node_modules" / ".package-lock.json"
    return mark.is_file() and all(
        (FOLDER / name).is_file() and (FOLDER / name).read_bytes() == (WANTED / name).read_bytes() for name in LISTS
    )


def install() -> None:
    """Install what is wanted and missing.

    Raises:
        SystemExit: it can't be, with what to do.
    """
    if not shutil.which("npm"):
        if not shutil.which("apt-get") or os.geteuid() != 0:
            sys.exit("no npm: install Node.js 20 or later, for example by `apt-get install nodejs npm`")
        subprocess.run(["apt-get", "install", "-y", "--no-install-recommends", "nodejs", "npm"], check=True)
    if installed():
        return
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in LISTS:
        shutil.copyfile(WANTED / name, FOLDER / name)
    subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"], cwd=FOLDER, check=True)


if __name__ == "__main__":
    install()
