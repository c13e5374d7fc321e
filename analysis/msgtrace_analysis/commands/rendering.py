"""Renders the documents that `msgtrace report` writes; what takes longest in a process beside, where event types are many."""

from __future__ import annotations

import multiprocessing
import os
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import click

from msgtrace_analysis.renderers.documents import render

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from msgtrace_analysis.findings import Findings

BESIDE: Final = ("EVENT_FLOWS.json", "asyncapi.yaml", "asyncapi/")
"""Half of the work, with what it takes to hand the findings over."""
MANY: Final = 150
"""Event types from which another process is worth its start."""


@dataclass(frozen=True, slots=True)
class Written:
    """A document as it is to be written.

    Attributes:
        files: text by path under the folder that is written to.
        seconds: that rendering took.
    """

    name: str
    files: dict[str, str]
    seconds: float

    @property
    def folder(self) -> bool:
        """Whether it is one of several files."""
        return self.name.endswith("/")


def rendered(
    names: Sequence[str], findings: Findings, only: Sequence[str], step: Callable[[str], None]
) -> list[Written]:
    """Documents in the order of their names.

    Raises:
        click.ClickException: a file was asked for that is not in its folder.
    """
    beside = [name for name in names if name in BESIDE]
    if len(findings.events) < MANY or len(beside) in {0, len(names)} or (os.cpu_count() or 1) == 1:
        return [_told(name, findings, only, step) for name in names]
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        coming = pool.submit(_all, beside, findings, only)
        here = [_told(name, findings, only, step) for name in names if name not in beside]
        step(f"writing {beside[0]}")
        done = {each.name: each for each in (*here, *coming.result())}
    return [done[name] for name in names]


def _told(name: str, findings: Findings, only: Sequence[str], step: Callable[[str], None]) -> Written:
    step(f"writing {name}")
    return _rendered(name, findings, only)


def _all(names: Sequence[str], findings: Findings, only: Sequence[str]) -> list[Written]:
    return [_rendered(name, findings, only) for name in names]


def _rendered(name: str, findings: Findings, only: Sequence[str]) -> Written:
    began = time.perf_counter()
    files = render(name, findings)
    if only and not names_of(name) & set(only):
        single = {each for each in only if each.startswith(name)}
        if missing := sorted(single - files.keys()):
            raise click.ClickException(f"there is no {missing[0]} of this trace; there are: {', '.join(files)}")
        files = {path: content for path, content in files.items() if path in single}
    return Written(name, files, time.perf_counter() - began)


def names_of(name: str) -> set[str]:
    """How a document, or a folder as a whole, may be named."""
    return {name, name.rstrip("/")}
