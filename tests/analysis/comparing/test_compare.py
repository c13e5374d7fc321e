"""Two runs are compared: nothing differs from itself, and which one stands first changes the side and nothing else."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from msgtrace_analysis.comparing.compare import compare
from msgtrace_analysis.comparing.seen import mirrored
from msgtrace_analysis.findings.differences import ASPECTS, Compatibility, Delta
from tests.analysis.comparing.runs import event, run, runs

if TYPE_CHECKING:
    from msgtrace_analysis.comparing.run import Run

KEEPS: list[Compatibility] = ["forward", "backward", "full", "none"]


WORDS = [
    ("required field added", "required field removed"),
    ("optional field added", "optional field removed"),
    ("field made optional", "field made required"),
    ("integer became number", "number became integer"),
]
OTHER = dict(WORDS) | {after: before for before, after in WORDS}


def from_the_other_side(what: str) -> str:
    if what in OTHER:
        return OTHER[what]
    before, became, after = what.partition(" became ")
    if became:
        return f"{after} became {before}"
    if what.startswith("may be ") and what.endswith(" too"):
        return f"is {what.removeprefix('may be ').removesuffix(' too')} no more"
    if what.startswith("is ") and what.endswith(" no more"):
        return f"may be {what.removeprefix('is ').removesuffix(' no more')} too"
    return what


def sides(deltas: tuple[Delta, ...]) -> set[Delta]:
    return {replace(each, breaking="") for each in deltas}


@settings(max_examples=60)
@given(runs(), st.sampled_from(KEEPS))
def test_a_run_is_as_itself(one: Run, keeps: Compatibility) -> None:
    found = compare(one, one, keeps)
    assert found.deltas == ()
    assert len(found.compared) >= len(one.event_catalog)


@settings(max_examples=100)
@given(runs(), runs())
def test_the_other_way_round(one: Run, other: Run) -> None:
    there, back = compare(one, other), compare(other, one)
    turned = tuple(replace(mirrored(each), what=from_the_other_side(each.what)) for each in there.deltas)
    assert sides(turned) == sides(back.deltas)
    assert len(there.deltas) == len(back.deltas)


@settings(max_examples=60)
@given(runs(), runs(), st.sampled_from(KEEPS))
def test_what_chance_may_show_breaks_nothing(one: Run, other: Run, keeps: Compatibility) -> None:
    found = compare(one, other, keeps)
    for each in found.deltas:
        if each.breaking:
            assert each.certainty != "guess"
            assert each.how in {"vanished", "changed", "appeared"}
            assert each.aspect not in {"latency", "rate", "publisher", "flow"}
        assert each.certainty == "guess" or each.chance is None or each.chance <= 0.01
    order = [(ASPECTS.index(each.aspect), each.subject) for each in found.deltas]
    assert order == sorted(order)


@settings(max_examples=40)
@given(runs(), runs())
def test_keeping_less_breaks_less(one: Run, other: Run) -> None:
    broken = {keeps: {each for each in compare(one, other, keeps).deltas if each.breaking} for keeps in KEEPS}
    assert broken["none"] <= broken["forward"] & broken["backward"]
    assert broken["forward"] | broken["backward"] == broken["full"]


def test_notes() -> None:
    head = run(event())
    head = replace(head, trace=replace(head.trace, still_recording=True, links_incomplete="the disk is full"))
    found = compare(run(event()), head)
    assert found.base.note == ""
    assert found.head.note == "it is still being recorded; links may be incomplete: the disk is full"
