"""`msgtrace export pydantic`: models that accept every message that they were made of, and code that is nothing but models."""

from __future__ import annotations

import importlib
import json
import sys
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from integration.golden import KEPT
from integration.kept_trace import restored
from msgtrace.command_line import cli
from msgtrace_analysis.passes import prepare
from msgtrace_analysis.passes.events import ref
from msgtrace_analysis.renderers.model_schemas import UnsafeError, accepting, checked
from msgtrace_analysis.study import Study
from msgtrace_collectors.trace import open_trace
from tests.analysis.hostile import hostile_trace
from tests.analysis.test_schemas import bodies

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result

    from tests.analysis.made_trace import MadeTrace

TREE = {"name": "a", "children": [{"name": "b", "children": []}]}


def export(db: Path, out: Path, *arguments: str) -> Result:
    return CliRunner().invoke(cli, ["export", "pydantic", "--db", str(db), "--out", str(out), *arguments])


def imported(folder: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The models of a package, by the ids of event types."""
    monkeypatch.syspath_prepend(str(folder.parent))
    importlib.invalidate_caches()
    found: dict[str, Any] = importlib.import_module(folder.name).MODELS
    for name in [each for each in sys.modules if each.partition(".")[0] == folder.name]:
        del sys.modules[name]
    return found


def recorded(db: Path) -> list[tuple[str, Any]]:
    """Every body that could be read, with its event type's id."""
    with open_trace(db) as trace, Study(trace) as study:
        prepare(study)
        types = {
            row[0]: ref(*row[1:])
            for row in study.rows("select operation_id, system, address_kind, address, name from messages")
        }
        return [(types[each], json.loads(text)) for each, text in study.some_bodies(list(types))]


def test_models_accept_every_message_that_was_recorded(
    made: MadeTrace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for body in bodies():
        made.send(channel="orders", channel_kind="topic", event_type="order.placed", body=body)
    odd: list[Any] = [
        {"class": 1, "a-b": None},
        [1, "x"],
        "text",
        TREE,
        {"at": "2026-03-01T10:00:00.123456789+02:00"},
        7,
        None,
    ]
    for body in odd * 3:
        made.send(
            channel="odd", channel_kind="topic", event_type=f"of {type(body).__name__} {len(str(body))}", body=body
        )
    for number in range(30):
        made.send(channel="shapes", channel_kind="topic", event_type="shape", body=(
            {"type": "circle", "radius": number} if number % 2 else {"type": "box", "sides": [1.5, number]}
        ))  # fmt: skip
    hostile_trace(made)
    made.write()
    done = export(made.path, tmp_path / "seen_models")
    assert done.exit_code == 0, done.output
    assert "no model of" not in done.stderr
    models = imported(tmp_path / "seen_models", monkeypatch)
    messages = recorded(made.path)
    assert {name for name, _ in messages} == set(models)
    for name, body in messages:
        model = models[name]
        model.model_validate(body)
    with pytest.raises(ValueError, match="validation error"):
        models["rabbitmq/topic/shapes/shape"].model_validate({"type": "cone"})


def test_the_same_trace_gives_the_same_models_and_others_files_stay(made: MadeTrace, tmp_path: Path) -> None:
    made.send(channel="orders", channel_kind="topic", event_type="order.placed", body={"id": 1})
    made.write()
    out = tmp_path / "models"
    assert export(made.path, out).exit_code == 0
    first = {path.name: path.read_bytes() for path in out.iterdir()}
    assert set(first) == {"__init__.py", "index.json", "order_placed.py"}
    assert export(made.path, out).exit_code == 0
    assert {path.name: path.read_bytes() for path in out.iterdir()} == first
    (out / "order_placed.py").write_text("mine = 1\n")
    assert "was not written by msgtrace" in export(made.path, out).stderr
    assert (out / "order_placed.py").read_text() == "mine = 1\n"


@pytest.mark.parametrize(
    "code",
    [
        "import os", "from os import system", "print(1)", "class A(BaseModel):\n    a: int = print(1)", "x = 1",
        "class A(BaseModel, metaclass=B): pass", "class A(print(1)): pass", "@b\nclass A: pass", "class A:\n    def f(self): pass",
        "class A(BaseModel):\n    a: int = Field(default_factory=lambda: 1)", "class A(BaseModel):\n    a: os.x", "def (",
        "A.model_rebuild(print())", "class A:\n    model_config = f()",
    ],
)  # fmt: skip
def test_code_that_is_more_than_models_is_refused(code: str) -> None:
    with pytest.raises(UnsafeError):
        checked(code)


def test_only_known_keywords_and_no_persons_reach_the_generator() -> None:
    schema = {
        "type": "object", "x-python-import": {"module": "os", "name": "system"}, "default": "x", "title": "print(1)",
        "properties": {
            "default": {"type": "string", "format": "email"}, "ada@example.org": {"type": "string"},
            "to": {"enum": ["ada@example.org", "b"], "type": "string"}, "node": {"$ref": "#/$defs/a~1b"},
        },
        "required": ["default", "ada@example.org"],
        "$defs": {"a/b": {"type": "object", "customTypePath": "os.system"}},
    }  # fmt: skip
    assert accepting(schema) == {
        "type": "object", "required": ["default"],
        "properties": {"default": {"type": "string"}, "to": {"type": "string"}, "node": {"$ref": "#/$defs/Part1"}},
        "$defs": {"Part1": {"type": "object"}},
    }  # fmt: skip


def test_models_of_the_shop_accept_each_of_its_messages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    db = restored(KEPT, tmp_path / "trace.duckdb")
    written = export(db, tmp_path / "shop_models")
    assert written.exit_code == 0, written.output
    models = imported(tmp_path / "shop_models", monkeypatch)
    messages = recorded(db)
    assert len(messages) > 1_000
    assert {each for each, _ in messages} == set(models)
    for event, body in messages:
        model = models[event].model_validate(body)
        assert model.model_dump(mode="json", by_alias=True, exclude_unset=True).keys() == body.keys()
