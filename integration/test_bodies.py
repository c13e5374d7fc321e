"""Real programs send bodies in every format over real brokers: the trace file says their own values."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from integration.traced import PROGRAMS, Ended, run

if TYPE_CHECKING:
    from pathlib import Path

    from integration.brokers import Kafka, Rabbitmq, Redis

Unique = Callable[[str], str]
FOLDER = PROGRAMS / "bodies"
# What the programs write by, as `encodings_of_orders` has it.
USER = {"type": "record", "name": "User", "namespace": "shop", "fields": [
    {"name": "user", "type": "string"}, {"name": "age", "type": ["null", "int"]}, {"name": "tags", "type": {"type": "map", "values": "long"}},
]}  # fmt: skip
# One row per operation with a body, in order.
BODIES = """
    select kind, encoding, body_json, body_remarks, redacted, hex(body) as body
    from operations where body_digest is not null order by kind, operation_id
"""


def recorded(name: str, *arguments: str, folder: Path) -> Ended:
    (folder / "schemas").mkdir()
    (folder / "schemas" / "7.avsc").write_text(json.dumps(USER))
    ended = run(
        [sys.executable, str(FOLDER / f"{name}.py"), *arguments], folder, options=("--quiet", "--schemas", "schemas")
    )
    assert ended.code == 0, ended.stderr
    return ended


def check(ended: Ended, *, kinds: int = 2) -> None:
    rows = ended.rows(BODIES)
    expected = ended.account
    assert len(rows) == kinds * len(expected)
    for row, (encoding, value) in zip(rows, expected * kinds, strict=True):
        assert (row["encoding"], json.loads(row["body_json"]), row["redacted"]) == (encoding, value, 0)
        assert row["body_remarks"] == (
            "hazard: a pickled body: whoever can send one runs code in its receiver" if encoding == "pickle" else None
        )
    used = ended.rows("select kind, name, source from body_schemas order by source")
    assert used == [
        {"kind": "avro", "name": "shop.User", "source": "7.avsc"}, {"kind": "avro", "name": "shop.User", "source": "body"}
    ]  # fmt: skip
    assert {row["reason"] for row in ended.rows("from losses")} == {"hazard"}


@pytest.mark.rabbitmq
def test_rabbitmq(rabbitmq: Rabbitmq, unique: Unique, tmp_path: Path) -> None:
    check(recorded("rabbitmq", rabbitmq.url, unique("bodies"), folder=tmp_path))


@pytest.mark.redis
def test_redis_lists(redis_server: Redis, unique: Unique, tmp_path: Path) -> None:
    check(recorded("redis_lists", redis_server.url, unique("bodies"), folder=tmp_path))


@pytest.mark.kafka
def test_kafka(kafka: Kafka, unique: Unique, tmp_path: Path) -> None:
    check(recorded("kafka_topic", kafka.bootstrap, unique("bodies"), folder=tmp_path))


@pytest.mark.redis
def test_redis_streams(redis_server: Redis, unique: Unique, tmp_path: Path) -> None:
    ended = recorded("redis_streams", redis_server.url, unique("bodies"), folder=tmp_path)
    rows = ended.rows(BODIES)
    assert len(rows) == 2 * len(ended.account)
    for row, (encoding, value) in zip(rows, ended.account * 2, strict=True):
        assert row["encoding"] == f"redis-stream+{encoding}"
        assert json.loads(row["body_json"]) == {"order": "7", "data": value}


@pytest.mark.redis
def test_celery(redis_server: Redis, unique: Unique, tmp_path: Path) -> None:
    secret = "hunter2-correct-horse"
    ended = recorded("celery_queue", redis_server.url, unique("bodies"), folder=tmp_path)
    # What the hook sees of the sender, if anything, is the same message.
    rows: list[dict[str, Any]] = [row for row in ended.rows(BODIES) if row["kind"] == "receive"]
    assert len(rows) == len(ended.account)
    for row, (serializer, compression, number) in zip(rows, ended.account, strict=True):
        wrapped = "deflate+" if compression else ""
        assert row["encoding"] == f"kombu+{wrapped}celery+{serializer}"
        message = json.loads(row["body_json"])
        assert message["headers"]["task"] == "shop.pay"
        body = message["body"]
        assert (body["task"], body["id"], body["args"]) == ("shop.pay", number, [7, serializer])
        assert body["kwargs"] == {"amount": 9.5, "password": "[redacted:password]"}
        assert row["body"] is None
    assert secret.encode() not in ended.trace.read_bytes()
