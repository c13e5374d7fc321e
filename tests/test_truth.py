"""bench/truth: the generated systems are the same each time and are what they say; a schema is read as what it claims."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import pytest

from bench.truth import schemas, values
from bench.truth.answers import answers
from bench.truth.claims import Claims
from bench.truth.generate import system
from bench.truth.json_schema import claims
from bench.truth.play import play
from bench.truth.recording import record
from bench.truth.scoring import Scores
from bench.truth.structure import Shown, sample
from msgtrace_collectors.trace import open_trace

if TYPE_CHECKING:
    from pathlib import Path

SEEDS = (0, 1, 2)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_seed_makes_the_same_story_each_time(seed: int) -> None:
    one, other = play(system(seed, 10)), play(system(seed, 10))

    assert one.story == other.story
    assert [(each.at_ns, each.kind, each.fields) for each in one.operations] == [
        (each.at_ns, each.kind, each.fields) for each in other.operations
    ]


@pytest.mark.parametrize("seed", SEEDS)
def test_what_is_recorded_is_what_was_played(seed: int, tmp_path: Path) -> None:
    played = play(system(seed, 10))

    record(played.operations, tmp_path / "trace.duckdb")

    with open_trace(tmp_path / "trace.duckdb") as trace:
        counts = trace.query(
            "select count(*) filter (kind = 'send') as sends, (select count(*) from losses) as losses, "
            "count(*) filter (kind = 'receive' or (system = 'pyee' and kind = 'process')) as receives from operations"
        ).to_pylist()
        wrong = trace.query(
            "select count(*) as n from links as l join operations as s on s.operation_id = send_id "
            "join operations as r on r.operation_id = receive_id where s.kind <> 'send' or s.system <> r.system"
        ).to_pylist()
    sends = sum(bool(each.publisher[0]) for each in played.story)
    receives = sum(len(each.takers) for each in played.story) + len(played.returned)
    assert counts == [{"sends": sends, "losses": 0, "receives": receives}]
    assert wrong == [{"n": 0}]


def test_claiming_what_is_true_scores_one_and_nothing_else_does() -> None:
    made = system(3, 20)
    true = answers(made, play(made), 20)
    perfect, scores = Claims(), Scores()
    for category, items in true.true.items():
        for item in items:
            perfect.claim(category, item, "exact")

    scores.add(3, true, perfect)

    assert scores.by_category["fields"].right > 20
    assert scores.mistakes == []
    assert {score.f1 for score in scores.by_category.values()} <= {1.0, None}

    asked = next(name for name in made.events if name not in true.few | true.versioned)
    perfect.claim("fields", (asked, "no such field"), "exact")
    scores.add(3, true, perfect)
    assert scores.by_category["fields"].exact_wrong == 1
    assert (scores.by_category["fields"].precision or 1) < 1


@pytest.mark.parametrize("name", values.FORMATS)
def test_formats_differ_from_one_value_to_the_next(name: str) -> None:
    for make in values.FORMATS[name]:
        rng = Random(1)
        assert len({make(rng) for _ in range(200)}) > 10


def test_a_specification_shows_only_what_it_specifies() -> None:
    rng = Random(5)
    for _ in range(50):
        record_of, shown = schemas.record(rng), Shown()
        bodies = [sample(record_of, rng, "", shown) for _ in range(30)]
        for part in record_of.parts:
            there = sum(part.name in body for body in bodies)
            assert shown.present[part.name] == there
            assert there == 30 or part.presence < 1
        assert {name for body in bodies for name in body} <= {part.name for part in record_of.parts}


def test_a_schema_is_read_however_it_is_written() -> None:
    found = claims({
        "type": "object",
        "required": ["id", "pay"],
        "properties": {
            "id": {"type": "string", "format": "uuid"},
            "state": {"anyOf": [{"enum": ["on", "off"]}, {"type": "null"}]},
            "pay": {
                "oneOf": [
                    {"type": "object", "properties": {"kind": {"const": "card"}, "n": {"type": "integer"}}, "required": ["kind", "n"]},
                    {"type": "object", "properties": {"kind": {"const": "cash"}}, "required": ["kind"]},
                ]
            },
            "prices": {"type": "object", "additionalProperties": {"type": "number"}},
            "place": {"type": "array", "prefixItems": [{"type": "number"}, {"type": "string"}]},
            "tree": {"$ref": "#/$defs/tree"},
        },
        "$defs": {
            "tree": {
                "type": "object",
                "properties": {"below": {"type": "array", "items": {"$ref": "#/$defs/tree"}}, "n": {"type": ["integer", "null"]}},
                "required": ["n"],
            }
        },
    })  # fmt: skip

    assert found["id"].required
    assert found["id"].format == "uuid"
    assert found["state"].enum == ("off", "on")
    assert found["state"].types == {"string", "null"}
    assert found["pay"].variants == {"kind": {"card": ("kind", "n"), "cash": ("kind",)}}
    assert found["pay.kind"].required
    assert not found["pay.n"].required
    assert found["prices"].is_map
    assert found["prices.*"].types == {"number"}
    assert found["place[1]"].types == {"string"}
    assert found["tree.n"].required
    assert found["tree.n"].types == {"integer", "null"}
    assert found["tree.below[]"].types == {"object"}
