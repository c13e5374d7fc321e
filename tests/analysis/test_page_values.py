"""What report.html holds: data that can't leave its block, numbered names, schemas as rows; the same from the same."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import zlib
from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st

from msgtrace_analysis.renderers.html import data_block, packed, render
from msgtrace_analysis.renderers.html.page_values import page
from msgtrace_analysis.renderers.html.schema_rows import MOST_ROWS, schema_rows
from msgtrace_analysis.renderers.html.strings import LONGEST, shown
from msgtrace_analysis.renderers.persons import without_persons
from tests.analysis.hostile import NAMES, hostile_trace

if TYPE_CHECKING:
    from collections.abc import Callable

    from msgtrace_analysis.findings import Findings
    from tests.analysis.made_trace import MadeTrace

TEXTS = (
    st.text()
    | st.sampled_from(NAMES)
    | st.sampled_from(("</script", "<!--", "a" * 60 + "\u2028@x.org", "+49 170 1234567"))
)
DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner),
    max_leaves=12,
)


@given(DOCUMENTS)
def test_a_block_of_data_is_itself_and_nothing_else(document: Any) -> None:
    block = data_block(document)
    assert re.fullmatch(r"[ -%(-;=?A-~]*", block)  # printable ASCII without what could end it, or begin an address
    assert without_persons(block) == block or "iban" in without_persons(block)
    assert json.loads(block) == json.loads(json.dumps(shown(document)))
    assert json.loads(without_persons(block)) is not NotImplemented  # what is taken out of it last leaves it whole


def test_numbers_are_those_that_a_browser_has_too() -> None:
    told = json.loads(data_block([2**53 + 1, -(2**60), float("inf"), float("nan"), 0.5, True]))
    assert told == [str(2**53 + 1), str(-(2**60)), None, None, 0.5, True]


@given(TEXTS)
def test_texts_are_short_visible_and_nobodys(text: str) -> None:
    made = shown(text)
    assert len(made) <= LONGEST + len("[phone]")
    assert without_persons(made) == made
    assert not re.search("[\x00-\x1f\x7f\u202a-\u202e\u2066-\u2069]", made)


def test_the_page_is_the_same_and_its_policy_fits_its_program(
    made: MadeTrace, findings: Callable[[], Findings]
) -> None:
    hostile_trace(made)
    found = findings()
    written = render(found)
    assert render(found) == written
    (program,) = re.findall(r"<script>(.*?)</script>", written, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(program.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in written
    assert written.count("</script") == 3
    assert written.replace(program, "").count("<script") == 3
    assert "<!--" not in program
    assert without_persons(program) == program
    assert not re.search(r"@import|url\(\s*['\"]?(?!#|data:)[a-z]+:", written.partition("</style>")[0])


def test_everything_that_is_referred_to_is_there(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    hostile_trace(made)
    document = page(findings())
    services, events, channels = (len(document[name]) for name in ("services", "events", "channels"))
    assert events == len(NAMES)
    for event in document["events"]:
        assert 0 <= event["channel"] < channels
        assert all(0 <= each["service"] < services for each in (*event["publishers"], *event["consumers"]))
    for each in document["traffic"]:
        assert 0 <= each["event"] < events
        assert all(each[end] is None or 0 <= each[end] < services for end in ("source", "target"))
    for execution in document["executions"]:
        assert 0 <= execution["flow"] < len(document["flows"])
        assert all(
            each["follows"] is None or each["follows"] < place for place, each in enumerate(execution["moments"])
        )
    drawn = document["topology"]
    for each in (*drawn["publishers"], *drawn["consumers"]):
        assert 0 <= each["channel"] < len(drawn["channels"])
        assert 0 <= each["service"] < services


@given(st.lists(DOCUMENTS))
def test_what_is_packed_is_one_line_each_and_looks_like_nobodys(documents: list[Any]) -> None:
    block = packed(map(data_block, documents))
    assert re.fullmatch(r"[A-Za-z0-9_=-]+", block)
    assert without_persons(block) == block
    lines = zlib.decompress(base64.urlsafe_b64decode(block)).decode().split("\n")
    assert [json.loads(line) for line in lines if line] == [json.loads(data_block(each)) for each in documents]


def test_schemas_are_laid_out_whole() -> None:
    schema = {
        "type": "object",
        "properties": {
            "id": {"type": "string", "format": "uuid"},
            "place": {"type": "array", "prefixItems": [{"type": "number"}, {"type": "number"}]},
            "prices": {"type": "object", "additionalProperties": {"type": ["integer", "null"]}},
            "lines": {"type": "array", "items": {"type": "object", "properties": {"sku": {"enum": ["a", "b"], "type": "string"}}, "required": ["sku"]}},
            "next": {"$ref": "#/$defs/body"},
        },
        "required": ["id"],
    }  # fmt: skip
    assert schema_rows(schema)[0] == [
        ("id", "string, uuid", True),
        ("place", "array", False),
        ("place[0]", "number", True),
        ("place[1]", "number", True),
        ("prices", "object", False),
        ("prices.*", "integer or null", False),
        ("lines", "array", False),
        ("lines[]", "object", False),
        ("lines[].sku", "string, one of 2", True),
        ("next", "as body", False),
    ]
    wide = {"properties": {f"field {number}": {"type": "string"} for number in range(MOST_ROWS + 5)}}
    assert (len(schema_rows(wide)[0]), schema_rows(wide)[1]) == (MOST_ROWS, 5)
