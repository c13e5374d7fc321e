"""Bodies in every format, through the collector and into the trace file: what SQL sees, what is counted, what never lands."""

from __future__ import annotations

import gzip
import io
import json
import pickle
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import cbor2
import cramjam
import fastavro
import msgspec
import pytest

from msgtrace import records
from msgtrace.redaction import Redactor
from msgtrace_collectors.collector import Collector, Stop
from msgtrace_collectors.schema_source import schema_source
from tests.collectors.conftest import CollectorProcess, collected, rows
from tests.collectors.made_segments import MadeProcess, introduced, observed

if TYPE_CHECKING:
    from pathlib import Path

ORDER = {"order": 7, "note": "für dich", "items": [1.5, None, True]}
SECRET = "hunter2-correct-horse"
USER: Any = {"type": "record", "name": "User", "fields": [{"name": "user", "type": "string"}]}


def container(*values: Any) -> bytes:
    made = io.BytesIO()
    fastavro.writer(made, USER, values)
    return made.getvalue()


def send(process: MadeProcess, *messages: dict[str, Any]) -> None:
    introduced(process)
    for sequence, message in enumerate(messages, 1):
        process.write(observed(sequence, sequence * 1000, channel="orders", **message))


def test_what_sql_sees(tmp_path: Path, spool: Path) -> None:
    bodies: list[tuple[str, dict[str, Any], Any]] = [
        ("json", {"body": json.dumps(ORDER).encode()}, ORDER),
        ("msgpack", {"body": msgspec.msgpack.encode(ORDER), "content_type": "application/msgpack"}, ORDER),
        ("gzip+cbor", {"body": gzip.compress(cbor2.dumps(ORDER)), "headers": [["Content-Encoding", b"gzip"]]}, ORDER),
        ("zstd+json", {"body": bytes(cramjam.zstd.compress(json.dumps(ORDER).encode())), "encoding": "zstd"}, ORDER),
        ("pickle", {"body": pickle.dumps(ORDER)}, ORDER),
        ("avro", {"body": container({"user": "ada"})}, [{"user": "ada"}]),
        ("form", {"body": b"a=1&b=2", "content_type": "application/x-www-form-urlencoded"}, {"a": "1", "b": "2"}),
        ("text", {"body": b"hello"}, None),
        ("binary", {"body": b"\0\1\2"}, None),
        ("text", {"body": "Grüße".encode("utf-16"), "content_type": "text/plain"}, "Grüße"),
        ("celery+json", {"body": b"[[1],{},{}]", "headers": [["task", "pay"], ["id", "1"]]},
         {"task": "pay", "id": "1", "args": [1], "kwargs": {}, "embed": {}}),
    ]  # fmt: skip
    send(MadeProcess(spool), *(message for _, message, _ in bodies))
    db = tmp_path / "trace.duckdb"
    collected(db, spool)
    found = rows(db, "select encoding, body, body_json, redacted, body_remarks from operations order by operation_id")
    for row, (encoding, message, document) in zip(found, bodies, strict=True):
        assert (row["encoding"], row["body"], row["redacted"]) == (encoding, message["body"], 0)
        assert (None if row["body_json"] is None else json.loads(row["body_json"])) == document
        assert (row["body_remarks"] is None) == (encoding != "pickle")
    assert rows(
        db, "select json_extract_string(body_json, '$.note') as note from operations where encoding = 'msgpack'"
    ) == [{"note": "für dich"}]


def test_schemas_are_stored_once(tmp_path: Path, spool: Path) -> None:
    db = tmp_path / "trace.duckdb"
    for _ in range(2):
        send(MadeProcess(spool), *({"body": container({"user": str(n)})} for n in range(5)))
        collected(db, spool)
    schemas = rows(db, "from body_schemas")
    assert [(s["kind"], s["name"], s["source"]) for s in schemas] == [("avro", "User", "body")]
    assert json.loads(schemas[0]["text"])["fields"] == USER["fields"]
    counted = rows(db, "select name, count(*) as n from operations join body_schemas using (body_schema) group by all")
    assert counted == [{"name": "User", "n": 10}]


def test_what_is_odd_is_counted(tmp_path: Path, spool: Path) -> None:
    send(
        MadeProcess(spool),
        {"body": msgspec.msgpack.encode(ORDER), "content_type": "application/json"},
        {"body": pickle.dumps({"a": 1})},
        {"body": pickle.dumps({"a": 2})},
        {"body": gzip.compress(bytes(50 << 20))},
        {"body": b'{"cut":', "body_size": 100, "content_type": "application/json"},
    )
    db = tmp_path / "trace.duckdb"
    collected(db, spool)
    found = {(row["reason"], row["detail"]): row["lost"] for row in rows(db, "from losses where reason <> 'truncated'")}
    assert found == {
        ("mislabelled", "said to be json, is msgpack"): 1,
        ("hazard", "a pickled body: whoever can send one runs code in its receiver"): 2,
        ("undecoded", "gzip: would become larger than a compressed body may"): 1,
    }
    (bomb,) = rows(db, "select body, body_json, body_size, body_remarks from operations where encoding = 'gzip'")
    assert (bomb["body"], bomb["body_json"]) == (None, None)
    assert bomb["body_size"] > 10_000
    assert bomb["body_remarks"] == "undecoded: gzip: would become larger than a compressed body may"


def test_no_secret_reaches_the_disk(tmp_path: Path, spool: Path) -> None:
    secret = {"user": "ada", "password": SECRET}
    plain = [json.dumps(secret).encode(), msgspec.msgpack.encode(secret), cbor2.dumps(secret), pickle.dumps(secret)]
    bodies = [
        *plain,
        *map(gzip.compress, plain),
        *(bytes(cramjam.snappy.compress(b)) for b in plain),
        gzip.compress(SECRET.encode() + b" password=" + SECRET.encode()),
    ]
    send(MadeProcess(spool), *({"body": body} for body in bodies[:-1]))
    db = tmp_path / "trace.duckdb"
    collected(db, spool)
    stored = rows(db, "select body, body_json, redacted from operations")
    assert len(stored) == len(bodies) - 1
    assert all(row["redacted"] and json.loads(row["body_json"])["password"] == "[redacted:password]" for row in stored)
    assert [row["body"] for row in stored if row["body"] is not None] == [
        b'{"user": "ada", "password": "[redacted:password]"}'
    ]
    for path in (db, db.with_name(db.name + ".wal")):
        if path.exists():
            content = path.read_bytes()
            assert SECRET.encode() not in content
            assert all(body not in content for body in bodies[1:])


def test_schemas_of_an_interned_channel(tmp_path: Path, spool: Path) -> None:
    (tmp_path / "schemas").mkdir()
    (tmp_path / "schemas" / "users.avsc").write_text(json.dumps(USER))
    process = MadeProcess(spool, alive=True)
    introduced(process)
    process.record(records.DEFINE, records.TEXTS, 9, "users")
    process.write(observed(1, 1000, channel=9, body=b"\x06ada"))
    db = tmp_path / "trace.duckdb"
    source = schema_source({"MSGTRACE_SCHEMAS": str(tmp_path / "schemas")})
    for body in (None, b"\x06bob"):
        if body is not None:  # by another collector, which knows the channel from the file
            process.write(observed(2, 2000, channel=9, body=body))
        collector = Collector(db, spool, Redactor(), print, source)
        collector.run(Stop(requested=True), until_idle_s=lambda: 0.0, every=lambda: None)
        collector.close()
    assert [row["body_json"] for row in rows(db, "select body_json from operations order by 1")] == [
        '{"user":"ada"}',
        '{"user":"bob"}',
    ]


@pytest.mark.parametrize("variables", [{"MSGTRACE_SCHEMAS": "/nowhere"}, {"MSGTRACE_SCHEMA_REGISTRY": "no-address"}])
def test_schemas_that_can_not_be_used_are_said(collector: CollectorProcess, variables: dict[str, str]) -> None:
    collector.environment = variables
    with pytest.raises(RuntimeError, match="msgtrace: "):
        collector.start()


def test_without_the_libraries(tmp_path: Path, spool: Path) -> None:
    send(
        MadeProcess(spool),
        {"body": json.dumps(ORDER).encode()},
        {"body": cbor2.dumps(ORDER), "content_type": "application/cbor"},
    )
    db = tmp_path / "trace.duckdb"
    program = (
        "import sys\n"
        "sys.modules.update(dict.fromkeys(['cbor2', 'cramjam', 'fastavro', 'google.protobuf']))\n"
        "from msgtrace_collectors.collect import main\n"
        "sys.exit(main(sys.argv[1:]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, "--db", db, "--spool", spool, "--stop-when-idle", "0"], check=False, timeout=60
    )
    assert done.returncode == 0
    assert rows(db, "select encoding, body_json is not null as read from operations order by operation_id") == [
        {"encoding": "json", "read": True}, {"encoding": "cbor", "read": False}
    ]  # fmt: skip
    (loss,) = rows(db, "from losses")
    assert loss["detail"] == "cbor: the library cbor2 is missing: pip install 'msgtrace[tools]'"
