"""How documents, and parts of them, are written as YAML. Pure.

The library's emitter, which is C, is told of each value as it comes: its representer, which is Python, first makes a tree of
nodes, and takes four times as long as all the rest. What a scalar looks like is the library's to say still.
"""

from __future__ import annotations

import functools
import io
from typing import TYPE_CHECKING, Final

import yaml

if TYPE_CHECKING:
    from collections.abc import Callable

TEXT: Final = "tag:yaml.org,2002:str"
KEPT: Final = 20_000
"""Texts whose form is remembered: most are names that stand in a document many times."""
_MAPPING: Final = yaml.MappingStartEvent(None, None, True, flow_style=False)  # noqa: FBT003 - the library's order
_SEQUENCE: Final = yaml.SequenceStartEvent(None, None, True, flow_style=False)  # noqa: FBT003 - as above


def text(value: object) -> str:
    """A document as YAML, ending in a newline; every value is written out where it stands, without anchors."""
    out = io.StringIO()
    emitter = yaml.CSafeDumper(out, allow_unicode=True, width=120)
    emitter.emit(yaml.StreamStartEvent())
    emitter.emit(yaml.DocumentStartEvent(explicit=False))
    _emit(value, emitter.emit)
    emitter.emit(yaml.DocumentEndEvent(explicit=False))
    emitter.emit(yaml.StreamEndEvent())
    return out.getvalue()


def _emit(value: object, emit: Callable[[yaml.Event], None]) -> None:
    if isinstance(value, dict):
        emit(_MAPPING)
        for name, each in value.items():
            emit(_text(str(name)))
            _emit(each, emit)
        emit(yaml.MappingEndEvent())
    elif isinstance(value, list | tuple):
        emit(_SEQUENCE)
        for each in value:
            _emit(each, emit)
        emit(yaml.SequenceEndEvent())
    elif isinstance(value, str):
        emit(_text(value))
    else:
        node = _forms().represent_data(value)
        emit(yaml.ScalarEvent(None, node.tag, (True, False), node.value))


@functools.lru_cache(maxsize=KEPT)
def _text(value: str) -> yaml.ScalarEvent:
    """A text, as UTF-8 can write it: halves of characters, which JSON allows, as their escapes."""
    written = value.encode("utf-8", "backslashreplace").decode()
    plain = _forms().resolve(yaml.ScalarNode, written, (True, False)) == TEXT  # type: ignore[no-untyped-call]
    return yaml.ScalarEvent(None, TEXT, (plain, True), written)


@functools.cache
def _forms() -> yaml.SafeDumper:
    """What says how a scalar is written, and what a text without quotes would be read as."""
    return yaml.SafeDumper(io.StringIO())
