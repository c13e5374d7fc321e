"""Finds the processes of a server by name, for `attach --all gunicorn`: those that are called so, and what they started."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

HELPERS: Final = ("multiprocessing.resource_tracker", "multiprocessing.forkserver", "msgtrace_collectors.collect")
"""Processes that work for an interpreter, or for us, and never for the program."""


class Running(Struct, frozen=True):
    """A process.

    Attributes:
        pid: its number.
        parent: its parent's.
        words: its command line; one that sets its own title has that in it.
    """

    pid: int
    parent: int
    words: tuple[str, ...]


def running() -> dict[int, Running]:
    """Every process that can be seen, by pid."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            stat = (folder / "stat").read_bytes()
            words = (folder / "cmdline").read_bytes().rstrip(b"\0").decode("utf-8", "replace").split("\0")
        except OSError:
            continue  # ended meanwhile
        pid = int(folder.name)
        found[pid] = Running(pid, int(stat[stat.rindex(b")") + 2 :].split()[1]), tuple(words))
    return found


def called(name: str, processes: Mapping[int, Running], own: Iterable[int] = ()) -> list[Running]:
    """Processes that are called so, and all that descend from them; by pid.

    Args:
        name: as in `gunicorn`, `python -m celery`, `/usr/bin/uvicorn`, or in a title such as `gunicorn: worker [app]`.
        processes: all there are.
        own: our own process and what it descends from: their command lines have the name in them because they ask for it.
    """
    own = set(own)
    chosen = {pid for pid, each in processes.items() if _is_called(name, each.words) and pid not in own}
    while more := {pid for pid, each in processes.items() if each.parent in chosen} - chosen - own:
        chosen |= more
    return [
        processes[pid] for pid in sorted(chosen) if not any(each in " ".join(processes[pid].words) for each in HELPERS)
    ]


def own_line(processes: Mapping[int, Running]) -> set[int]:
    """This process and those that it descends from."""
    line, pid = set(), os.getpid()
    while pid in processes and pid not in line:
        line.add(pid)
        pid = processes[pid].parent
    return line


def _is_called(name: str, words: tuple[str, ...]) -> bool:
    if not words:
        return False
    title = words[0].split()
    if title and title[0].strip("[]:").rpartition("/")[2] == name:
        return True
    for position, word in enumerate(words[1:], 1):
        if word == "-m":
            return words[position + 1 : position + 2] == (name,)
        if not word.startswith("-"):
            return word.rpartition("/")[2] == name  # the script that an interpreter runs
    return False
