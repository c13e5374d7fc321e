"""`msgtrace doctor`: which hooks fit what is installed here, and whether this machine can record at all."""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import shutil
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from msgtrace.hooks import FILES
from msgtrace.spool import writable_folder
from msgtrace.versions import distribution_version, satisfies

if TYPE_CHECKING:
    from msgtrace.hook import Hook

MINIMUM_FREE_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the doctor's: what was looked at, how it is (ok, warning, error, absent), and what to do."""

    subject: str
    state: str
    detail: str


@click.command()
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def doctor(form: str) -> None:
    """Check what can be recorded here: the machine, the tools, and every hook against the installed libraries."""
    findings = [_spool(), _path(), *_tools(), *(_hook(name) for name in FILES)]
    if form == "json":
        click.echo(json.dumps([asdict(f) for f in findings], indent=2))
    else:
        width = max(len(f.subject) for f in findings)
        for finding in findings:
            mark = {"ok": "ok     ", "warning": "warning", "error": "ERROR  ", "absent": "-      "}[finding.state]
            click.echo(f"{mark}  {finding.subject:<{width}}  {finding.detail}")
    if any(f.state == "error" for f in findings):
        sys.exit(1)


def _spool() -> Finding:
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    folder = writable_folder([Path("/dev/shm"), *([Path(runtime)] if runtime else [])])  # noqa: S108 - memory, and what `run` uses
    if folder is None:
        return Finding("spool", "error", "no memory file system can be written to; mount a tmpfs on /dev/shm")
    free = shutil.disk_usage(folder).free
    if free < MINIMUM_FREE_BYTES:
        return Finding("spool", "warning", f"{folder} has {free >> 20} MiB free; a process uses up to 32 MiB")
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            os.posix_fallocate(file.fileno(), 0, 1 << 20)
    except OSError as error:
        return Finding("spool", "error", f"{folder}: {error.strerror}")
    return Finding("spool", "ok", f"{folder}, {free >> 20} MiB free")


def _path() -> Finding:
    from msgtrace.native import native, reason  # noqa: PLC0415 - only needed here

    if native is None:
        return Finding("recorder", "warning", f"in Python, which costs a program two to three times as much: {reason}")
    return Finding("recorder", "ok", "compiled")


def _tools() -> list[Finding]:
    missing = [name for name in ("duckdb", "pyarrow", "jinja2", "rich") if importlib.util.find_spec(name) is None]
    if missing:
        return [Finding("tools", "error", f"missing {', '.join(missing)}: pip install 'msgtrace[tools]'")]
    return [Finding("tools", "ok", "collector and reports are installed")]


def _hook(name: str) -> Finding:
    from msgtrace.engine import load  # noqa: PLC0415 - after the cheap checks

    hook = load(name)
    if not _is_installed(hook.library):
        return Finding(name, "absent", "not installed here")
    problems = _missing(hook)
    version = distribution_version(hook) or "?"
    if problems:
        return Finding(name, "error", f"{version}: {'; '.join(problems)}")
    if version != "?" and not satisfies(version, hook.versions):
        return Finding(name, "warning", f"{version} is untested (tested: {hook.versions}); every point is there")
    return Finding(name, "ok", f"{version}, {len(hook.points)} points")


def _is_installed(library: str) -> bool:
    # kombu, once imported, stands in sys.modules as an object without a spec, and asking for that is an error.
    return library in sys.modules or importlib.util.find_spec(library) is not None


def _missing(hook: Hook) -> list[str]:
    """The points whose target this version does not have. Imports the library, as the program would."""
    problems = []
    importlib.import_module(hook.library)
    version = distribution_version(hook)
    for point in hook.points:
        if point.versions and version and not satisfies(version, point.versions):
            continue
        module_name, _, path = point.target.partition(":")
        try:
            owner: object = importlib.import_module(module_name)
        except ModuleNotFoundError as error:
            # An optional part of the library, whose own dependency is not installed: the program can't use it either.
            if error.name is not None and error.name.partition(".")[0] != hook.library:
                continue
            problems.append(f"no module {module_name}")
            continue
        except ImportError as error:
            problems.append(f"{module_name}: {error}")
            continue
        for part in path.split("."):
            owner = getattr(owner, part, None)
        if owner is None:
            problems.append(f"no {point.target}")
    return problems
