"""Judges an Avro schema before anything is read with it: what it may cost, and whether it refers to itself. Pure.

A schema is data too, and may come with the body. Values that take no bytes (`null`, an empty record) can be counted out by
the billion in ten bytes; records of records of them grow exponentially; and a schema that refers to itself nests as deep as
the body is long, which the compiled reader follows until its stack is gone.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from msgtrace_collectors.decoders.limits import MAX_DEPTH, Malformed, TooMuch

FREE_VALUES: Final = 32
"""That may come with each byte of a body."""
MAX_FREE: Final = 10_000

_PRIMITIVE_BYTES: Final = {
    "null": 0, "boolean": 1, "int": 1, "long": 1, "float": 4, "double": 8, "bytes": 1, "string": 1,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Cost:
    """Of one value of a type.

    Attributes:
        free: values that it may build beyond `FREE_VALUES` for each byte that it takes.
        least_bytes: that it takes.
    """

    free: int
    least_bytes: int


def refers_to_itself(schema: Any) -> bool:
    """Look at a parsed schema.

    Returns:
        Whether a type has itself among its parts: read it with the reader that Python's own limit of recursion stops.

    Raises:
        TooMuch: reading with it could cost anything.
        Malformed: it is no schema.
    """
    judge = _Judge()
    try:
        if judge.cost(schema, 0).free > MAX_FREE:
            raise TooMuch("an Avro schema whose values take no bytes")
    except (KeyError, TypeError, AttributeError):
        raise Malformed("no Avro schema") from None
    return judge.recursive


@dataclass(slots=True)
class _Judge:
    recursive: bool = False
    _known: dict[str, _Cost | None] = field(default_factory=dict)

    def cost(self, schema: Any, depth: int) -> _Cost:
        if depth > MAX_DEPTH:
            raise TooMuch("an Avro schema that is nested too deep")
        if isinstance(schema, str):
            return self._named(schema)
        if isinstance(schema, list):
            return self._union(schema, depth)
        kind = schema["type"]
        if kind in {"record", "error"}:
            return self._record(schema, depth)
        if kind in {"array", "map"}:
            self._repeated(schema["items" if kind == "array" else "values"], int(kind == "map"), depth)
            return _Cost(0, 1)
        if kind == "enum":
            self._known[schema["name"]] = cost = _Cost(0, 1)
            return cost
        if kind == "fixed":
            self._known[schema["name"]] = cost = _Cost(0 if schema["size"] else 1, schema["size"])
            return cost
        return self.cost(kind, depth + 1)

    def _named(self, name: str) -> _Cost:
        if name in _PRIMITIVE_BYTES:
            size = _PRIMITIVE_BYTES[name]
            return _Cost(0 if size else 1, size)
        known = self._known[name]
        if known is None:
            self.recursive = True
            return _Cost(0, 0)
        return known

    def _union(self, branches: list[Any], depth: int) -> _Cost:
        costs = [self.cost(branch, depth + 1) for branch in branches]
        if not costs:
            raise Malformed("no Avro schema")
        return _Cost(max(0, max(c.free for c in costs) - FREE_VALUES), 1 + min(c.least_bytes for c in costs))

    def _record(self, schema: Any, depth: int) -> _Cost:
        name = schema["name"]
        self._known[name] = None
        before, self.recursive = self.recursive, False
        parts = [self.cost(field["type"], depth + 1) for field in schema["fields"]]
        cost = _Cost(1 + sum(c.free for c in parts), sum(c.least_bytes for c in parts))
        if cost.free > MAX_FREE or (self.recursive and cost.free > FREE_VALUES):
            raise TooMuch("an Avro schema whose values take no bytes")
        self.recursive = self.recursive or before
        self._known[name] = cost
        return cost

    def _repeated(self, item: Any, key_bytes: int, depth: int) -> None:
        cost = self.cost(item, depth + 1)
        if cost.free > FREE_VALUES * (cost.least_bytes + key_bytes):
            raise TooMuch("an Avro schema whose values take no bytes")
