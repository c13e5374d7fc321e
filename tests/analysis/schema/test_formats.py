"""Formats: claimed where every value has them, never of what only looks like it."""

from __future__ import annotations

import random
from typing import Any

import pytest

from bench.truth.values import FORMATS, LOOKALIKES, OPEN
from msgtrace_analysis.passes.schema.judgement import format_of
from msgtrace_analysis.passes.schema.shapes import Shape

TIMES = 40


def format_of_all(values: list[Any]) -> str:
    shape = Shape()
    shape.add(values, range(len(values)))
    return format_of(shape)


MADE = [(name, place) for name, makers in FORMATS.items() for place in range(len(makers))]


@pytest.mark.parametrize(("name", "place"), MADE, ids=str)
@pytest.mark.parametrize("seed", range(3))
def test_every_format_is_told(name: str, place: int, seed: int) -> None:
    rng = random.Random(seed)
    assert format_of_all([FORMATS[name][place](rng) for _ in range(TIMES)]) == name


@pytest.mark.parametrize("name", [*LOOKALIKES, *OPEN])
@pytest.mark.parametrize("seed", range(3))
def test_what_looks_like_it_has_none(name: str, seed: int) -> None:
    rng = random.Random(seed)
    make = LOOKALIKES.get(name) or OPEN[name]
    assert format_of_all([make(rng) for _ in range(TIMES)]) == ""


@pytest.mark.parametrize(("name", "place"), MADE, ids=str)
def test_one_value_without_it_is_enough(name: str, place: int) -> None:
    rng = random.Random(1)
    odd: Any = "none of these!" if isinstance(FORMATS[name][place](rng), str) else 3
    assert format_of_all([*(FORMATS[name][place](rng) for _ in range(TIMES)), odd]) == ""


@pytest.mark.parametrize(
    "values",
    [
        ["DE"], ["1.50", "2.25"], ["2026-02-30"] * 5, ["2026-13-01T00:00:00Z"] * 5, ["2026-01-01T25:00:00Z"] * 5,
        ["deadbeef" * 4, "abcdabcd" * 4], ["http://"] * 5, ["a@b"] * 5, ["::"] + [":"] * 3, [""] * 5, [1, 2, 3, 4, 5],
        ["x" * 10_000] * 3, ["\u0660\u0661-01"] * 5,
    ],
)  # fmt: skip
def test_what_is_too_little_or_not_it(values: list[Any]) -> None:
    assert format_of_all(values) == ""
