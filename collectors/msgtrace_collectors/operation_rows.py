"""The rows of `msgtrace_store.operations` that one batch makes, column by column, open to what completions add to them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

from msgtrace_collectors.columns import FACT_COLUMNS, HEAD_COLUMNS, MESSAGE_COLUMNS, TEXT, array

if TYPE_CHECKING:
    from collections.abc import Sequence

_HEADER: Final = pa.struct([("name", pa.string()), ("value", pa.binary())])
_TYPES: Final[dict[str, pa.DataType]] = {
    **{column: kind for _, column, kind in MESSAGE_COLUMNS if column},
    **dict(HEAD_COLUMNS),
    **dict(FACT_COLUMNS),
    "duration_ns": pa.int64(),
    "outcome": TEXT,
    "error_type": TEXT,
    "error_message": TEXT,
}


@dataclass(slots=True)
class OperationRows:
    """Rows that are being gathered.

    Attributes:
        outcomes: of each row; None until it is completed.
        durations_ns: likewise.
        monotonic_ns: when each began.
    """

    outcomes: list[str | None] = field(default_factory=list)
    durations_ns: list[int | None] = field(default_factory=list)
    monotonic_ns: list[int] = field(default_factory=list)
    _opened: dict[int, dict[int, int]] = field(default_factory=dict)
    _columns: dict[str, list[Any]] = field(default_factory=dict)
    _later: dict[str, dict[int, Any]] = field(default_factory=dict)

    def opened(self, process_number: int) -> dict[int, int]:
        """Of one process: sequence -> row."""
        return self._opened.setdefault(process_number, {})

    def put(self, start: int, columns: dict[str, list[Any]]) -> None:
        """Add the columns of some rows; those that are not given are empty there."""
        for name, values in columns.items():
            known = self._columns.get(name)
            if known is None:
                known = self._columns[name] = []
            if len(known) < start:
                known.extend([None] * (start - len(known)))
            known.extend(values)

    def set(self, column: str, row: int, value: Any) -> None:
        """Set one value later than its row."""
        self._later.setdefault(column, {})[row] = value

    def table(self) -> pa.Table | None:
        """All rows; None when there are none."""
        count = len(self.outcomes)
        if not count:
            return None
        columns = self._columns
        for name, later in self._later.items():
            values = columns.setdefault(name, [])
            values.extend([None] * (count - len(values)))
            for row, value in later.items():
                values[row] = value
        arrays: dict[str, Any] = {
            "monotonic_ns": array(self.monotonic_ns, pa.int64()),
            "outcome": array(self.outcomes, TEXT),
            "duration_ns": array(self.durations_ns, pa.int64()),
        }
        for name, values in columns.items():
            values.extend([None] * (count - len(values)))
            arrays[name] = _headers(values) if name == "raw_headers" else array(values, _TYPES[name])
        return pa.table(arrays)


def _headers(rows: Sequence[list[tuple[str, bytes]] | None]) -> pa.Array[Any]:
    offsets: list[int | None] = []
    names: list[str] = []
    values: list[bytes] = []
    for headers in rows:
        offsets.append(None if headers is None else len(names))
        for name, value in headers or ():
            names.append(name)
            values.append(value)
    offsets.append(len(names))
    pairs = pa.StructArray.from_arrays(
        [pa.array(names, pa.string()), pa.array(values, pa.binary())], fields=list(_HEADER)
    )
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), pairs)
