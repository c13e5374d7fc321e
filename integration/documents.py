"""Checks that documents and code are in step. `make check` runs it; it exits with 1 and a line for each difference.

* every command of the command line is named in README.md or docs/, and every `msgtrace COMMAND` named there exists
* every hook is named in a page in docs/hooks/
* every setting of a traced process is in docs/settings.md, and none that isn't
* every file that ARCHITECTURE.md names exists; every link between documents leads somewhere
* every column of the trace file's views is described in docs/trace-file.md
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from msgtrace.command_line import COMMANDS
from msgtrace.hooks import FILES
from msgtrace.settings import PREFIX, Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent.parent
SCHEMA = [ROOT / "collectors" / "msgtrace_collectors" / name for name in ("schema.sql", "tests.sql")]


def documents() -> dict[Path, str]:
    """Every document that we write, and its text."""
    paths = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").rglob("*.md")]
    return {path: path.read_text() for path in sorted(paths)}


def commands(texts: dict[Path, str]) -> Iterator[str]:
    """Commands undocumented, and documented commands that don't exist."""
    everything = "\n".join(texts.values())
    for name in COMMANDS:
        if f"msgtrace {name}" not in everything:
            yield f"command `msgtrace {name}` is in no document"
    for path, text in texts.items():
        for name in re.findall(r"(?:^\$ |`)msgtrace ([a-z]+)", text, re.MULTILINE):
            if name not in COMMANDS:
                yield f"{path.relative_to(ROOT)}: there is no command `msgtrace {name}`"


def hooks() -> Iterator[str]:
    """Hooks that no page in docs/hooks names, as `name` in its text."""
    pages = "\n".join(path.read_text() for path in (ROOT / "docs" / "hooks").glob("*.md"))
    for name in FILES:
        if f"`{name}`" not in pages:
            yield f"no page in docs/hooks names `{name}`: what does the hook not see?"


def settings() -> Iterator[str]:
    """Settings that docs/settings.md leaves out, and what it invents."""
    path = ROOT / "docs" / "settings.md"
    described = set(re.findall(rf"`({PREFIX}[A-Z_]+)`", path.read_text())) if path.exists() else set()
    real = {PREFIX + name.upper() for name in Settings.__struct_fields__}
    yield from (f"docs/settings.md does not describe {name}" for name in sorted(real - described))


def places(texts: dict[Path, str]) -> Iterator[str]:
    """Links and named files that lead nowhere."""
    for path, text in texts.items():
        for target in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", text):
            if not (path.parent / target).exists():
                yield f"{path.relative_to(ROOT)}: no such file: {target}"
    for name in re.findall(r"`((?:tracer|collectors|analysis|integration|bench|examples|docs)/[\w./-]+)`",
                           texts.get(ROOT / "ARCHITECTURE.md", "")):  # fmt: skip
        if not (ROOT / name).exists():
            yield f"ARCHITECTURE.md: no such file: {name}"


def columns() -> Iterator[str]:
    """Columns of public views that docs/trace-file.md does not describe."""
    text = (ROOT / "docs" / "trace-file.md").read_text()
    with duckdb.connect() as connection:
        for script in SCHEMA:
            connection.execute(script.read_text())
        rows = connection.execute(
            "select table_name, column_name from duckdb_columns() as c join duckdb_views() as v "
            "on table_name = view_name and c.schema_name = v.schema_name "
            "where not v.internal and c.schema_name = 'main' order by all"
        ).fetchall()
    if not rows:
        yield "schema.sql makes no view"
    for view, column in rows:
        if f"`{column}`" not in text:
            yield f"docs/trace-file.md does not describe {view}.{column}"


def main() -> int:
    """Print every difference; 1 if there is one."""
    texts = documents()
    problems = [*commands(texts), *hooks(), *settings(), *places(texts), *columns()]
    for problem in problems:
        print(problem)
    print(f"{len(texts)} documents, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
