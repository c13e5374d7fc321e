"""Reads from a trace what was recorded of a workload: how many operations of which kind, linked or not, and what is missing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import duckdb

if TYPE_CHECKING:
    from pathlib import Path

# A row: a kind of operation that is about a message, and how many of them.
OPERATIONS: Final = """
select kind, count(*)
from operations
where client like ? || ' %' and kind in ('send', 'receive', 'process', 'settle')
group by kind
order by kind
"""
# One row: receives, or handlings where nothing is received (in-process buses), and those of them with a link to their send.
LINKED: Final = """
select count(*), count(*) filter (where o.operation_id in (select receive_id from links))
from operations as o
where client like ? || ' %' and kind = coalesce(
    (select kind from operations where kind = 'receive' and client like ? || ' %' limit 1), 'process'
)
"""
# A row: why something is missing, and how many.
LOSSES: Final = "select reason, sum(lost) from losses group by reason order by reason"


@dataclass(frozen=True, slots=True)
class Recorded:
    """What a trace holds of one library.

    Attributes:
        operations: number by kind; topology is left out.
        linked: share of the receives that are linked to their send; None where nothing was received, or nothing sent.
        losses: number by reason.
    """

    operations: dict[str, int]
    linked: float | None
    losses: dict[str, int]


def read(trace: Path, library: str) -> Recorded:
    """Read a trace file that nobody writes to any more."""
    with duckdb.connect(str(trace), read_only=True) as connection:
        operations = {kind: int(count) for kind, count in connection.execute(OPERATIONS, [library]).fetchall()}
        received, linked = connection.execute(LINKED, [library, library]).fetchall()[0]
        losses = {reason: int(lost) for reason, lost in connection.execute(LOSSES).fetchall()}
    share = linked / received if received and "send" in operations else None
    return Recorded(operations, share, losses)
