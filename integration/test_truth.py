"""Generated systems, played by real programs on real brokers: the analysis finds what is so, and what it finds in made rows."""

from __future__ import annotations

import json
import sys
import uuid
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from bench.truth.answers import BODIES, answers
from bench.truth.claims import claimed
from bench.truth.generate import system
from bench.truth.play import play
from bench.truth.recording import record
from bench.truth.script import script
from integration.traced import PROGRAMS, run
from msgtrace_analysis.passes import examine
from msgtrace_analysis.study import Study
from msgtrace_collectors.trace import open_trace

if TYPE_CHECKING:
    from pathlib import Path

    from bench.truth.answers import Answers, Item
    from bench.truth.claims import Claims
    from integration.brokers import Kafka, Rabbitmq, Redis

SAMPLES = 10
FUNCTIONS = {"publishers": (2,), "subscribers": (2,), "starts": (2,), "follows": (2,), "reaches": (2, 5)}
"""Where an item names a function: the programs' own are others than the script's."""


def at_services(category: str, item: Item) -> Item:
    """An item without names of functions."""
    places = FUNCTIONS.get(item[0] if category == "flow edges" else category, ())
    return tuple(part for place, part in enumerate(item) if place not in places)


def claims_about(trace_path: Path, true: Answers) -> Claims:
    with open_trace(trace_path) as trace, Study(trace) as study:
        return claimed(examine(study), true)


@pytest.mark.rabbitmq
@pytest.mark.kafka
@pytest.mark.redis
@pytest.mark.parametrize("seed", [7, *(pytest.param(seed, marks=pytest.mark.soak) for seed in (1, 5, 11, 12))])
def test_real_programs_are_found_to_be_what_they_are(
    seed: int, rabbitmq: Rabbitmq, kafka: Kafka, redis_server: Redis, tmp_path: Path
) -> None:
    prefix = "t" + "".join(chr(ord("a") + digit % 26) for digit in uuid.uuid4().bytes[:8]) + "."
    made = system(seed, SAMPLES, prefix=prefix, real=True)
    played = play(made)
    true = answers(made, played, SAMPLES)
    path = tmp_path / "script.json"
    path.write_text(json.dumps(script(made, played)))

    ended = run(
        [
            sys.executable,
            str(PROGRAMS / "truth" / "driver.py"),
            str(path),
            rabbitmq.url,
            kafka.url.removeprefix("kafka://"),
            redis_server.url,
        ],
        tmp_path,
    )

    assert ended.code == 0, ended.stderr
    sent = Counter(number for did in ended.account.values() for number in did["sent"])
    taken = Counter(number for did in ended.account.values() for number in did["taken"])
    assert sent == Counter(each.number for each in played.story)
    assert taken == Counter(each.number for each in played.story for _ in each.takers)
    assert ended.rows("select reason, lost from losses where reason <> 'cause'") == []

    found = claims_about(ended.trace, true)
    for category in ("event types", "publishers", "subscribers", "flow edges"):
        assert of_services(category, found.made[category]) == of_services(category, true.true[category])

    record(played.operations, tmp_path / "made.duckdb")
    as_made = claims_about(tmp_path / "made.duckdb", true)
    for category in BODIES:
        assert found.made[category].keys() == as_made.made[category].keys()


def of_services(category: str, items: Any) -> set[Item]:
    return {at_services(category, item) for item in items}
