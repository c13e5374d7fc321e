"""Installs JavaScript tools: `python -m integration.node_packages`.

Those that documents are held against, and those that report.html is built with; which, and in which versions, stands in
integration/node and analysis/report_page. Needs node and npm; as root they are installed by apt.
"""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parent.parent
LISTS: Final = ("package.json", "package-lock.json")


@dataclass(frozen=True, slots=True)
class Tools:
    """Packages that belong together.

    Attributes:
        wanted: folder that says which, and in which versions.
        folder: that they are installed in.
    """

    wanted: Path
    folder: Path


HELD_AGAINST: Final = Tools(ROOT / "integration" / "node", ROOT / "build" / "node")
REPORT_PAGE: Final = Tools(ROOT / "analysis" / "report_page", ROOT / "build" / "report_page")
FOLDER: Final = HELD_AGAINST.folder


def installed(tools: Tools = HELD_AGAINST) -> bool:
    """Whether what is wanted is there."""
    mark = tools.folder / "node_modules" / ".package-lock.json"
    return mark.is_file() and all(
        (tools.folder / name).is_file() and (tools.folder / name).read_bytes() == (tools.wanted / name).read_bytes()
        for name in LISTS
    )


def install(tools: Tools) -> None:
    """Install what is wanted and missing.

    Raises:
        SystemExit: it can't be, with what to do.
    """
    if not shutil.which("npm"):
        if not shutil.which("apt-get") or os.geteuid() != 0:
            sys.exit("no npm: install Node.js 20 or later, for example by `apt-get install nodejs npm`")
        subprocess.run(["apt-get", "install", "-y", "--no-install-recommends", "nodejs", "npm"], check=True)
    if installed(tools):
        return
    tools.folder.mkdir(parents=True, exist_ok=True)
    for name in LISTS:
        shutil.copyfile(tools.wanted / name, tools.folder / name)
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"]
    subprocess.run(command, cwd=tools.folder, check=True)


if __name__ == "__main__":
    install(HELD_AGAINST)
    install(REPORT_PAGE)
