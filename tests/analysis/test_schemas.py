"""`msgtrace schemas`: a row per type or field, and JSON Schema that accepts what it was made of."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner
from jsonschema import Draft202012Validator

from msgtrace.command_line import cli
from tests.analysis.hostile import hostile_trace

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result

    from tests.analysis.made_trace import MadeTrace

STATES = ("new", "paid", "sent")


def schemas(db: Path, *arguments: str) -> Result:
    return CliRunner().invoke(cli, ["schemas", "--db", str(db), *arguments])


def rows(done: Result) -> list[dict[str, str]]:
    assert done.exit_code == 0, done.output
    return list(csv.DictReader(io.StringIO(done.stdout)))


def bodies() -> list[dict[str, Any]]:
    """Of two versions: the second has a field more, always."""
    return [
        {"schema_version": "1", "id": n, "state": STATES[n % 3], "mail": f"user{n}@example.org"}
        | ({"schema_version": "2", "country": "DE" if n % 2 else "FR"} if n >= 40 else {})
        for n in range(80)
    ]


@pytest.fixture
def db(made: MadeTrace) -> Path:
    for body in bodies():
        made.send(service="web", channel="orders", channel_kind="topic", event_type="order.placed", body=body)
    made.send(service="mail", channel="mails", channel_kind="topic", event_type="mail.sent", body={"to": None})
    made.write()
    return made.path


def test_a_row_per_type(db: Path) -> None:
    found = {each["name"]: each for each in rows(schemas(db, "--format", "csv"))}
    assert set(found) == {"order.placed", "mail.sent"}
    placed = found["order.placed"]
    assert (placed["samples"], placed["unread"], placed["fields"], placed["always"]) == ("80", "0", "5", "4")
    assert placed["certainty"] == "likely"
    assert found["mail.sent"]["certainty"] == "guess"
    assert placed["versioned_by"] == "field schema_version"
    # A field that is new and always there: what reads the new ones can't read the old ones, the reverse goes well.
    assert json.loads(placed["versions"]) == ["1", "2 (forward)"]


def test_a_row_per_field(db: Path) -> None:
    found = {each["path"]: each for each in rows(schemas(db, "order.placed", "--format", "csv"))}
    assert set(found) == {"schema_version", "id", "state", "mail", "country"}
    assert found["mail"]["format"] == "email"
    assert "example.org" not in found["mail"]["examples"]
    assert json.loads(found["state"]["closed_set"]) == list(STATES)
    assert (found["id"]["least"], found["id"]["most"], found["id"]["closed_set"]) == ("0", "79", "")
    assert (found["country"]["present"], found["country"]["of"]) == ("40", "80")


def test_json_schema_accepts_what_it_was_made_of(db: Path) -> None:
    done = schemas(db, "order", "--format", "json")
    assert done.exit_code == 0, done.output
    (found,) = json.loads(done.stdout)
    for schema in (found["schema"], *(each["schema"] for each in found["versions"])):
        Draft202012Validator.check_schema(schema)
    whole = Draft202012Validator(found["schema"])
    assert all(whole.is_valid(body) for body in bodies())
    first, second = (Draft202012Validator(each["schema"]) for each in found["versions"])
    assert all(first.is_valid(body) for body in bodies()[:40])
    assert all(second.is_valid(body) for body in bodies()[40:])
    assert not second.is_valid(bodies()[0])
    assert [each["compatibility"] for each in found["versions"]] == [None, "forward"]
    (change,) = found["versions"][1]["changes"]
    assert (change["path"], change["keeps"]) == ("country", "forward")


def test_choosing(db: Path) -> None:
    assert [each["name"] for each in rows(schemas(db, "--service", "mail", "--format", "csv"))] == ["mail.sent"]
    done = schemas(db, "order.plced")
    assert done.exit_code == 1
    assert "order.placed" in done.stderr


def test_hostile_names_and_bodies_stay_in_their_rows(made: MadeTrace) -> None:
    hostile_trace(made)
    made.write()
    for form in ("table", "csv", "json"):
        done = schemas(made.path, "--format", form)
        assert done.exit_code == 0, done.output
        if form == "json":
            for each in json.loads(done.stdout):
                Draft202012Validator.check_schema(each["schema"])
