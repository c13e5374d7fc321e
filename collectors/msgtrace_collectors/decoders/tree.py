"""Writes a tree of Python's built-in types, as decoders give it, as JSON text, within limits. Pure.

JSON's own types stay. What has no form there: bytes are text where they are UTF-8, else `{"base64": "..."}`; integers over
64 bits and numbers that are none (`NaN`, `Infinity`) are strings, as are times, decimals and UUIDs; names are text; a map
whose names would fall together is a list of pairs. A cut or replaced value would be a false one: what is too much is refused.
"""

from __future__ import annotations

import base64
import math
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

import msgspec

from msgtrace_collectors.decoders.limits import MAX_CONTENT_BYTES, MAX_DEPTH, MAX_NODES, TooMuch

_PLAIN: Final = frozenset({datetime, date, time, Decimal, UUID})
_encode = msgspec.json.encode


def json_text(value: Any) -> bytes:
    """A tree as JSON text.

    Args:
        value: of built-in types, dates, decimals and UUIDs; others are shown as the name of their type.

    Raises:
        TooMuch: too deep, too many values, too long.
    """
    text = _encode(_Writer().shown(value, 0))
    if len(text) > MAX_CONTENT_BYTES:
        raise TooMuch("more text than a body may become")
    return text


@dataclass(slots=True)
class _Writer:
    nodes: int = MAX_NODES
    text: int = MAX_CONTENT_BYTES
    """Left, in values and characters. A tree that refers to its own parts again is counted as it would be written."""

    def shown(self, value: Any, depth: int) -> Any:
        """The same in JSON's types."""
        self.nodes -= 1
        if self.nodes < 0:
            raise TooMuch("more values than a body may have")
        kind = type(value)
        if kind is str:
            return self._string(value)
        if kind is int:
            return value if -(2**63) <= value < 2**64 else self._big(value)
        if value is None or kind is bool:
            return value
        if kind is float:
            return value if math.isfinite(value) else "NaN" if math.isnan(value) else f"{'-' * (value < 0)}Infinity"
        if isinstance(value, dict | list | tuple | set | frozenset):
            if depth >= MAX_DEPTH:
                raise TooMuch("nested deeper than a body may be")
            return self._container(value, depth + 1)
        return self._other(value, kind)

    def _container(self, value: Any, depth: int) -> Any:
        if not isinstance(value, dict):
            return [self.shown(item, depth) for item in value]
        named = {self._name(key, depth): self.shown(item, depth) for key, item in value.items()}
        if len(named) == len(value):
            return named
        return [[self.shown(key, depth), self.shown(item, depth)] for key, item in value.items()]

    def _name(self, key: Any, depth: int) -> str:
        shown = key if type(key) is str and key.isascii() else self.shown(key, depth)
        name = shown if type(shown) is str else _encode(shown).decode()
        self.text -= len(name)
        return name

    def _string(self, value: str) -> str:
        self.text -= len(value)
        if self.text < 0:
            raise TooMuch("more text than a body may become")
        # A lone surrogate has no form in UTF-8.
        return value if value.isascii() else value.encode("utf-8", "replace").decode()

    def _big(self, value: int) -> Any:
        try:
            return self._string(str(value))
        except ValueError:  # thousands of digits: Python itself refuses
            return {"integer_bits": value.bit_length()}

    def _other(self, value: Any, kind: type) -> Any:
        if isinstance(value, bytes | bytearray | memoryview):
            raw = bytes(value)
            self.text -= len(raw)
            if self.text < 0:
                raise TooMuch("more text than a body may become")
            try:
                return raw.decode()
            except UnicodeDecodeError:
                return {"base64": base64.b64encode(raw).decode()}
        if kind is datetime or kind is date or kind is time:
            return value.isoformat()
        if kind in _PLAIN:
            return self._string(str(value))
        if kind is timedelta:
            return value.total_seconds()
        return f"<{kind.__name__}>"
