"""Findings become JSON by a few rules, and nothing of them is lost on the way."""

from __future__ import annotations

import dataclasses

from msgtrace_analysis import findings as found
from msgtrace_analysis.findings import (
    Access,
    Backlog,
    Call,
    Completeness,
    Criterion,
    Evidence,
    Latency,
    Place,
    Style,
)
from msgtrace_analysis.renderers.values import SHAPES, value

PROOF = Evidence(1_200, (7, 8), 1_700_000_000_002_000_000, None, "likely")
CODE = Place("code", "web", "place_order", "")


def test_evidence_and_places() -> None:
    assert value(PROOF) == {
        "operations": 1_200, "examples": [7, 8], "first_seen": "2023-11-14T22:13:20.002000Z", "last_seen": None,
        "certainty": "likely",
    }  # fmt: skip
    assert value(CODE) == {"kind": "code", "service": "web", "name": "place_order", "site": None}


def test_counts_are_objects_however_few() -> None:
    none = Completeness((), (("exact", 2),), 1, 2, 3, 4, (), ())
    assert (value(none)["links"], value(none)["causes"], value(none)["without_end"]) == ({}, {"exact": 2}, 2)
    call = Call(CODE, None, "GET", "a:1", "/x", (("TimeoutError", 1),), ((200, 3),), Latency(3, 1.0, 2.0, 3.0), PROOF)
    assert value(call)["statuses"] == {"200": 3}
    assert value(call)["failures"] == {"TimeoutError": 1}
    assert value(call)["to_response"]["responses"] == 3
    assert "duration" not in value(call)


def test_sentences_hold_their_names_and_numbers() -> None:
    style = Style("orchestration", "web", "{0} sends to {1}", ("{0}", "b}"), "likely")
    assert value(style)["reason"] == "{0} sends to b}"
    assert "names" not in value(style)
    check = Criterion("dlq", 3, "fail", 0.0, "{0}: {n} messages", ("orders",), "", "exact", PROOF)
    assert value(check) | {"evidence": None} == {
        "check": "dlq", "weight": 3, "state": "fail", "share": 0.0, "reason": "orders: 1,200 messages", "remedy": None,
        "certainty": "exact", "evidence": None,
    }  # fmt: skip


def test_times_and_what_stands_for_nothing() -> None:
    waits = Backlog("e", "n", "kafka", "orders", "", ("a",), 2, 1, None, None, 1, 0, 1, behind=True, points=((0, 5),))
    written = value(waits)
    assert (written["group"], written["largest_at"], written["falls_behind"]) == (
        None,
        "1970-01-01T00:00:00.000000Z",
        True,
    )
    assert written["points"] == [["1970-01-01T00:00:00.000000Z", 5]]
    access = Access("rabbitmq", "orders", "queue", (("web", ""),), (), None, (), (), PROOF)
    assert value(access)["publishers"] == [{"service": "web", "principal": None}]
    assert (value(access)["may_publish"], value(access)["may_consume"]) == (None, [])


def test_every_shape_is_of_fields_that_there_are() -> None:
    for kind, shape in SHAPES.items():
        assert {*shape.names, *shape.without, *shape.unsaid} <= {each.name for each in dataclasses.fields(kind)}, kind
        assert getattr(found, kind.__name__) is kind
