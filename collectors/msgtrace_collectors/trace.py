"""Opens a trace file for questions: through its collector while that records, by itself afterwards. Never writes one.

Everything that reads a trace (commands, analysis, tests) comes through `open_trace`.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol, Self

import duckdb

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    import pyarrow as pa

SCHEMA_VERSION: Final = 1
"""Of the views in schema.sql. A file of another version is refused, never changed."""


class TraceError(Exception):
    """A trace file can't be used. Its text is one line for the user: what, where, and what to do."""


class MissingTraceError(TraceError):
    """There is no such file."""


class ForeignFileError(TraceError):
    """The file is no trace: not a database, or somebody else's."""


class OtherVersionError(TraceError):
    """A trace of another schema version."""


class BrokenTraceError(TraceError):
    """A trace that is damaged."""


class BusyTraceError(TraceError):
    """Another program holds the file."""


class TracePermissionError(TraceError):
    """The file may not be read, or its collector belongs to somebody else."""


class QueryError(TraceError):
    """The question was refused or failed: a mistake in the SQL, a statement that writes, a limit that was passed."""


class Trace(Protocol):
    """An open trace."""

    @property
    def recording(self) -> bool:
        """Whether a collector is at work on it, so that answers may change."""

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> pa.Table:
        """Answer one SELECT over the views of docs/trace-file.md.

        Args:
            sql: one statement that reads.
            parameters: values for `?` or `$1`, of JSON's types, bytes or datetime.

        Raises:
            QueryError: see there.
            TraceError: the trace went away.
        """

    def link(self) -> None:
        """Bring `links`, `causes` and `settlements` up to date with the operations; nothing if they are.

        Raises:
            TraceError: the file can't be written.
        """

    def close(self) -> None:
        """Let go of the file or the socket."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None: ...
