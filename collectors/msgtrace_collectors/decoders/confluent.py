"""Takes Confluent's wire format apart: a zero byte, the schema's id, for Protobuf the message's place in it. Pure.

https://docs.confluent.io/platform/current/schema-registry/fundamentals/serdes-develop/index.html#wire-format
"""

from __future__ import annotations

from msgtrace_collectors.decoders.limits import Malformed
from msgtrace_collectors.decoders.protobuf_wire import varint

MAX_NESTED = 20


def schema_id(body: bytes) -> int | None:
    """The schema's id; None when a body does not begin so."""
    if len(body) < 6 or body[0] != 0:
        return None
    found = int.from_bytes(body[1:5], "big")
    return found if 0 < found < 1 << 31 else None


def message_place(body: bytes) -> tuple[list[int], bytes]:
    """Of a Protobuf body: the path of indexes to its message's descriptor, and the message.

    Raises:
        Malformed: the path is none.
    """
    count, place = _zigzag(body, 5)
    if count == 0:
        return [0], body[place:]
    if not 0 < count <= MAX_NESTED:
        raise Malformed("not Protobuf in Confluent's format, or cut off")
    path = []
    for _ in range(count):
        index, place = _zigzag(body, place)
        path.append(index)
    if min(path) < 0:
        raise Malformed("not Protobuf in Confluent's format, or cut off")
    return path, body[place:]


def _zigzag(body: bytes, place: int) -> tuple[int, int]:
    value, place = varint(body, place)
    return (value >> 1) ^ -(value & 1), place
