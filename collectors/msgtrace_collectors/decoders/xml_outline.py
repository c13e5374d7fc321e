"""Reads XML's outline with expat: elements as objects, `@name` attributes, `#text` beside children. Pure.

Document type definitions are refused at the first declaration of an entity: nothing is expanded, nothing is fetched.
Comments, processing instructions and the order of elements of different names are not in the outline.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final
from xml.parsers import expat

from msgtrace_collectors.decoders.limits import MAX_DEPTH, MAX_INPUT_BYTES, MAX_NODES, Malformed, TooMuch
from msgtrace_collectors.decoders.tree import json_text

_TEXT: Final = "#text"


def xml_outline(body: bytes) -> bytes:
    """A body as JSON text; elements that repeat side by side are an array, one with text only is that text.

    Raises:
        Unreadable: see its kinds.
    """
    if len(body) > MAX_INPUT_BYTES:
        raise TooMuch("larger than a body that is read value by value may be")
    outline = _Outline()
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = outline.began
    parser.EndElementHandler = outline.ended
    parser.CharacterDataHandler = outline.said
    parser.EntityDeclHandler = _refused
    parser.UnparsedEntityDeclHandler = _refused
    parser.ExternalEntityRefHandler = _refused
    try:
        parser.Parse(body, True)  # noqa: FBT003
    except (expat.ExpatError, ValueError, LookupError):
        raise Malformed("not XML, or cut off") from None
    return json_text(outline.root)


def begins(body: bytes) -> bool:
    """Whether a body with no label looks like XML, which HTML does not."""
    head = body[:100].lstrip(b"\xef\xbb\xbf \t\r\n")
    if head.startswith(b"<?xml"):
        return True
    return (
        head[:1] == b"<"
        and head[1:2].isalpha()
        and body.rstrip()[-1:] == b">"
        and not head.lower().startswith(b"<html")
    )


def _refused(*_: object) -> int:
    raise TooMuch("XML that declares entities")


@dataclass(slots=True)
class _Outline:
    root: dict[str, Any] = field(default_factory=dict)
    _open: list[tuple[str, dict[str, Any], list[str]]] = field(default_factory=list)
    _nodes: int = MAX_NODES

    def began(self, name: str, attributes: dict[str, str]) -> None:
        self._nodes -= 1 + len(attributes)
        if self._nodes < 0 or len(self._open) >= MAX_DEPTH - 2:
            raise TooMuch("nested deeper, or more elements, than a body may have")
        self._open.append((name, {f"@{key}": value for key, value in attributes.items()}, []))

    def said(self, text: str) -> None:
        self._open[-1][2].append(text)

    def ended(self, _name: str) -> None:
        name, shown, texts = self._open.pop()
        text = "".join(texts).strip()
        value: Any = shown
        if text and not shown:
            value = text
        elif text:
            shown[_TEXT] = text
        elif not shown:
            value = None
        parent = self._open[-1][1] if self._open else self.root
        if name not in parent:
            parent[name] = value
        elif isinstance(parent[name], list):
            parent[name].append(value)
        else:
            parent[name] = [parent[name], value]
