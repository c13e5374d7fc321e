"""Reads the shape of a Protobuf message from its wire format alone: field numbers for names. Pure.

https://protobuf.dev/programming-guides/encoding. Without the schema some things can't be told apart, and are shown as what
they stand there as: an enumeration, a bool and a zigzag number as an unsigned number; a message whose bytes happen to be
UTF-8 without control characters as text; packed numbers as bytes or as a message.
"""

from __future__ import annotations

import struct
from typing import Any, Final

from msgtrace_collectors.decoders.limits import MAX_INPUT_BYTES, MAX_NODES, Malformed, TooMuch
from msgtrace_collectors.decoders.tree import json_text

MAX_NESTED: Final = 30
_PRINTABLE: Final = frozenset({"\t", "\n", "\r"})


def wire_shape(body: bytes) -> bytes:
    """A message as a JSON object `{"1": ..., "2": [...]}`; a field that repeats holds an array.

    Raises:
        Unreadable: see its kinds.
    """
    if len(body) > MAX_INPUT_BYTES:
        raise TooMuch("larger than a body that is read value by value may be")
    return json_text(_Shape().message(body, 0, len(body), 0))


def varint(body: bytes, place: int) -> tuple[int, int]:
    """A base-128 number, and where it ends.

    Raises:
        Malformed: it ends nowhere, or has more than 64 bits.
    """
    value = shift = 0
    while shift < 70 and place < len(body):
        byte = body[place]
        place += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & 0xFFFFFFFFFFFFFFFF, place
        shift += 7
    raise Malformed("not Protobuf, or cut off")


class _Shape:
    def __init__(self) -> None:
        self._left = MAX_NODES

    def message(self, body: bytes, start: int, end: int, depth: int) -> dict[str, Any]:
        shown: dict[str, Any] = {}
        repeated: set[str] = set()
        place = start
        while place < end:
            self._left -= 1
            if self._left < 0:
                raise TooMuch("more values than a body may have")
            key, place = varint(body, place)
            number, kind = key >> 3, key & 7
            if not 0 < number < 1 << 29:
                raise Malformed("not Protobuf, or cut off")
            value, place = self._value(body, place, end, kind, depth)
            if place > end:
                raise Malformed("not Protobuf, or cut off")
            name = str(number)
            if name not in shown:
                shown[name] = value
            elif name in repeated:
                shown[name].append(value)
            else:
                repeated.add(name)
                shown[name] = [shown[name], value]
        return shown

    def _value(self, body: bytes, place: int, end: int, kind: int, depth: int) -> tuple[Any, int]:
        match kind:
            case 0:
                return varint(body, place)
            case 1 if place + 8 <= end:
                return {"fixed64": struct.unpack_from("<Q", body, place)[0]}, place + 8
            case 5 if place + 4 <= end:
                return {"fixed32": struct.unpack_from("<I", body, place)[0]}, place + 4
            case 2:
                size, place = varint(body, place)
                if place + size > end:
                    raise Malformed("not Protobuf, or cut off")
                return self._bytes(body, place, place + size, depth), place + size
            case _:
                # Groups have been deprecated since Protobuf 2.
                raise Malformed("not Protobuf, or cut off")

    def _bytes(self, body: bytes, start: int, end: int, depth: int) -> Any:
        content = body[start:end]
        try:
            text = content.decode()
        except UnicodeDecodeError:
            pass
        else:
            if text.isprintable() or all(c.isprintable() or c in _PRINTABLE for c in text):
                return text
        if depth < MAX_NESTED:
            try:
                return self.message(body, start, end, depth + 1)
            except Malformed:
                pass
        return content
