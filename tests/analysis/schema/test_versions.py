"""Versions: what changed, and what that is for readers of the other one."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from bench.truth import schemas
from bench.truth.structure import Shown, sample
from bench.truth.versions import CHANGES
from msgtrace_analysis.passes.schema.judgement import settle
from msgtrace_analysis.passes.schema.shapes import Shape
from msgtrace_analysis.passes.schema.versions import changes, verdict


def shape_of(values: list[Any]) -> Shape:
    shape = Shape()
    shape.add(values, range(len(values)))
    return settle(shape)


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("seed", range(4))
def test_every_change_is_judged(change: str, seed: int) -> None:
    rng = Random(seed)
    candidates = (schemas.record(rng, 4, least=5) for _ in range(1_000))
    record, (new, expected) = next(
        (each, made) for each in candidates if (made := CHANGES[change](rng, each)) is not None
    )
    before, after = (shape_of([sample(each, rng, "", Shown()) for _ in range(200)]) for each in (record, new))
    assert verdict(changes(before, after)) == expected


def test_samples_of_one_schema_are_no_change() -> None:
    rng = Random(4)
    wrong = 0
    for _ in range(60):
        record = schemas.record(rng, 2)
        before, after = (shape_of([sample(record, rng, "", Shown()) for _ in range(50)]) for _ in range(2))
        wrong += verdict(changes(before, after)) != "full"
    assert wrong <= 6
