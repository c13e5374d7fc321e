"""Secrets and personal data planted everywhere: looked for, as bytes and value by value, in all that is written and printed."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from integration.every_output import written
from integration.traced import PROGRAMS, clean_environment, run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from integration.brokers import Kafka, Rabbitmq, Redis


PLACES = (
    "argument", "exception", "url", "field", "element", "json key", "header", "msgpack", "pickle", "plain text", "message id",
    "correlation id", "routing key", "channel", "published", "stream field", "element of a list", "exception of a handler",
    "docstring", "handler argument", "function name", "path", "name:password", "name:nested", "name:header", "name:msgpack", "name:stream", "name:handler",
    "connection name", "binding key", "exchange", "queue", "consumer tag", "reply to", "app id", "type", "client name",
    "stream name", "stream group", "stream field name", "stream consumer", "list name", "kafka client id", "kafka group",
    "kafka key", "field of a key", "kafka header name", "kafka header", "kafka value", "name:kafka", "name:kafka key",
    "name:password of a client",
)  # fmt: skip
IN_A_NAME = frozenset({"message id", "correlation id", "routing key", "channel", "json key"})


def jwt(number: int) -> str:
    return f"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4{number:06d}.c2lnbmF0dXJl{number:06d}"


def iban(number: int) -> str:
    bank = f"37040044{number:010d}"
    check = 98 - int(f"{bank}131400") % 97
    return f"DE{check:02d}{bank}"


def secrets() -> dict[str, str]:
    """A secret for each place: by its look, or by nothing but the name that it stands under."""
    looks: list[Callable[[int], str]] = [jwt, lambda number: f"AKIA{number:016d}", jwt]
    # A token that may be the name of a function.
    return {"function name": looks[1](9_999)} | {
        place: f"hunter-{number:04d}-x" if place.startswith("name:") or place == "url" else looks[number % 3](number)
        for number, place in enumerate(PLACES)
        if place != "function name"
    }


def persons() -> dict[str, str]:
    """An address, a telephone number or an IBAN for each place."""
    made: list[Callable[[int], str]] = [
        lambda number: f"ada.{number:04d}@people.example",
        lambda number: f"+49170{number:07d}",
        iban,
    ]
    return {
        place: made[0](number) if place in {"url", "channel"} else made[number % 3](number)
        for number, place in enumerate(PLACES)
    }


def recorded(
    plants: dict[str, str],
    folder: Path,
    rabbitmq: Rabbitmq,
    redis_server: Redis,
    kafka: Kafka,
    prefix: str,
    redact: str = "",
) -> Path:
    """Record the program; the trace file, alone in a folder of its own."""
    secret = folder / "plants.json"
    secret.write_text(json.dumps(plants))
    work = folder / "work"
    work.mkdir()
    command = [
        sys.executable,
        str(PROGRAMS / "security" / "planted.py"),
        str(secret),
        rabbitmq.url,
        redis_server.url,
        kafka.bootstrap,
        prefix,
    ]
    ended = run(command, work, env={"MSGTRACE_REDACT": redact} if redact else None, options=())
    assert ended.code == 0, ended.stderr[-2_000:]
    (work / "said.txt").write_text("\n".join(ended.said))
    return ended.trace


def stored(trace: Path) -> Iterator[tuple[str, str]]:
    """Everything in the trace file, whatever the file compresses: (table and row, text)."""
    with duckdb.connect(str(trace), read_only=True) as connection:
        tables = connection.execute("select schema_name, table_name from duckdb_tables()").fetchall()
        for schema, table in tables:
            for row in connection.execute(f'select * from "{schema}"."{table}"').fetchall():
                yield f"{schema}.{table}", str(row)


def printed(trace: Path, out: Path) -> None:
    """Every document and what every command prints, in files."""
    with duckdb.connect(str(trace), read_only=True) as connection:
        found = connection.execute("select min(operation_id) from operations where kind = 'send'").fetchone()
    assert found is not None
    assert written(trace, trace, str(found[0]), out) > 80


def reported(trace: Path, out: Path) -> None:
    """Every document. Enough where nothing is in the trace file that could be printed: what is there is looked at first."""
    line = [sys.executable, "-m", "msgtrace", "report", "--db", str(trace), "--out", str(out)]
    subprocess.run(line, check=True, capture_output=True, env=clean_environment())


def leaks(plants: dict[str, str], folder: Path) -> list[tuple[str, str]]:
    """Plants whose bytes are in any file below a folder: (place, file)."""
    return [
        (place, path.name)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
        for data in [path.read_bytes()]
        for place, value in plants.items()
        if value.encode() in data
    ]


def in_store(plants: dict[str, str], trace: Path) -> list[tuple[str, str]]:
    """Plants that any row of the trace file holds: (place, table)."""
    return sorted({(place, table) for table, text in stored(trace) for place, value in plants.items() if value in text})


def exposed(trace: Path) -> list[dict[str, Any]]:
    """What `msgtrace security --of data` says."""
    line = [sys.executable, "-m", "msgtrace", "security", "--of", "data", "--format", "json", "--db", str(trace)]
    done = subprocess.run(line, check=True, capture_output=True, env=clean_environment())
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


@pytest.mark.rabbitmq
@pytest.mark.redis
@pytest.mark.kafka
def test_no_secret_is_written(
    rabbitmq: Rabbitmq, redis_server: Redis, kafka: Kafka, unique: Callable[[str], str], tmp_path: Path
) -> None:
    plants = secrets()
    trace = recorded(plants, tmp_path, rabbitmq, redis_server, kafka, unique("secrets"))
    reported(trace, trace.parent / "out")
    assert in_store(plants, trace) == []
    assert leaks(plants, trace.parent) == []


@pytest.mark.rabbitmq
@pytest.mark.redis
@pytest.mark.kafka
def test_no_personal_data_is_printed(
    rabbitmq: Rabbitmq, redis_server: Redis, kafka: Kafka, unique: Callable[[str], str], tmp_path: Path
) -> None:
    plants = persons()
    trace = recorded(plants, tmp_path, rabbitmq, redis_server, kafka, unique("persons"))
    out = trace.parent / "out"
    printed(trace, out)
    assert {place for place, _ in in_store(plants, trace)} >= {"field", "header", "routing key", "handler argument"}
    assert leaks(plants, out) == []
    assert leaks(plants, trace.parent / "said.txt") == []
    found = exposed(trace)
    told = {(each["where"], each["field"], each["kind"]) for each in found}
    kinds = {place: ("email", "phone", "iban")[number % 3] for number, place in enumerate(PLACES)}
    assert ("body", "/payload/field", kinds["field"]) in told
    assert ("body", "/payload/list/*", kinds["element"]) in told
    assert ("header", "x-plain", kinds["header"]) in told
    assert ("routing key", None, kinds["routing key"]) in told
    assert ("body", "/field", kinds["msgpack"]) in told
    assert ("channel", None, "email") in told
    assert ("error", None, kinds["exception"]) in told


@pytest.mark.rabbitmq
@pytest.mark.redis
@pytest.mark.kafka
def test_no_personal_data_is_written_when_that_is_asked_for(
    rabbitmq: Rabbitmq, redis_server: Redis, kafka: Kafka, unique: Callable[[str], str], tmp_path: Path
) -> None:
    plants = persons()
    trace = recorded(plants, tmp_path, rabbitmq, redis_server, kafka, unique("personal"), "personal")
    reported(trace, trace.parent / "out")
    assert in_store(plants, trace) == []
    assert leaks(plants, trace.parent) == []
