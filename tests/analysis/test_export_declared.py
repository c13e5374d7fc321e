"""`msgtrace export avro` and `protobuf`: schemas as they were declared, in files that their own tools read."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import duckdb
import fastavro
from click.testing import CliRunner

from msgtrace.command_line import cli
from msgtrace_analysis.passes.declared_schemas import DeclaredSchema
from msgtrace_analysis.renderers.declared_files import MARKS, files
from msgtrace_analysis.renderers.file_names import INDEX, files_of

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result

    from tests.analysis.made_trace import MadeTrace

USER = '{"type": "record", "name": "User", "fields": [{"name": "name", "type": "string"}]}'
PROTO = 'syntax = "proto3";\nmessage User { string name = 1; }\n'


def export(kind: str, db: Path, out: Path, *arguments: str) -> Result:
    return CliRunner().invoke(cli, ["export", kind, "--db", str(db), "--out", str(out), *arguments])


def declared(kind: str, text: str, version: int | None = 1, subject: str = "users-value") -> DeclaredSchema:
    return DeclaredSchema(kind, "User", 7, subject, version, "http://registry", text, 3, ("topic users",), 1)


def test_what_bodies_were_read_with_is_written_for_its_own_tools(made: MadeTrace, tmp_path: Path) -> None:
    for number in range(3):
        made.send(channel="users", channel_kind="topic", system="kafka", body={"name": f"n{number}"})
    made.write()
    with duckdb.connect(str(made.path)) as connection:
        for kind, text in (("avro", USER), ("protobuf", PROTO)):
            connection.execute(
                "insert into msgtrace_store.body_schemas values ($1, $1, 'User', 7, 'users-value', 2, 'registry', $2)",
                [kind, text],
            )
        connection.execute("update msgtrace_store.bodies set body_schema = 'avro'")
    out = tmp_path / "out"
    done = export("avro", made.path, out)
    assert done.exit_code == 0, done.output
    assert {path.name for path in out.iterdir()} == {"User.v2.avsc", INDEX}
    assert fastavro.parse_schema(json.loads((out / "User.v2.avsc").read_text()))
    (entry,) = json.loads((out / INDEX).read_text())["schemas"]
    assert (entry["name"], entry["version"], entry["messages"], entry["channels"]) == ("User", 2, 3, ["topic users"])
    assert export("avro", made.path, out).exit_code == 0
    nothing = export("protobuf", made.path, out)
    assert nothing.exit_code == 1
    assert "--schema-registry" in nothing.stderr


def test_every_schema_has_a_file_with_a_mark() -> None:
    written = files([declared("avro", USER), declared("avro", USER, 2), declared("avro", USER, 2, "other")], "t")
    assert len(written) == 4
    assert files_of(written[INDEX]) == set(written) - {INDEX}
    assert all(any(mark in content[:1000] for mark in MARKS) for content in written.values())


def test_proto_files_stay_and_descriptors_are_told_apart() -> None:
    (name, text), _ = files([declared("protobuf", PROTO)], "t").items()
    assert name == "User.v1.proto"
    assert text.endswith(PROTO)
    (name, text), _ = files([declared("protobuf", "CgNhLnByb3Rv")], "t").items()
    assert name == "User.v1.descriptor.json"
    assert json.loads(text)["descriptor"] == "CgNhLnByb3Rv"
