"""Answers questions about a trace while it is recorded: a Unix socket for the collector's own user, a thread a client."""

from __future__ import annotations

import io
import os
import socket
import struct
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

from msgtrace_collectors.query_protocol import DATA, DONE, FAILED, Request, receive_request, send_part
from msgtrace_collectors.questions import answered
from msgtrace_collectors.trace_file import QueryError, TraceError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import duckdb

    from msgtrace_collectors.inspection.found import Part

MAX_CLIENTS: Final = 16
"""At once; more wait for their turn."""
SLOW_CLIENT_S: Final = 30.0
"""A client that neither reads nor writes for this long is let go: its transaction keeps old rows alive."""
MAX_ANSWER_BYTES: Final = 4 << 30
MAX_TIMEOUT_S: Final = 600.0
NAME: Final = "query.socket"

_CREDENTIALS: Final = struct.Struct("3i")


class QuerySocket:
    """The socket of one collector.

    Args:
        folder: where the socket is made; its owner's alone.
        cursor: gives a connection of its own to the open trace file.
        link: brings the links up to date.
        keep: stores a part of an inspection.
        settle: waits until everything is stored that has been recorded by now.

    Raises:
        OSError: the socket can't be made.
    """

    def __init__(
        self,
        folder: Path,
        cursor: Callable[[], duckdb.DuckDBPyConnection],
        link: Callable[[], None],
        keep: Callable[[Part], None],
        settle: Callable[[], None],
    ) -> None:
        self.path = folder / NAME
        self._cursor = cursor
        self._link = link
        self._keep = keep
        self._settle = settle
        self._turns = threading.BoundedSemaphore(MAX_CLIENTS)
        self._closing = False
        self.path.unlink(missing_ok=True)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        # Through the folder's descriptor: a socket's path may have 107 bytes only, a folder's many more.
        directory = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        before = os.umask(0o177)
        try:
            self._socket.bind(f"/proc/self/fd/{directory}/{NAME}")
        finally:
            os.umask(before)
            os.close(directory)
        self._socket.listen(64)
        threading.Thread(target=self._accept, name="questions", daemon=True).start()

    def _accept(self) -> None:
        while not self._closing:
            self._turns.acquire()
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), name="question", daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            with connection:
                connection.settimeout(SLOW_CLIENT_S)
                if _peer_uid(connection) != os.geteuid():
                    send_part(connection, FAILED, b"this trace is recorded by another user")
                    return
                try:
                    self._answer(connection, receive_request(connection))
                except TraceError as error:
                    send_part(connection, FAILED, str(error).encode(errors="replace"))
        except OSError:
            pass  # the client went away
        finally:
            self._turns.release()

    def _answer(self, connection: socket.socket, request: Request) -> None:
        if request.part is not None:
            self._keep(request.part)
        if request.settle:
            self._settle()
        if request.link:
            self._link()
        if request.sql is None:
            send_part(connection, DONE)
            return
        timeout_s = min(max(request.timeout_s, 0.01), MAX_TIMEOUT_S)
        with self._cursor() as cursor, answered(cursor, request.sql, request.parameters, timeout_s) as batches:
            sink = _Parts(connection)
            with pa.ipc.new_stream(pa.PythonFile(sink, "w"), batches.schema) as writer:
                for batch in batches:
                    writer.write_batch(batch)
            send_part(connection, DONE)

    def close(self) -> None:
        """Take no more questions."""
        self._closing = True
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self.path.unlink(missing_ok=True)


class _Parts(io.RawIOBase):
    """A file that sends what is written to it as DATA parts."""

    def __init__(self, connection: socket.socket) -> None:
        super().__init__()
        self._connection = connection
        self._sent = 0

    def writable(self) -> bool:
        """Yes."""
        return True

    def write(self, content: Any) -> int:
        """Send."""
        self._sent += len(content)
        if self._sent > MAX_ANSWER_BYTES:
            raise QueryError(f"the answer is larger than {MAX_ANSWER_BYTES >> 30} GiB; ask for less")
        send_part(self._connection, DATA, content)
        return len(content)


def _peer_uid(connection: socket.socket) -> int:
    """The user on the other side, as the kernel knows it (unix(7), SO_PEERCRED)."""
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    uid: int = _CREDENTIALS.unpack(credentials)[1]
    return uid
