"""Formats that values could have by chance are claimed with what backs them: a name, or the time of the recording."""

from __future__ import annotations

from typing import Any

import pytest

from msgtrace_analysis.passes.schema.backing import claimed_format
from msgtrace_analysis.passes.schema.shapes import Shape

NOW_S = 1_760_000_000
SPAN = (NOW_S * 10**9, (NOW_S + 3_600) * 10**9)
DAY = 86_400


def claim(name: str, values: list[Any], span: tuple[int, int] | None = SPAN) -> tuple[str, str | None]:
    shape = Shape()
    shape.add(values, range(len(values)))
    return claimed_format(shape, name, span)


@pytest.mark.parametrize(
    ("name", "values", "claimed"),
    [
        # Far from the recording only a name says that a number is a time.
        ("id", [1_200_000_000 + n for n in range(9)], ("", None)),
        ("expiresAt", [1_900_000_000 + n for n in range(9)], ("epoch-seconds", "likely")),
        ("number", [NOW_S + n for n in range(9)], ("epoch-seconds", "likely")),
        ("number", [(NOW_S + n) * 1000 for n in range(9)], ("epoch-millis", "likely")),
        ("number", [NOW_S + n * 30 * DAY for n in range(9)], ("epoch-seconds", "guess")),
        ("shipping_country", ["DE", "FR", "CA", "DE"], ("country", "likely")),
        ("code", ["DE", "FR", "CA", "DE"], ("country", "guess")),
        ("billingState", ["DE", "CA", "GA", "AL"], ("", None)),
        ("currency", ["EUR", "USD", "GBP"], ("currency", "likely")),
        ("unit", ["EUR", "USD", "GBP"], ("currency", "guess")),
        ("unit_price", ["1.50", "2.25", "3.10"], ("decimal", "likely")),
        ("level", ["1.50", "2.25", "3.10"], ("decimal", "guess")),
        ("appVersion", ["1.5", "2.2", "3.1"], ("", None)),
        # What has a form of its own needs nothing more.
        ("x", [f"00000000-0000-4000-8000-00000000000{n}" for n in range(5)], ("uuid", "likely")),
        ("x", ["a", "b"], ("", None)),
    ],
)  # fmt: skip
def test_what_backs_a_format(name: str, values: list[Any], claimed: tuple[str, str | None]) -> None:
    assert claim(name, values) == claimed


def test_without_a_recording_there_is_no_closeness() -> None:
    assert claim("number", [NOW_S + n for n in range(9)], None) == ("", None)
