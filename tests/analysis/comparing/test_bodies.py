"""What is different in bodies, with which verdict, and whom it breaks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from msgtrace_analysis.comparing.bodies import bodies
from tests.analysis.comparing.runs import event, run, versioned

if TYPE_CHECKING:
    from msgtrace_analysis.findings.differences import Compatibility, Delta

OLD = {"id": 1, "total": 12.5, "currency": "EUR"}


def found(before: list[Any], after: list[Any], keeps: Compatibility = "forward") -> list[Delta]:
    return list(bodies(run(event(bodies=before)), run(event(bodies=after)), keeps))


def told(deltas: list[Delta]) -> list[tuple[str, str, str, str | None, bool]]:
    return [(each.part, each.how, each.what, each.verdict, bool(each.breaking)) for each in deltas]


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in OLD.items() if key != name}


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        (without("currency"), ("currency", "vanished", "required field removed", "backward", True)),
        (OLD | {"new": 1}, ("new", "appeared", "required field added", "forward", False)),
        (OLD | {"total": "12.5"}, ("total", "changed", "number became string", "none", True)),
        (OLD | {"id": 1.5}, ("id", "changed", "integer became number", "backward", True)),
    ],
)
def test_changes(after: dict[str, Any], expected: tuple[Any, ...]) -> None:
    assert told(found([OLD] * 20, [after] * 20)) == [expected]


@pytest.mark.parametrize(
    ("keeps", "breaking"), [("forward", False), ("backward", True), ("full", True), ("none", False)]
)
def test_what_must_be_kept_decides(keeps: Compatibility, breaking: bool) -> None:
    (delta,) = found([OLD] * 20, [OLD | {"new": 1}] * 20, keeps)
    assert bool(delta.breaking) == breaking


def test_too_few_to_tell() -> None:
    """A field that 20 of 20 have is not seen in one body: by chance once in 21 times."""
    (delta,) = found([OLD] * 20, [without("currency")])
    assert (delta.how, delta.certainty, delta.breaking) == ("not seen", "guess", "")
    assert delta.chance == pytest.approx(1 / 21, rel=0.01)
    assert (delta.base, delta.head) == ("20 of 20", "0 of 1")


def test_a_rare_field_needs_more() -> None:
    before = [OLD] * 18 + [OLD | {"coupon": "x"}] * 2
    (few,) = found(before, [OLD] * 20)
    (many,) = found(before * 5, [OLD] * 100)
    assert (few.part, few.how, many.how) == ("coupon", "not seen", "vanished")
    assert (many.what, many.verdict, many.breaking) == ("optional field removed", "full", "")


def test_what_was_cut_proves_nothing() -> None:
    after = event(bodies=[without("currency")] * 20)
    assert after.schema_counts is not None
    after.schema_counts["cut"] = 20
    (delta,) = bodies(run(event(bodies=[OLD] * 20)), run(after), "forward")
    assert (delta.how, delta.chance) == ("not seen", 1.0)


def test_nested_and_in_arrays() -> None:
    before, after = {"items": [{"sku": "a", "n": 1}]}, {"items": [{"sku": "a"}]}
    assert told(found([before] * 20, [after] * 20)) == [
        ("items[].n", "vanished", "required field removed", "backward", True)
    ]


def test_a_new_version_is_judged_against_the_last_one() -> None:
    base = versioned("order", **{"1": [without("total")] * 20, "2": [OLD] * 20})
    head = versioned("order", **{"2": [OLD] * 20, "3": [without("currency")] * 20})
    found_here = list(bodies(run(base), run(head), "forward"))
    assert [
        (each.aspect, each.part, each.base, each.head, each.verdict) for each in found_here if each.aspect == "version"
    ] == [
        ("version", "", "2", "3", "backward"),
        ("version", "1", "20 of 40 bodies", "", None),
    ]
    assert [each.part for each in found_here if each.breaking] == ["currency"]


def test_one_version_on_each_side() -> None:
    base, head = versioned("order", **{"1": [OLD] * 20}), versioned("order", **{"2": [OLD | {"new": 1}] * 20})
    assert [(each.aspect, each.part, each.verdict) for each in bodies(run(base), run(head), "forward")] == [
        ("field", "new", "forward"),
        ("version", "", "forward"),
    ]


def test_a_change_within_a_version() -> None:
    base, head = (
        versioned("order", **{"1": [OLD] * 20, "2": some}) for some in ([OLD] * 20, [without("currency")] * 20)
    )
    (delta,) = bodies(run(base), run(head), "forward")
    assert (delta.part, bool(delta.breaking)) == ("currency (version 2)", True)


def test_a_counter_that_is_called_version_is_none() -> None:
    base, head = (event(bodies=[OLD] * 20, version_said=said) for said in (_said("1"), _said("7")))
    assert list(bodies(run(base), run(head), "forward")) == []


def _said(version: str) -> Any:
    from msgtrace_analysis.comparing.run import Said

    return Said("field version", version)
