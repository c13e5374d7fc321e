"""The program that `run` starts: found, checked, and given the environment in which it records."""

from __future__ import annotations

import os
import re
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgtrace

if TYPE_CHECKING:
    from collections.abc import Sequence

    from msgtrace.settings import Settings

STARTUP: Final = Path(msgtrace.__file__).parent / "startup"
_PYTHON: Final = re.compile(r"python(\d+(\.\d+)?)?$")
_VALUED: Final = "mcWX"


class TargetError(Exception):
    """The program can't be started; the text is for the user."""


def check(command: Sequence[str]) -> str:
    """The path of the program to start.

    Raises:
        TargetError: it is not there, or may not be executed.
    """
    name = command[0]
    path = shutil.which(name)
    if path is not None:
        return path
    if os.sep in name and Path(name).exists():
        hint = f"; did you mean: msgtrace run -- python {name}" if name.endswith(".py") else ""
        raise TargetError(f"{name} is not executable{hint}")
    raise TargetError(f"program not found: {name}")


def environment(settings: Settings, spool: Path) -> dict[str, str]:
    """The program's environment: ours, and what makes its interpreters record."""
    variables = dict(os.environ)
    variables.update(settings.environment())
    variables["MSGTRACE_SPOOL"] = str(spool)
    variables["MSGTRACE_LEND"] = os.pathsep.join(lent_folders())
    variables["MSGTRACE_TAG"] = f"{sys.implementation.cache_tag}{sys.abiflags}"
    inherited = variables.get("PYTHONPATH")
    # An empty entry means the working folder: it is kept as it was given.
    variables["PYTHONPATH"] = str(STARTUP) if not inherited else str(STARTUP) + os.pathsep + inherited
    return variables


def lent_folders() -> list[str]:
    """Where the packages are that an interpreter without msgtrace is lent."""
    folders = []
    for name in ("msgtrace", "msgspec", "wrapt"):
        spec = find_spec(name)
        if spec is not None and spec.origin is not None:
            folder = str(Path(spec.origin).parent.parent)
            if folder not in folders:
                folders.append(folder)
    return folders


def warning_of(program: str, command: Sequence[str]) -> str:
    """Why the program's interpreter won't be recorded although it can be run; '' if nothing speaks against it."""
    words = list(command[1:])
    if not _PYTHON.match(Path(program).name):
        words = _shebang(Path(program))
        if not words:
            return ""
        program, words = words[0], words[1:]
    for word in words:
        if not word.startswith("-") or word == "-" or word.startswith("--"):
            return ""
        letters = re.split(f"[{_VALUED}]", word[1:])[0]
        if "S" in letters:
            return f"`{word}` keeps Python from loading what msgtrace starts with; the program runs unrecorded"
        if {"I", "E"} & set(letters) and not _has_wheel(program):
            return (
                f"`{word}` makes Python ignore PYTHONPATH, and msgtrace is not installed for {program}; "
                f"the program runs unrecorded. Install it there: {program} -m pip install msgtrace"
            )
        if set(word[1:]) & {"c", "m"}:
            return ""
    return ""


def _shebang(path: Path) -> list[str]:
    """The words of a script's first line, if it asks for a Python; else nothing."""
    try:
        with path.open("rb") as file:
            line = file.readline(512)
    except OSError:
        return []
    if not line.startswith(b"#!"):
        return []
    words = line[2:].decode("utf-8", "replace").split()
    if words and Path(words[0]).name == "env":
        words = [w for w in words[1:] if w != "-S"]
    return words if words and _PYTHON.match(Path(words[0]).name) else []


def _has_wheel(program: str) -> bool:
    """Whether a .pth of ours lies in the site-packages of an interpreter."""
    prefix = Path(program).absolute().parent.parent
    return any(prefix.glob("lib/python3.*/site-packages/msgtrace.pth"))
