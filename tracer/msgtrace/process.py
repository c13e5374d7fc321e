"""What a trace says of a process: read once, from the interpreter's own command line."""

from __future__ import annotations

import os
import sys
from typing import Any

from msgtrace import __version__

_LAUNCHERS = {"gunicorn", "uvicorn", "hypercorn", "daphne", "celery", "flask", "dramatiq", "rq"}
_TAKES_VALUE = {"-W", "-X", "--check-hash-based-pycs"}


def facts(service: str, sample: float = 1.0) -> dict[str, Any]:
    """The PROCESS record's facts.

    Args:
        service: the configured name, '' to make one from the command line.
        sample: which part of the conversations is recorded.
    """
    tested_by = os.environ.get("MSGTRACE_TESTED_BY")  # see `start.Tracer.mark`
    return {
        **({"tested_by": tested_by} if tested_by else {}),
        **({"sample": sample} if sample < 1 else {}),
        "pid": os.getpid(),
        "parent_pid": os.getppid(),
        "service": service or service_of(sys.orig_argv),
        "host": os.uname().nodename,
        "python": sys.version.split()[0],
        "executable": sys.executable or "",
        "argv": list(sys.orig_argv),
        "folder": _folder(),
        "msgtrace": __version__,
    }


def _folder() -> str:
    try:
        return os.getcwd()  # noqa: PTH109 - one call, at start
    except OSError:
        return ""


def service_of(argv: list[str]) -> str:
    """A service's name out of how its interpreter was started: its module, script or application.

    >>> service_of(["python", "-m", "shop.notifier", "--port", "1"])
    'shop.notifier'
    >>> service_of(["/usr/bin/python3", "-X", "dev", "apps/worker.py"])
    'worker'
    >>> service_of(["python", "/usr/bin/uvicorn", "shop.web:app", "--workers", "2"])
    'shop.web'
    """
    program, arguments = _program(argv)
    if program in _LAUNCHERS:
        return _application(arguments) or program
    return program


def _program(argv: list[str]) -> tuple[str, list[str]]:
    """The module or script that an interpreter runs, and its arguments."""
    position = 1
    while position < len(argv):
        word = argv[position]
        if word.startswith("-m"):
            name, rest = (
                (word[2:], position + 1) if len(word) > 2 else (argv[position + 1 : position + 2], position + 2)
            )
            module = name if isinstance(name, str) else "".join(name)
            return module.removesuffix(".__main__") or "python", argv[rest:]
        if word.startswith("-c"):
            return "python -c", []
        if not word.startswith("-") or word == "-":
            stem = os.path.basename(os.path.normpath(word))  # noqa: PTH119 - as above
            if stem == "__main__.py":
                stem = os.path.basename(os.path.dirname(os.path.abspath(word)))  # noqa: PTH119, PTH120, PTH100
            return stem.removesuffix(".py") or "python", argv[position + 1 :]
        position += 2 if word in _TAKES_VALUE else 1
    return "python", []


def _application(arguments: list[str]) -> str:
    for flag in ("-A", "--app"):
        if flag in arguments[:-1]:
            return arguments[arguments.index(flag) + 1].partition(":")[0]
    for word in arguments:
        if ":" in word and not word.startswith("-") and "/" not in word:
            return word.partition(":")[0]
    return ""
