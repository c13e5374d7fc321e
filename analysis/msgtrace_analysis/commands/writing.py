"""Writes files, all of them or none and over nothing that is not msgtrace's, and to standard output: no personal data."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from msgtrace_analysis.renderers.file_names import INDEX, files_of
from msgtrace_analysis.renderers.persons import without_persons

if TYPE_CHECKING:
    from collections.abc import Container, Mapping, Sequence

BEGINNING: Final = 1_000
"""Characters in which a file of ours has its mark."""


def check_own(path: Path, *marks: str) -> None:
    """Refuse to write over a file without one of the marks.

    Raises:
        click.ClickException: it is somebody else's, or can't be read.
    """
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            beginning = file.read(BEGINNING)
    except FileNotFoundError:
        return
    except OSError as error:
        raise click.ClickException(f"{path}: {error.strerror or error}; choose another folder with --out") from None
    if beginning and not any(mark in beginning for mark in marks):
        raise click.ClickException(
            f"{path}: exists and was not written by msgtrace; move it, choose another folder with --out, or use --force"
        )


def say(text: str) -> None:
    """Write to standard output."""
    sys.stdout.write(without_persons(text))
    sys.stdout.flush()


def put(files: Mapping[Path, str]) -> dict[Path, int]:
    """Put files into place together: each is written beside its place before the first takes its place.

    Whatever keeps one of them from its place leaves all of them as they were. A process that is killed between two of these
    steps, which take microseconds, leaves some new and some old: each of them is whole.

    Returns:
        the bytes of each.

    Raises:
        click.ClickException: they can't be written.
    """
    fresh: dict[Path, Path] = {}
    folders: list[Path] = []
    sizes = {}
    path = Path()
    try:
        for path, content in files.items():
            folders += _made(path.parent)
            # A name of its own: a file's may be as long as names can be.
            descriptor, name = tempfile.mkstemp(prefix=".msgtrace-", dir=path.parent)
            fresh[path] = Path(name)
            with os.fdopen(descriptor, "wb") as file:
                sizes[path] = file.write(without_persons(content).encode())
            fresh[path].chmod(0o666 & ~_mask())
        _exchange(fresh)
    except BaseException as error:
        for beside in fresh.values():
            with suppress(OSError):
                beside.unlink(missing_ok=True)
        for folder in reversed(folders):
            with suppress(OSError):
                folder.rmdir()
        if isinstance(error, OSError):
            raise click.ClickException(
                f"{error.filename2 or path}: can't be written: {error.strerror or error}; nothing was; "
                "choose another folder with --out"
            ) from None
        raise
    return sizes


def take_away(folder: Path, index: str, written: Container[str], marks: Sequence[str]) -> None:
    """Take away files of ours that the index of a folder named before and that are written no more.

    Args:
        folder: of documents.
        index: as it was before.
        written: names of the files that there are now.
        marks: that files of ours have.
    """
    for name in sorted(files_of(index)):
        path = folder / name
        if name in written or path.is_symlink():
            continue
        with suppress(OSError, click.ClickException):
            check_own(path, *marks)
            path.unlink(missing_ok=True)


def index_of(folder: Path, *marks: str) -> str:
    """The index of a folder of documents; '' where there is none of ours."""
    try:
        text = (folder / INDEX).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    return text if any(mark in text[:BEGINNING] for mark in marks) else ""


def _made(folder: Path) -> list[Path]:
    """Make a folder; those that were not there before."""
    missing = []
    while not folder.exists():
        missing.append(folder)
        folder = folder.parent
    for each in reversed(missing):
        each.mkdir(exist_ok=True)
    return missing[::-1]


def _mask() -> int:
    """As any new file of the user's has it: mkstemp's own mode is for secrets."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _exchange(fresh: Mapping[Path, Path]) -> None:
    """Let files take their places; where one can't, what was there before is put back."""
    before: dict[Path, Path | None] = {}
    try:
        for path, file in fresh.items():
            before[path] = _kept(path)
            file.replace(path)
    except BaseException:
        for path, kept in before.items():
            with suppress(OSError):
                if kept is None:
                    path.unlink(missing_ok=True)
                else:
                    kept.replace(path)
        raise
    finally:
        for kept in before.values():
            with suppress(OSError):
                if kept is not None:
                    kept.unlink(missing_ok=True)


def _kept(path: Path) -> Path | None:
    """Another name of what is at a path; None where there is nothing."""
    if not os.path.lexists(path):
        return None
    if path.is_dir() and not path.is_symlink():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    kept = path.with_name(f".msgtrace-{secrets.token_hex(8)}")
    try:
        os.link(path, kept, follow_symlinks=False)
    except OSError:  # a file system without such names
        shutil.copy2(path, kept, follow_symlinks=False)
    return kept
