"""OpenTelemetry's own instrumentations of clients beside our hooks, whichever came first: neither disturbs the other, ids agree."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from integration.recorded import read
from integration.traced import PROGRAMS, clean_environment
from msgtrace.commands.target import environment
from msgtrace.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from integration.recorded import Recording

PROGRAM = PROGRAMS / "opentelemetry" / "instrumented.py"
ORDERS = ("loaded", "ours first", "theirs first")
COUNT = 5


def played(library: str, url: str, name: str, order: str, *, traced: bool = True) -> tuple[dict[str, Any], Recording]:
    """Run the program; what it says, and what was recorded."""
    spool = Path(tempfile.mkdtemp(prefix="msgtrace-test-", dir="/dev/shm"))
    env = clean_environment() | {f"OTEL_{each}_EXPORTER": "none" for each in ("TRACES", "METRICS", "LOGS")}
    if traced and order == "theirs first":
        env |= {"MSGTRACE_LATER": str(spool), "MSGTRACE_RAISE": "1"}
    elif traced:
        env |= {k: v for k, v in environment(Settings(), spool).items() if k.startswith(("MSGTRACE_", "PYTHONPATH"))}
    command = [sys.executable, str(PROGRAM), library, url, name, order]
    if order == "loaded":
        command.insert(0, str(Path(sys.executable).parent / "opentelemetry-instrument"))
    try:
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout), read(spool)
    finally:
        shutil.rmtree(spool)


def looks(said: dict[str, Any]) -> Counter[tuple[str, str, str | None]]:
    """The spans without what is random in them: name, kind, and the name of the parent."""
    names = {each["span_id"]: each["name"] for each in said["spans"]}
    return Counter((each["name"], each["kind"], names.get(each["parent"])) for each in said["spans"])


def stand_beside(library: str, url: str, unique: Callable[[str], str]) -> None:
    """Hold every order against the program without us."""
    name = unique("otel")
    plain, nothing = played(library, url, name, "ours first", traced=False)
    assert nothing.operations == []
    assert len(plain["came"]) == COUNT
    assert sum(each["kind"] != "INTERNAL" for each in plain["spans"]) >= COUNT, "theirs made no spans"
    for order in ORDERS:
        name_here = unique("otel")
        said, recording = played(library, url, name_here, order)
        told = json.loads(json.dumps(said).replace(name_here, name))
        assert looks(told) == looks(plain), order
        assert [body for body, _ in said["came"]] == [body for body, _ in plain["came"]], order
        assert recording.losses == [], order
        sends = recording.of("send")
        assert [int(each["body"]) for each in sends] == list(range(COUNT)), order
        spans = {each["span_id"]: each for each in said["spans"]}
        for send in sends:
            assert spans[send["span_id"]]["trace_id"] == send["trace_id"], order
        receives = recording.of("receive")
        assert [int(each["body"]) for each in receives] == list(range(COUNT)), order
        for (_, borne), send, receive in zip(said["came"], sends, receives, strict=True):
            if borne is not None:
                _, trace_id, span_id, _ = borne.split("-")
                assert (send["trace_id"], send["span_id"]) == (trace_id, span_id), order
                carried = dict(receive["headers"])["traceparent"]
                assert (carried.decode() if isinstance(carried, bytes) else carried) == borne, order


@pytest.mark.rabbitmq
def test_aio_pika(rabbitmq: Any, unique: Callable[[str], str]) -> None:
    stand_beside("aio_pika", rabbitmq.url, unique)


@pytest.mark.kafka
def test_kafka(kafka: Any, unique: Callable[[str], str]) -> None:
    stand_beside("kafka", kafka.bootstrap, unique)


@pytest.mark.redis
def test_redis(redis_server: Any, unique: Callable[[str], str]) -> None:
    stand_beside("redis", redis_server.url, unique)
