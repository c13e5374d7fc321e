"""Runs the programs in programs/redis under the recorder, and brings account and record to the same form."""

import base64
import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest

from integration.recorded import Operation, Recording, record
from msgtrace.hooks.redis_entries import ENCODING, items
from msgtrace.settings import Settings

PROGRAMS: Final = Path(__file__).parent / "programs" / "redis"
BODY_LIMIT: Final = Settings().body_limit
OLDER: Final = [path for path in os.environ.get("MSGTRACE_TEST_PYTHON_REDIS", "").split(os.pathsep) if path]
_NONE_OLDER = pytest.mark.skip(reason="MSGTRACE_TEST_PYTHON_REDIS names no interpreter with an older redis")

EVERY_VERSION: Final = pytest.mark.parametrize(
    "python",
    [
        pytest.param(sys.executable, id="installed"),
        *(pytest.param(path, id=f"older-{number}") for number, path in enumerate(OLDER, 1)),
        *([] if OLDER else [pytest.param("", id="older", marks=_NONE_OLDER)]),
    ],
)
"""The installed redis, and each that an interpreter of MSGTRACE_TEST_PYTHON_REDIS has, separated as in PATH."""


@cache
def version(python: str) -> tuple[int, ...]:
    """The version of an interpreter's redis."""
    done = subprocess.run(
        [python, "-c", "import redis; print(redis.__version__)"], capture_output=True, text=True, check=True
    )
    return tuple(int(part) for part in done.stdout.split(".")[:2])


def run(python: str, program: str, *arguments: str, **settings: Any) -> Recording:
    """Record a program, and hold its output and exit code against those that it has when it is not recorded."""
    command = [str(PROGRAMS / f"{program}.py"), *arguments]
    recording = record(command, python=python, settings=Settings(**settings))
    assert (recording.exit_code, recording.stderr) == (0, "")
    assert recording.losses == []
    return recording


def told(account: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What a program said of its operations."""
    return [_counted({"outcome": "ok", **each}) for each in account if each["did"] != "caught"]


def _counted(said: dict[str, Any]) -> dict[str, Any]:
    """As much of a body as is kept, and its size."""
    if "body" in said:
        body = base64.b64decode(said["body"])
        said = {**said, "body": base64.b64encode(body[:BODY_LIMIT]).decode()}
        if len(body) > BODY_LIMIT:
            said["size"] = len(body)
    return said


def recorded(recording: Recording) -> list[dict[str, Any]]:
    """What was recorded, in the programs' form."""
    return [shown(each) for each in recording.operations]


def shown(operation: Operation) -> dict[str, Any]:
    """One operation in the programs' form."""
    message = operation.message
    said: dict[str, Any] = {
        "did": operation.kind,
        "channel": message["channel"],
        "channel_kind": message.get("channel_kind"),
        "id": message.get("identity"),
        "group": message.get("consumer_group"),
        "member": message.get("group_member"),
        "redelivered": message.get("redelivered"),
        "attempt": message.get("attempt"),
        "size": message.get("body_size"),
        "batch": True if "batch_id" in message else None,
        "trace_id": message.get("trace_id"),
        "span_id": message.get("span_id"),
        "handler": message["handler"]["name"] if "handler" in message else None,
        "error": operation.error_type,
        "outcome": operation.outcome,
        **message.get("settings", {}),
    }
    body = message.get("body")
    if body is not None and message.get("encoding") == ENCODING:
        said["entry"] = [[base64.b64encode(each).decode() for each in pair] for pair in items(body)]
    elif body is not None:
        said["body"] = base64.b64encode(body).decode()
    return {name: value for name, value in said.items() if value is not None}
