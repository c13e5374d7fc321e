"""`msgtrace export jsonschema`: files that are valid, accept what they were made of, and have harmless names."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING
from urllib.parse import unquote

import pytest
from click.testing import CliRunner
from jsonschema import Draft202012Validator

from msgtrace.command_line import cli
from msgtrace_analysis.renderers.file_names import INDEX, OURS
from tests.analysis.hostile import hostile_trace
from tests.analysis.test_schemas import bodies

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result

    from tests.analysis.made_trace import MadeTrace


def export(db: Path, out: Path, *arguments: str) -> Result:
    return CliRunner().invoke(cli, ["export", "jsonschema", "--db", str(db), "--out", str(out), *arguments])


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture
def db(made: MadeTrace) -> Path:
    for body in bodies():
        made.send(channel="orders", channel_kind="topic", event_type="order.placed", body=body)
    made.send(channel="mails", channel_kind="topic", event_type="mail.sent", body={"to": None})
    made.send(channel="audit", channel_kind="topic", event_type="mail.sent", body={"to": None})
    made.send(channel="empty", channel_kind="topic", event_type="nothing.read")
    made.write()
    return made.path


def test_a_file_for_each_type_and_version(db: Path, tmp_path: Path) -> None:
    out = tmp_path / "new" / "schemas"
    done = export(db, out)
    assert done.exit_code == 0, done.output
    assert done.stdout == f"{out / INDEX}\n"
    index = json.loads((out / INDEX).read_text())
    named = {entry["event"]: entry for entry in index["schemas"]}
    placed = named["rabbitmq/topic/orders/order.placed"]
    assert placed["file"] == "order.placed.json"
    assert [(each["version"], each["file"], each["compatibility"]) for each in placed["versions"]] == [
        ("1", "order.placed~1.json", None),
        ("2", "order.placed~2.json", "forward"),
    ]
    twice = {each["file"] for each in index["schemas"] if each["name"] == "mail.sent"}
    assert len(twice) == 2
    assert all(re.fullmatch(r"mail\.sent-[0-9a-f]{12}\.json", each) for each in twice)
    assert named["rabbitmq/topic/empty/nothing.read"]["file"] is None
    assert set(contents(out)) == {INDEX, "order.placed.json", "order.placed~1.json", "order.placed~2.json", *twice}
    for path in out.glob("*.json"):
        if path.name != INDEX:
            Draft202012Validator.check_schema(json.loads(path.read_text()))
    whole, first, second = (
        Draft202012Validator(json.loads((out / f"order.placed{each}.json").read_text())) for each in ("", "~1", "~2")
    )
    assert all(whole.is_valid(body) for body in bodies())
    assert all(first.is_valid(body) for body in bodies()[:40])
    assert all(second.is_valid(body) for body in bodies()[40:])
    assert not second.is_valid(bodies()[0])


def test_the_same_trace_gives_the_same_bytes_and_what_is_no_more_goes(db: Path, tmp_path: Path) -> None:
    assert export(db, tmp_path / "one").exit_code == 0
    assert export(db, tmp_path / "two").exit_code == 0
    assert contents(tmp_path / "one") == contents(tmp_path / "two")
    (tmp_path / "two" / "mine.json").write_text("{}")
    assert export(db, tmp_path / "two", "--event", "order.placed").exit_code == 0
    assert set(contents(tmp_path / "two")) == {
        INDEX, "mine.json", "order.placed.json", "order.placed~1.json", "order.placed~2.json",
    }  # fmt: skip


def test_nothing_is_written_over_that_is_not_ours(db: Path, tmp_path: Path) -> None:
    (tmp_path / "order.placed.json").write_text("mine")
    done = export(db, tmp_path)
    assert done.exit_code == 1
    assert "was not written by msgtrace" in done.stderr
    assert contents(tmp_path)["order.placed.json"] == b"mine"
    assert INDEX not in contents(tmp_path)
    assert export(db, tmp_path, "--force").exit_code == 0


def test_hostile_names_make_harmless_files(made: MadeTrace, tmp_path: Path) -> None:
    hostile_trace(made)
    made.write()
    out = tmp_path / "out"
    done = export(made.path, out)
    assert done.exit_code == 0, done.output
    assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == ["out"]
    index = json.loads((out / INDEX).read_text())
    files = [each["file"] for entry in index["schemas"] for each in (entry, *entry["versions"]) if each["file"]]
    assert len(files) == len({each.lower() for each in files})
    assert sorted([*files, INDEX]) == sorted(contents(out))
    for name in files:
        assert OURS.fullmatch(name)
        Draft202012Validator.check_schema(json.loads((out / name).read_text()))


def test_an_identity_has_no_personal_data_though_it_is_quoted(made: MadeTrace, tmp_path: Path) -> None:
    for person in ("ada@people.example", "eve@people.example", "+491701234567", "DE89370400440532013000"):
        made.send(channel="mails", channel_kind="topic", event_type=person, body={"to": None})
    made.write()
    out = tmp_path / "out"
    assert export(made.path, out).exit_code == 0
    written = [unquote(content.decode()) for content in contents(out).values()]
    assert [text for text in written for part in ("people.example", "4917012", "DE8937") if part in text] == []
    identities = [each["$id"] for each in map(json.loads, contents(out).values()) if "$id" in each]
    assert len(identities) == len(set(identities)) == 4
