"""Builds the program of report.html from analysis/report_page: `python -m integration.report_page`.

What was built is kept beside the renderer, so that neither an installation nor a report needs Node.js;
tests/analysis/test_report_page.py holds the two together.
"""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from integration.node_packages import REPORT_PAGE, install

ROOT: Final = Path(__file__).parent.parent
SOURCES: Final = REPORT_PAGE.wanted
ASSETS: Final = ROOT / "analysis" / "msgtrace_analysis" / "renderers" / "html" / "assets"
BUNDLED: Final = ("react", "react-dom", "scheduler", "@xyflow/", "zustand", "classcat", "use-sync-external-store", "elkjs",
                  "@observablehq/plot", "d3", "internmap", "interval-tree-1d", "binary-search-bounds", "isoformat",
                  "delaunator", "robust-predicates")  # fmt: skip
"""Packages that end up in the page: by name, or by how it begins."""


def laid_out() -> None:
    """Put the sources beside the packages: that is where compilers look for those."""
    shutil.rmtree(REPORT_PAGE.folder / "src", ignore_errors=True)
    shutil.copytree(SOURCES / "src", REPORT_PAGE.folder / "src")
    shutil.copyfile(SOURCES / "tsconfig.json", REPORT_PAGE.folder / "tsconfig.json")


def build(out: Path) -> None:
    """Check the types of the sources, and bundle them into `page.js` and `page.css`, with the licences of what is in them.

    Args:
        out: the folder; made if missing.

    Raises:
        subprocess.CalledProcessError: it can't be built; what is wrong was printed.
    """
    out.mkdir(parents=True, exist_ok=True)
    laid_out()
    tools = REPORT_PAGE.folder / "node_modules" / ".bin"
    subprocess.run([tools / "tsc"], cwd=REPORT_PAGE.folder, check=True)
    subprocess.run(
        [
            tools / "esbuild", "src/main.tsx", "--bundle", "--minify", "--format=iife", "--target=es2022", "--jsx=automatic",
            "--charset=ascii", "--legal-comments=none", "--log-level=warning",
            '--define:process.env.NODE_ENV="production"', f"--outfile={out.resolve() / 'page.js'}",
        ],
        cwd=REPORT_PAGE.folder, check=True,
    )  # fmt: skip
    told_apart(out / "page.js")
    (out / "LICENSES.txt").write_text(licences(REPORT_PAGE.folder / "node_modules"), "utf-8")


def told_apart(program: Path) -> None:
    """Set a large number that is added apart from its plus: everything that is written is searched for telephone numbers."""
    program.write_text(re.sub(r"(?<=[)\w\]])\+(?=[1-9][0-9]{7,14}\b)", "+ ", program.read_text("utf-8")), "utf-8")


def licences(modules: Path) -> str:
    """The licences of all packages whose code is in the page."""
    lock = json.loads((SOURCES / "package-lock.json").read_text("utf-8"))["packages"]
    parts = ["What report.html is built from: code of these packages is in page.js and page.css.\n"]
    for place, about in sorted(lock.items()):
        name = place.removeprefix("node_modules/")
        if not name or not name.startswith(BUNDLED):
            continue
        texts = sorted(each for each in (modules / name).glob("LICEN[CS]E*") if each.is_file())
        text = "\n".join(each.read_text("utf-8").strip() for each in texts)
        parts.append(f"{'=' * 80}\n{name} {about['version']}: {about['license']}\n\n{text}\n")
    return "\n".join(parts)


if __name__ == "__main__":
    install(REPORT_PAGE)
    build(ASSETS)
    sys.stdout.write(f"{ASSETS}\n")
