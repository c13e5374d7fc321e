"""XML's outline says what ElementTree wrote; entities are never expanded."""

from __future__ import annotations

import contextlib
import json
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from msgtrace_collectors.decoders.limits import Malformed, TooMuch, Unreadable
from msgtrace_collectors.decoders.xml_outline import begins, xml_outline

NAMES = st.sampled_from(["order", "item", "a", "b"])
TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["C"], exclude_characters="\x85"), max_size=8)


@st.composite
def elements(draw: st.DrawFn, depth: int = 3) -> ET.Element:
    element = ET.Element(draw(NAMES), draw(st.dictionaries(NAMES, TEXTS, max_size=2)))
    element.text = draw(TEXTS)
    if depth:
        element.extend(draw(st.lists(elements(depth - 1), max_size=3)))
    return element


def outlined(element: ET.Element) -> Any:
    shown: dict[str, Any] = {f"@{name}": value for name, value in element.attrib.items()}
    grouped: dict[str, list[Any]] = {}
    for child in element:
        grouped.setdefault(child.tag, []).append(outlined(child))
    shown |= {name: found[0] if len(found) == 1 else found for name, found in grouped.items()}
    text = (element.text or "").strip()
    if not text:
        return shown or None
    return {**shown, "#text": text} if shown else text


@given(elements(), st.sampled_from(["utf-8", "utf-16", "latin-1", "ascii"]))
def test_round_trip(root: ET.Element, encoding: str) -> None:
    assert json.loads(xml_outline(ET.tostring(root, encoding))) == {root.tag: outlined(root)}


@given(st.binary(max_size=100) | st.text(alphabet='<>/a&;![]"= ', max_size=60).map(str.encode))
def test_anything_else(body: bytes) -> None:
    with contextlib.suppress(Unreadable):
        json.loads(xml_outline(body))
    begins(body)


LAUGHS = (
    '<!DOCTYPE l [<!ENTITY a "ha">'
    + "".join(f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(9))
    + "]><l>&j;</l>"
)


@pytest.mark.parametrize(
    "body",
    [
        LAUGHS.encode(), b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
        b'<!DOCTYPE a [<!ENTITY % x SYSTEM "http://127.0.0.1:9/"> %x;]><a/>', b"<a>" * 50_000, b"<a>" + b"<b/>" * 200_001 + b"</a>",
    ],
)  # fmt: skip
def test_bombs(body: bytes) -> None:
    with pytest.raises(TooMuch):
        xml_outline(body)


def test_not_xml() -> None:
    for body in (b"", b"<a>", b"<a></b>", b"text", b"<a>&nothere;</a>"):
        with pytest.raises(Malformed):
            xml_outline(body)
