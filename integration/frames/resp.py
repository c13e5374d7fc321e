"""Redis commands and replies: RESP2 and RESP3 values, either direction (Redis serialization protocol)."""

from dataclasses import dataclass
from typing import TypeAlias

from integration.frames.splitting import Split, split_by

LINES = b"+-:_#,("
BULKS = b"$=!"
ARRAYS = b"*~>"
PAIRS = b"%|"
ATTRIBUTE = "|"


@dataclass(frozen=True, slots=True)
class Value:
    """One value of the protocol.

    Attributes:
        kind: Its first character: `$` bulk, `*` array, `>` push, `+` status and so on; empty when inline.
        text: What a line or a bulk holds; None in a null and in everything that has items.
        items: Elements of an array, a set or a push; of a map keys and values in turn.
        attributes: Keys and values, in turn, of the attribute that stands before the value.
    """

    kind: str
    text: bytes | None = None
    items: tuple["Value", ...] = ()
    attributes: tuple["Value", ...] = ()

    @property
    def words(self) -> tuple[bytes, ...]:
        """A command's words: the texts of an array's items, of an inline command what spaces part."""
        if not self.kind:
            return tuple((self.text or b"").split())
        return tuple(item.text or b"" for item in self.items)


Taken: TypeAlias = tuple[Value, int] | None


def split(data: bytes) -> Split[Value]:
    """Cuts one direction of a connection into commands, or into replies and pushes.

    Raises:
        ValueError: A length is no number, or a bulk does not end where it says.
    """
    return split_by(_take_one, data)


def _line(data: bytes, start: int) -> tuple[bytes, int] | None:
    end = data.find(b"\r\n", start)
    return None if end < 0 else (data[start:end], end + 2)


def _take_one(data: bytes, start: int) -> Taken:
    found = _line(data, start)
    if found is None:
        return None
    line, position = found
    kind = line[:1]
    if kind and kind in ARRAYS + PAIRS:
        return _take_items(data, position, kind.decode(), int(line[1:]))
    if kind and kind in BULKS:
        return _take_bulk(data, position, kind.decode(), int(line[1:]))
    if kind and kind in LINES:
        return Value(kind.decode(), line[1:]), position
    return Value("", line), position


def _take_bulk(data: bytes, start: int, kind: str, size: int) -> Taken:
    if size < 0:
        return Value(kind), start
    end = start + size
    if end + 2 > len(data):
        return None
    if data[end : end + 2] != b"\r\n":
        raise ValueError(f"byte {end}: a bulk of {size} bytes does not end here")
    return Value(kind, data[start:end]), end + 2


def _take_items(data: bytes, start: int, kind: str, count: int) -> Taken:
    items: list[Value] = []
    position = start
    for _ in range(count * 2 if kind.encode() in PAIRS else count):
        taken = _take_one(data, position) if position < len(data) else None
        if taken is None:
            return None
        item, position = taken
        items.append(item)
    if kind != ATTRIBUTE:
        return Value(kind, items=tuple(items)), position
    # An attribute belongs to the value after it and is no reply of its own.
    described = _take_one(data, position) if position < len(data) else None
    if described is None:
        return None
    value, position = described
    return Value(value.kind, value.text, value.items, (*items, *value.attributes)), position
