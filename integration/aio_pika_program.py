"""Runs the programs in programs/aio_pika, and brings their accounts and what was recorded to one form.

With the installed aio_pika, and with each interpreter that MSGTRACE_TEST_PYTHON_OLD names (separated as in PATH):
environments that have an older one.
"""

import base64
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from integration.recorded import Operation, Recording, record
from msgtrace.settings import Settings

PROGRAMS = Path(__file__).parent / "programs" / "aio_pika"
SETTLEMENTS = {"ack", "nack", "requeue", "reject"}
OLDER = [path for path in os.environ.get("MSGTRACE_TEST_PYTHON_OLD", "").split(os.pathsep) if path]
NO_OLDER = pytest.mark.skip(reason="MSGTRACE_TEST_PYTHON_OLD names no interpreter with an older aio_pika")
PYTHONS = [
    pytest.param(sys.executable, id="installed"),
    *(pytest.param(path, id=f"older-{number}") for number, path in enumerate(OLDER, 1)),
    *([] if OLDER else [pytest.param("", id="older", marks=NO_OLDER)]),
]
"""Parameters of a fixture or test that names an interpreter."""

Run = Callable[..., Recording]


def runner(python: str, rabbitmq_url: str, unique: Callable[[str], str]) -> Run:
    """What runs a program with a prefix of its own for every name, and checks that nothing was lost."""

    def run(
        program: str, *arguments: str, url: str = "", prefix: str = "", traced: bool = True, **settings: Any
    ) -> Recording:
        ended = record(
            [str(PROGRAMS / f"{program}.py"), url or rabbitmq_url, prefix or unique(program), *arguments],
            python=python,
            settings=Settings(**settings),
            traced=traced,
        )
        assert ended.exit_code == 0, ended.stderr
        assert ended.losses == []
        return ended

    return run


def encoded(value: Any) -> Any:
    """A recorded value as the programs' accounts have it."""
    match value:
        case bytes():
            return "base64:" + base64.b64encode(value).decode()
        case dict():
            return {name: encoded(each) for name, each in value.items()}
        case list():
            return [encoded(each) for each in value]
    return value


def told(operation: Operation) -> dict[str, Any]:
    """A recorded receive in the words of an account; aio_pika fills in a priority and a mode where there is none."""
    message = operation.message
    expiration, sent_at = message.get("expiration"), message.get("producer_time_ms")
    return {
        "did": "receive",
        "queue": message["channel"],
        "exchange": message["settings"]["exchange"],
        "routing_key": message["routing_key"],
        "body": encoded(message["body"]),
        "expiration": None if expiration is None else int(expiration) / 1000,
        "priority": message.get("priority", 0),
        "delivery_mode": message.get("delivery_mode", 1),
        "timestamp": None if sent_at is None else sent_at // 1000,
        "type": message.get("event_type"),
        "content_encoding": message.get("encoding"),
        "app_id": message["settings"].get("app_id"),
        "user_id": message["settings"].get("user_id"),
        "headers": encoded(dict(message.get("headers", ()))),
        **{
            name: message.get(name)
            for name in (
                "message_id",
                "correlation_id",
                "reply_to",
                "content_type",
                "redelivered",
                "delivery_tag",
                "consumer_tag",
            )
        },
    }


def said(ended: Recording, *what: str) -> list[dict[str, Any]]:
    """What the program says that it did, of these kinds."""
    return [each for each in ended.said if each["did"] in what]


def settled(ended: Recording) -> list[tuple[str, int]]:
    """The recorded settlements that were not refused: what, of which tag."""
    return [(each.outcome, each["delivery_tag"]) for each in ended.of("settle") if each.outcome in SETTLEMENTS]


def bodies(operations: list[Operation]) -> list[bytes]:
    return [each["body"] for each in operations]


def by_sequence(ended: Recording) -> dict[int, Operation]:
    return {each.sequence: each for each in ended.operations}


def following(ended: Recording) -> dict[str, list[str]]:
    """Of the recorded sends `SOMETHING after NAME`: NAME -> bodies of their causes."""
    operations = by_sequence(ended)
    found: dict[str, list[str]] = {}
    for each in ended.of("send"):
        _, after, name = each["body"].decode().rpartition("after ")
        if after:
            for cause in each.causes or (0,):
                receive = operations.get(operations[cause]["receipt"] or cause) if cause else None
                found.setdefault(name, []).append(receive["body"].decode() if receive else "nothing")
    return found
