"""Writes files, each whole or not at all and over nothing that is not msgtrace's, and to standard output: no personal data."""

from __future__ import annotations

import os
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Final

import click

from msgtrace_analysis.renderers.persons import without_persons

BEGINNING: Final = 1_000
"""Characters in which a file of ours has its mark."""


def check_own(path: Path, mark: str) -> None:
    """Refuse to write over a file without the mark.

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
    if beginning and mark not in beginning:
        raise click.ClickException(
            f"{path}: exists and was not written by msgtrace; move it, choose another folder with --out, or use --force"
        )


def say(text: str) -> None:
    """Write to standard output."""
    sys.stdout.write(without_persons(text))
    sys.stdout.flush()


def put(path: Path, content: str) -> None:
    """Put a file into place in one step.

    Raises:
        click.ClickException: it can't be written.
    """
    fresh = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # A name of its own: a file's may be as long as names can be.
        descriptor, fresh = tempfile.mkstemp(prefix=".msgtrace-", dir=path.parent)
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as file:
            file.write(without_persons(content))
        # As any new file of the user's: mkstemp's own mode is for secrets.
        mask = os.umask(0)
        os.umask(mask)
        Path(fresh).chmod(0o666 & ~mask)
        Path(fresh).replace(path)
    except OSError as error:
        if fresh is not None:
            with suppress(OSError):
                Path(fresh).unlink(missing_ok=True)
        raise click.ClickException(
            f"{path}: can't be written: {error.strerror or error}; choose another folder with --out"
        ) from None
