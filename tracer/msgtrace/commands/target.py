"""The program that `run` is to start: found, checked, and given the environment in which it records."""

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
_PYTHON: Final = re.compile(r"python(\d+(\.\d+)?)?t?$")
_VERSIONED: Final = re.compile(r"python(\d+)\.(\d+)")
_OLDEST: Final = (3, 11)
_TAKES_VALUE: Final = frozenset("WX")
_ENDS_OPTIONS: Final = frozenset("cm")


class TargetError(Exception):
    """The program can't be started; the text is for the user.

    Attributes:
        code: what a shell would exit with.
    """

    def __init__(self, text: str, code: int) -> None:
        super().__init__(text)
        self.code = code


def check(command: Sequence[str]) -> str:
    """The path of the program to start.

    Raises:
        TargetError: it is not there, or may not be executed.
    """
    name = command[0]
    path = shutil.which(name)
    if path is not None:
        return path
    hint = f"; did you mean: msgtrace run -- python {name}" if name.endswith(".py") and Path(name).is_file() else ""
    if os.sep in name and Path(name).is_dir():
        raise TargetError(f"{name} is a folder", 126)
    if os.sep in name and Path(name).exists():
        raise TargetError(f"{name} is not executable{hint}", 126)
    raise TargetError(f"program not found: {name}{hint}", 127)


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
    """Why the program's interpreter won't be recorded although it can be run; '' if nothing speaks against it.

    Told from names, options and folders: nothing of the program is run to find out.
    """
    words = list(command[1:])
    if not _PYTHON.match(Path(program).name):
        words = _shebang(Path(program))
        if not words:
            return ""
        program, words = words[0], words[1:]
    option, letters = _letters(words)
    if "S" in letters:
        return f"`{option}` keeps Python from loading what msgtrace starts with; the program runs unrecorded"
    version = _version_of(program)
    if _installed(program, version, ("msgtrace.pth",)):
        return ""
    install = f"Install it there: {program} -m pip install msgtrace"
    if letters & {"I", "E"}:
        return (
            f"`{option}` makes Python ignore PYTHONPATH, and msgtrace is not installed for {program}; "
            f"the program runs unrecorded. {install}"
        )
    if version and version < _OLDEST:
        return f"{program} is Python {version[0]}.{version[1]}; msgtrace records 3.11 and later; the program runs unrecorded"
    if version and version != sys.version_info[:2] and not _installed(program, version, ("msgtrace", "_msgtrace.pth")):
        return (
            f"{program} is Python {version[0]}.{version[1]} and has no msgtrace, which runs as Python "
            f"{sys.version_info[0]}.{sys.version_info[1]} here; the program runs unrecorded. {install}"
        )
    return ""


def _letters(words: list[str]) -> tuple[str, set[str]]:
    """An interpreter's one-letter options, and the word that has the first of those that concern us."""
    found: set[str] = set()
    concerns = ""
    skip = False
    for word in words:
        if skip:
            skip = False
            continue
        if not word.startswith("-") or word == "-" or word.startswith("--"):
            break
        for position, letter in enumerate(word[1:], 1):
            if letter in _ENDS_OPTIONS:
                return concerns, found
            if letter in _TAKES_VALUE:
                skip = position == len(word) - 1
                break
            found.add(letter)
            if letter in "SIE" and not concerns:
                concerns = word
    return concerns, found


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
        words = [w for w in words[1:] if w != "-S" and "=" not in w]
        words[:1] = [shutil.which(w) or w for w in words[:1]]
    return words if words and _PYTHON.match(Path(words[0]).name) else []


def _version_of(program: str) -> tuple[int, int] | None:
    """An interpreter's version, by the name of the file that it comes down to: python -> python3 -> python3.12."""
    match = _VERSIONED.match(Path(program).resolve().name)
    return (int(match[1]), int(match[2])) if match else None


def _installed(program: str, version: tuple[int, int] | None, names: tuple[str, ...]) -> bool:
    """Whether one of some files or folders lies in the site-packages of an interpreter."""
    prefixes = {path.parent.parent for path in (Path(program).absolute(), Path(program).resolve())}
    prefixes |= {Path("/usr/local")} if Path("/usr") in prefixes else set()
    numbered = f"{version[0]}.{version[1]}" if version else "3.*"
    patterns = (
        f"lib*/python{numbered}/site-packages",
        f"lib*/python{numbered}/dist-packages",
        "lib/python3/dist-packages",
    )
    folders = [folder for prefix in prefixes for pattern in patterns for folder in prefix.glob(pattern)]
    folders += (Path.home() / ".local").glob(patterns[0])
    return any((folder / name).exists() for folder in folders for name in names)


def recording_processes(spool: Path) -> list[int]:
    """Processes that have a segment of this spool in their memory, forked ones that have recorded nothing too."""
    found = []
    wanted = b"/" + os.fsencode(spool.name) + b"/"  # the rest of the path may be another in a container
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if (
                wanted in (folder / "maps").read_bytes()
                and (folder / "stat").read_bytes().rpartition(b")")[2][1:2] != b"Z"
            ):
                found.append(int(folder.name))
        except OSError:
            continue  # ended meanwhile, or somebody else's
    return found
