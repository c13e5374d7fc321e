"""Opens a trace file for questions: through its collector while that records, by itself afterwards. Never changes one.

Everything that reads a trace (commands, analysis, tests) comes through `open_trace`.
"""

from __future__ import annotations

import io
import os
import socket
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol, Self, cast

import pyarrow as pa

from msgtrace.recording_file import lock_path, recording_of
from msgtrace_collectors.inspection.storing import store as keep
from msgtrace_collectors.linking import is_linked, link
from msgtrace_collectors.query_protocol import Answer, Request, send_request
from msgtrace_collectors.questions import answered
from msgtrace_collectors.trace_file import (
    BrokenTraceError,
    BusyTraceError,
    ForeignFileError,
    MissingTraceError,
    OtherVersionError,
    QueryError,
    TraceError,
    TracePermissionError,
    attach,
    open_for_reading,
    open_for_writing,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager
    from types import TracebackType

    import duckdb

    from msgtrace_collectors.inspection.found import Part

__all__ = [
    "BrokenTraceError",
    "BusyTraceError",
    "ForeignFileError",
    "MissingTraceError",
    "OtherVersionError",
    "QueryError",
    "Trace",
    "TraceError",
    "TracePermissionError",
    "open_trace",
]

BUSY_FOR_S: Final = 3.0
"""How long a file may be held by a collector that is just starting or ending."""
MEMORY_BESIDE: Final = "400MB"
"""Of a trace that another database has been attached to: that one is where the work is done, and has its own limit."""


class Trace(Protocol):
    """An open trace."""

    @property
    def recording(self) -> bool:
        """Whether a collector is at work on it, so that answers may change."""
        ...

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> pa.Table:
        """Answer one SELECT over the views of docs/trace-file.md.

        Args:
            sql: one statement that reads.
            parameters: values for `?` or `$1`: text, numbers, bytes, datetime, None, and lists of these.

        Raises:
            QueryError: see there.
            TraceError: the trace went away.
        """
        ...

    def attached(self, connection: duckdb.DuckDBPyConnection, name: str) -> AbstractContextManager[bool]:
        """The trace as one more database of a connection's, for reading, as long as the context lasts.

        Args:
            connection: of the caller.
            name: that the connection knows the trace by.

        Returns:
            whether it is: a file that a collector records, or may want at any moment, can't be.
        """
        ...

    def link(self) -> None:
        """Bring `links`, `causes` and `settlements` up to date with the operations; nothing if they are.

        Raises:
            TraceError: the file can't be written.
        """

    def settle(self) -> None:
        """Have everything stored that has been recorded by now, and `link` it; where nobody records, that alone.

        Raises:
            TraceError: the trace went away, or can't be written.
        """

    def keep(self, part: Part) -> None:
        """Store a part of an inspection; storing it twice is storing it once.

        Raises:
            TraceError: it could not be stored.
        """

    def close(self) -> None:
        """Let go of the file or the socket."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None, /
    ) -> None: ...


def open_trace(path: Path | str) -> Trace:
    """Open a trace.

    Args:
        path: the trace file.

    Raises:
        TraceError: see its kinds.
    """
    return _OpenTrace(Path(path))


class _CollectorGone(TraceError):  # noqa: N818 - never seen outside
    """The collector went away; the file can be opened now, or by another one's leave."""


class _OpenTrace:
    """A trace, wherever it is to be had: recording may end, or a collector be replaced, between two questions."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._source = _reach(path)

    @property
    def recording(self) -> bool:
        return isinstance(self._source, _RecordedTrace)

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> pa.Table:
        try:
            return self._source.query(sql, parameters)
        except _CollectorGone:
            self._source = _reach(self._path)
            return self._source.query(sql, parameters)

    def attached(self, connection: duckdb.DuckDBPyConnection, name: str) -> AbstractContextManager[bool]:
        return self._source.attached(connection, name)

    def link(self) -> None:
        try:
            self._source.link()
        except _CollectorGone:
            self._source = _reach(self._path)
            self._source.link()

    def settle(self) -> None:
        try:
            self._source.settle()
        except _CollectorGone:
            self._source = _reach(self._path)
            self._source.settle()

    def keep(self, part: Part) -> None:
        try:
            self._source.keep(part)
        except _CollectorGone:
            self._source = _reach(self._path)
            self._source.keep(part)

    def close(self) -> None:
        self._source.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _reach(path: Path) -> _FileTrace | _RecordedTrace:
    deadline = time.monotonic() + BUSY_FOR_S
    while True:
        recorded = _RecordedTrace.reach(path)
        if recorded is not None:
            return recorded
        try:
            return _FileTrace(path)
        except BusyTraceError:
            if time.monotonic() >= deadline:
                raise
        time.sleep(0.05)


class _FileTrace:
    """A trace that nobody records.

    The file is held open only when no collector can want it: one that was killed leaves its lock file behind, is started
    again, and must not find the file taken by us.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._held: duckdb.DuckDBPyConnection | None = open_for_reading(path)
        if lock_path(path).exists():
            self.close()

    @contextmanager
    def _connection(self) -> Iterator[duckdb.DuckDBPyConnection]:
        if self._held is not None:
            with self._held.cursor() as cursor:
                yield cursor
            return
        try:
            connection = open_for_reading(self._path)
        except BusyTraceError as error:
            raise _CollectorGone(str(error)) from None  # another one is at work: ask that one
        try:
            yield connection
        finally:
            connection.close()

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> pa.Table:
        with self._connection() as connection, answered(connection, sql, parameters, None) as batches:
            return batches.read_all()

    @contextmanager
    def attached(self, connection: duckdb.DuckDBPyConnection, name: str) -> Iterator[bool]:
        if self._held is None:
            yield False
            return
        # One database at a time has the file: when the system closes one, it forgets what locks this process had on it.
        self.close()
        try:
            attach(connection, self._path, name)
        except BusyTraceError:
            yield False
            return
        try:
            yield True
        finally:
            connection.execute(f'detach "{name}"')
            with suppress(BusyTraceError):  # a collector's now: the next question finds out
                self._held = open_for_reading(self._path, MEMORY_BESIDE)

    def link(self) -> None:
        with self._connection() as connection:
            if is_linked(connection):
                return
        self._written(lambda connection: link(connection, self._path))

    def settle(self) -> None:
        self.link()

    def keep(self, part: Part) -> None:
        self._written(lambda connection: keep(connection, self._path, part))

    def _written(self, write: Callable[[duckdb.DuckDBPyConnection], None]) -> None:
        held = self._held is not None
        self.close()
        try:
            writing = open_for_writing(self._path)
        except BusyTraceError as error:
            raise _CollectorGone(str(error)) from None  # another one is at work: ask that one
        try:
            write(writing)
        finally:
            writing.close()
            if held:
                self._held = open_for_reading(self._path)

    def close(self) -> None:
        if self._held is not None:
            self._held.close()
        self._held = None


class _RecordedTrace:
    """A trace that a collector is recording: every question is a connection."""

    def __init__(self, path: Path, address: str) -> None:
        self._path = path
        self._address = address

    @classmethod
    def reach(cls, path: Path) -> _RecordedTrace | None:
        """The trace through its collector; None when none answers."""
        recording = recording_of(path)
        if recording is None:
            return None
        trace = cls(path, recording.socket)
        try:
            trace._connect().close()
        except _CollectorGone:
            return None
        return trace

    def close(self) -> None:
        """Nothing is open between two questions."""

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> pa.Table:
        return self._ask(Request(sql, list(parameters)))

    @contextmanager
    def attached(self, _connection: duckdb.DuckDBPyConnection, _name: str) -> Iterator[bool]:
        yield False

    def link(self) -> None:
        self._ask(Request(None, link=True))

    def settle(self) -> None:
        self._ask(Request(None, link=True, settle=True))

    def keep(self, part: Part) -> None:
        self._ask(Request(None, part=part))

    def _ask(self, request: Request) -> pa.Table:
        with self._connect() as connection:
            try:
                send_request(connection, request)
                answer = cast("io.BufferedIOBase", io.BufferedReader(Answer(connection), 1 << 18))
                if request.sql is None:
                    answer.read()
                    return pa.table({})
                with pa.ipc.open_stream(pa.PythonFile(answer, "r")) as stream:
                    table = stream.read_all()
                # What follows Arrow's own end says whether it was the end.
                answer.read()
            except (OSError, pa.ArrowInvalid) as error:
                raise _CollectorGone(f"{self._path}: its collector went away ({error}); ask again") from None
            return table

    def _connect(self) -> socket.socket:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        folder, name = os.path.split(self._address)
        try:
            directory = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                connection.connect(f"/proc/self/fd/{directory}/{name}")
            finally:
                os.close(directory)
        except PermissionError:
            connection.close()
            raise TracePermissionError(f"{self._path}: it is being recorded by another user") from None
        except OSError as error:
            connection.close()
            raise _CollectorGone(f"{self._path}: its collector does not answer: {error}") from None
        return connection
