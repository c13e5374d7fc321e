"""Reads the source lines of functions that handle messages, and their repository's commit, when a trace first names them.

What names a file is a record that a program wrote: it may name any. Read is only what stands under the name of that very
function in a small, regular `.py` file of the reader's own user or of root; nothing is executed or imported, and nothing is
asked but files. A file, or a repository, that was changed after the process had begun is not what runs, and is left out.
Whether a file differed from its commit is not known.
"""

from __future__ import annotations

import ast
import os
import re
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from msgtrace.redaction import Redactor
    from msgtrace_collectors.process import ProcessState

MAX_BYTES: Final = 1_000_000
"""Of a source file."""
MAX_GIT_BYTES: Final = 4_000_000
"""Of a file of a repository: packed references are large where branches are many."""
MAX_LINES: Final = 60
MAX_LINE: Final = 200
MAX_FILES: Final = 500
MAX_FOLDERS: Final = 40

_COMMIT: Final = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_REFERENCE: Final = re.compile(r"ref: (refs/[\w./+@-]{1,250})")


# What stands beside a name without an equals sign between them: `password: str = "x"`, and `getenv("PASSWORD", "x")`.
_BESIDE: Final = re.compile(
    r"""(?P<name>\w+)(?P<between>\s*:[^=\n:]{1,80}=\s*|["']\s*,\s*)(?P<value>[rbufRBUF]{0,2}(?P<quote>["']).*?(?P=quote))"""
)


def without_secrets(source: str, redactor: Redactor) -> str:
    """Source as it may be stored: texts that have the name of a secret by their kind, as in everything that is recorded."""

    def beside(found: re.Match[str]) -> str:
        begin = f"{found['name']} = "
        redacted, many = redactor.text(f"{begin}{found['value']}")
        return f"{found['name']}{found['between']}{redacted.removeprefix(begin)}" if many else found[0]

    return redactor.text(_BESIDE.sub(beside, source))[0]


@dataclass(slots=True)
class HandlerCode:
    """Source and commits; each file is read once, as long as it stays as it is."""

    _functions: dict[str, tuple[int, dict[tuple[str, int], str]]] = field(default_factory=dict)
    _commits: dict[tuple[Path, int], str | None] = field(default_factory=dict)

    def columns(self, process: ProcessState, row: tuple[Any, ...], redactor: Redactor) -> tuple[str | None, str | None]:
        """Source, without secrets, and commit of a function, of a process that runs here; else nothing.

        Args:
            process: that has named it.
            row: as `definitions.definition_row` makes it.
            redactor: takes secrets out.
        """
        path, line, _, name, _, _ = row
        begun_ns = process.loaded_ns
        found = None if begun_ns is None or process.sender is not None else self.of(path, line, name, begun_ns)
        return (None, None) if found is None else (without_secrets(found[0], redactor), found[1] or None)

    def of(self, path: str | None, line: int | None, name: str | None, begun_ns: int) -> tuple[str, str] | None:
        """The source of a function and the commit of its repository, '' where that is not known; None where there is no source.

        Args:
            path: of the file, absolute.
            line: that the function begins in, its decorators included.
            name: qualified.
            begun_ns: when the process that runs it had begun, nanoseconds of the wall clock.
        """
        if not path or not line or not name or not path.startswith("/") or not path.endswith(".py") or "\0" in path:
            return None
        source = self._read(path, begun_ns).get((name, line))
        return None if source is None else (source, self._commit(Path(path).parent, begun_ns) or "")

    def _read(self, path: str, begun_ns: int) -> dict[tuple[str, int], str]:
        try:
            changed_ns = os.lstat(path).st_mtime_ns
        except (OSError, ValueError):
            return {}
        known = self._functions.get(path)
        if known is None or known[0] != changed_ns:
            if len(self._functions) >= MAX_FILES:
                self._functions.clear()
            known = self._functions[path] = _functions(path)
        return {} if known[0] > begun_ns else known[1]

    def _commit(self, folder: Path, begun_ns: int) -> str | None:
        if (folder, begun_ns) not in self._commits:
            if len(self._commits) >= MAX_FILES:
                self._commits.clear()
            self._commits[folder, begun_ns] = commit_of(folder, begun_ns)
        return self._commits[folder, begun_ns]


def _functions(path: str) -> tuple[int, dict[tuple[str, int], str]]:
    """When a file was last changed, and source by a function's qualified name and first line."""
    read = _read(Path(path), MAX_BYTES)
    if read is None:
        return 0, {}
    content, changed_ns = read
    try:
        text = content.decode("utf-8-sig")
        tree = ast.parse(text)
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return changed_ns, {}
    lines = re.split(r"\r\n|\r|\n", text)  # as Python's own: other characters that end lines elsewhere stand in texts
    return changed_ns, {
        (name, first): _cut(lines[first - 1 : node.end_lineno]) for name, first, node in _within(tree, "")
    }


def _within(tree: ast.AST, above: str) -> Iterator[tuple[str, int, ast.FunctionDef | ast.AsyncFunctionDef]]:
    """Every function, its name as Python qualifies it, and the line that its code begins in."""
    # Without recursion: files are anybody's.
    waiting = [(tree, above)]
    while waiting:
        node, prefix = waiting.pop()
        for child in ast.iter_child_nodes(node):
            inner = prefix
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
                yield (
                    f"{prefix}{child.name}",
                    min([child.lineno, *(each.lineno for each in child.decorator_list)]),
                    child,
                )
                inner = f"{prefix}{child.name}.<locals>."
            elif isinstance(child, ast.ClassDef):
                inner = f"{prefix}{child.name}."
            waiting.append((child, inner))


def _cut(lines: list[str]) -> str:
    """So many lines, their common indentation taken away, and a word where some were left out."""
    shown = [each if len(each) <= MAX_LINE else f"{each[: MAX_LINE - 1]}…" for each in lines[:MAX_LINES]]
    margin = min((len(each) - len(each.lstrip()) for each in shown if each.strip()), default=0)
    kept = [each[margin:].rstrip() for each in shown]
    if len(lines) > MAX_LINES:
        kept.append(f"# … {len(lines) - MAX_LINES} more lines")
    return "\n".join(kept)


def commit_of(folder: Path, begun_ns: int) -> str | None:
    """The commit that a folder's repository was at, as far as its files say and as it has not moved since.

    Source: https://git-scm.com/docs/gitrepository-layout.
    """
    for each in (folder, *folder.parents[:MAX_FOLDERS]):
        repository = _repository(each / ".git")
        if repository is not None:
            return _head(repository, begun_ns)
    return None


def _repository(place: Path) -> Path | None:
    """The folder with HEAD: `.git`, or what a file of that name points to."""
    try:
        if place.is_dir():
            return place
    except OSError:
        return None
    read = _read(place, 4096)
    if read is None or not read[0].startswith(b"gitdir: "):
        return None
    return place.parent / os.fsdecode(read[0].removeprefix(b"gitdir: ").rstrip(b"\n"))


def _head(repository: Path, begun_ns: int) -> str | None:
    head = _text(repository / "HEAD", begun_ns)
    reference = head and _REFERENCE.fullmatch(head)
    if not reference:
        return head if head and _COMMIT.fullmatch(head) else None
    name = reference[1]
    if ".." in name:
        return None
    common = _read(repository / "commondir", 4096)
    folders = [repository, *([repository / os.fsdecode(common[0].strip())] if common else [])]
    for each in folders:
        if os.path.lexists(each / name):
            loose = _text(each / name, begun_ns)
            return loose if loose and _COMMIT.fullmatch(loose) else None
    for each in folders:
        for line in (_text(each / "packed-refs", begun_ns) or "").splitlines():
            commit, _, packed = line.partition(" ")
            if packed == name and _COMMIT.fullmatch(commit):
                return commit
    return None


def _text(path: Path, begun_ns: int) -> str | None:
    """What stands in a file of a repository, unless it was changed since."""
    read = _read(path, MAX_GIT_BYTES)
    return None if read is None or read[1] > begun_ns else read[0].decode(errors="replace").strip()


def _read(path: Path, most: int) -> tuple[bytes, int] | None:
    """A small regular file of our own user or of root, that is no link, and when it was last changed."""
    try:
        # What can't be waited for, or would be written to by being opened, is not.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    except (OSError, ValueError):
        return None
    try:
        about = os.fstat(descriptor)
        if not stat.S_ISREG(about.st_mode) or about.st_size > most or about.st_uid not in {0, os.geteuid()}:
            return None
        with open(descriptor, "rb", closefd=False) as file:
            content = file.read(most + 1)
    except OSError:
        return None
    finally:
        os.close(descriptor)
    return (content, about.st_mtime_ns) if len(content) <= most else None
