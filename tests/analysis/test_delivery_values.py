"""What a card tells of delivery: of its channels only, and what went wrong in words."""

from __future__ import annotations

from msgtrace_analysis.findings import Duplicates, Evidence, Guarantees, Missing
from msgtrace_analysis.renderers.delivery_values import in_words, of_channels
from msgtrace_analysis.renderers.values import value

PROOF = Evidence(2, (7, 8), 1, 2, "exact")


def test_of_one_channel() -> None:
    again = Duplicates("rabbitmq", "work", "queue", "", ("a",), 1, 2, 0, 0, 2, 2, "repeated", 1, 1, PROOF)
    gaps = tuple(
        Missing("unsettled", "rabbitmq", name, "queue", "", ("a",), 1, "why", PROOF) for name in ("work", "other")
    )
    found = of_channels(Guarantees(duplicates=(again,), missing=gaps), {"work"})
    assert dict(in_words(found)) == {
        "duplicates": "on work: 1 messages delivered again; effects repeated",
        "missing": "on work: 1 unsettled (exact): why",
    }
    values = value(found)
    assert [each["channel"] for each in values["missing"]] == ["work"]
    assert values["duplicates"][0]["effects"] == "repeated"
    assert dict(in_words(of_channels(found, {"other"}))) == {}
