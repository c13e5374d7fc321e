"""Opens and makes trace files, and says in one line why one can't be used. The only place that connects to DuckDB."""

from __future__ import annotations

import importlib.metadata
import importlib.resources
import os
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import duckdb

SCHEMA_VERSION: Final = 3
"""Of the views in schema.sql. A file of another version is refused, never changed."""

_MAGIC: Final = b"DUCK"
"""At offset 8 of every DuckDB file: https://duckdb.org/docs/stable/internals/storage"""


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
    """The file may not be read or written, or its collector belongs to somebody else."""


class FullDiskError(TraceError):
    """There is no room for what was to be written."""


class QueryError(TraceError):
    """The question was refused or failed: a mistake in the SQL, a statement that writes, a limit that was passed."""


def open_for_reading(path: Path, memory_limit: str | None = None) -> duckdb.DuckDBPyConnection:
    """Open a trace that nobody records.

    Args:
        path: the file.
        memory_limit: of the database, in DuckDB's words; its own, most of the machine's, by default.

    Raises:
        TraceError: see its kinds.
    """
    _check_file(path, must_exist=True)
    connection = _connect(path, read_only=True)
    try:
        if memory_limit is not None:
            connection.execute("set memory_limit = ?", [memory_limit])
        connection.execute("set enable_external_access = false")
        check_version(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def open_for_writing(path: Path, *, memory_limit: str = "1GB", threads: int = 2) -> duckdb.DuckDBPyConnection:
    """Open a trace, or make one where there is no file or an empty one.

    Args:
        path: the file; its folder is made if missing, readable by its owner alone.
        memory_limit: of the database, in DuckDB's words; more is spilled beside the file.
        threads: of the database.

    Raises:
        TraceError: see its kinds. A file that is no trace is left as it is.
    """
    if path.stem == "msgtrace_store":
        raise ForeignFileError(f"{path}: a trace can't have this name, which DuckDB would confuse with a schema's")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise trace_error(path, error) from None
    _check_file(path, must_exist=False)
    if not path.exists() or path.stat().st_size == 0:
        _create(path)
    connection = _connect(path, read_only=False)
    try:
        connection.execute("set memory_limit = ?", [memory_limit])
        connection.execute("set threads = ?", [threads])
        connection.execute("set temp_directory = ?", [f"{path}.tmp"])
        # The log is replayed by whoever opens the file after a kill: bounded, but large enough to write few checkpoints.
        connection.execute("set wal_autocheckpoint = '64MB'")
        connection.execute("set enable_external_access = false")
        check_version(connection, path)
        connection.execute(_script("tests.sql"))
    except duckdb.Error as error:
        connection.close()
        raise trace_error(path, error) from None
    except BaseException:
        connection.close()
        raise
    return connection


def attach(connection: duckdb.DuckDBPyConnection, path: Path, name: str) -> None:
    """Give a connection of the caller's a trace that nobody records as one more database, for reading.

    Raises:
        TraceError: see its kinds.
    """
    try:
        connection.execute(f'attach {quoted(str(path))} as "{name}" (read_only)')
    except (duckdb.Error, OSError, RuntimeError) as error:
        raise trace_error(path, error) from None


def quoted(text: str) -> str:
    """A text as SQL writes it, where a parameter can't stand.

    >>> quoted("it's")
    "'it''s'"
    """
    return "'" + text.replace("'", "''") + "'"


def check_version(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Refuse what is no trace of this version.

    Raises:
        TraceError: ForeignFileError, OtherVersionError or BrokenTraceError.
    """
    try:
        rows = connection.execute("select schema_version, msgtrace_version from trace_file").fetchall()
    except duckdb.CatalogException:
        raise ForeignFileError(f"{path}: a DuckDB database, but no trace of msgtrace; give another file") from None
    except duckdb.BinderException:
        raise ForeignFileError(f"{path}: a DuckDB database whose table trace_file is not msgtrace's") from None
    except duckdb.Error as error:
        raise trace_error(path, error) from None
    if not rows:
        raise BrokenTraceError(f"{path}: a trace without its description; it can't be used")
    version, writer = rows[0]
    if version != SCHEMA_VERSION:
        raise OtherVersionError(
            f"{path}: a trace of schema version {version}, written by msgtrace {writer}; "
            f"this msgtrace reads version {SCHEMA_VERSION}"
        )


def trace_error(path: Path, error: Exception) -> TraceError:
    """What an exception of the system or of DuckDB means for the user, in one line."""
    if isinstance(error, TraceError):
        return error
    text = str(error).splitlines()[0] if str(error) else type(error).__name__
    lowered = text.lower()
    if isinstance(error, FileNotFoundError):
        return MissingTraceError(f"{path}: there is no such trace file")
    if isinstance(error, PermissionError) or "permission denied" in lowered or "read-only file system" in lowered:
        return TracePermissionError(f"{path}: no permission: {text}")
    if "lock" in lowered and ("conflicting" in lowered or "could not set lock" in lowered):
        return BusyTraceError(f"{path}: another program has it open ({_after(text, 'held in ')}); close that first")
    if is_full(error):
        return FullDiskError(f"{path}: no space left on its disk; free some and go on")
    if "not a valid duckdb database file" in lowered:
        return ForeignFileError(f"{path}: not a trace file; it is left as it is")
    if "version number" in lowered and "can only read" in lowered:
        return OtherVersionError(f"{path}: made by another version of DuckDB: {text}")
    return BrokenTraceError(f"{path}: damaged or unreadable: {text[:300]}")


def is_full(error: Exception) -> bool:
    """Whether an error of the system or of DuckDB means that the disk, or a quota or limit on it, is full."""
    text = str(error).lower()
    return any(
        words in text for words in ("no space left", "disk quota", "file too large", "enough free space", "disk full")
    )


def _check_file(path: Path, *, must_exist: bool) -> None:
    """Find out without DuckDB what is no database: it would make one, or speak of its own insides."""
    try:
        if path.is_dir():
            raise ForeignFileError(f"{path}: a folder, not a trace file")
        with path.open("rb") as file:
            head = file.read(12)
    except FileNotFoundError:
        if must_exist:
            raise MissingTraceError(
                f"{path}: there is no such trace file; `msgtrace run -- python app.py` makes one"
            ) from None
        return
    except OSError as error:
        raise trace_error(path, error) from None
    if not head and not must_exist:
        return
    if head[8:12] != _MAGIC:
        raise ForeignFileError(f"{path}: not a trace file; it is left as it is")


def _connect(path: Path, *, read_only: bool) -> duckdb.DuckDBPyConnection:
    config: dict[str, Any] = {"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"}
    try:
        return duckdb.connect(str(path), read_only=read_only, config=config)
    except (duckdb.Error, OSError, RuntimeError) as error:
        raise trace_error(path, error) from None


def _create(path: Path) -> None:
    """Make an empty trace under another name and move it into place: there is never half a trace at `path`."""
    fresh = path.with_name(path.name + ".new")
    # Bodies are for their owner's eyes.
    before = os.umask(0o077)
    try:
        fresh.unlink(missing_ok=True)
        connection = _connect(fresh, read_only=False)
        try:
            connection.execute("begin")
            connection.execute(_script("schema.sql"))
            connection.execute(_script("tests.sql"))
            connection.execute(
                "insert into trace_file values (?, ?, ?, ?)",
                [
                    SCHEMA_VERSION,
                    uuid.uuid4(),
                    datetime.now(UTC).replace(tzinfo=None),
                    importlib.metadata.version("msgtrace"),
                ],
            )
            connection.execute("commit")
            # Closing does it too, but does not say when it could not.
            connection.execute("checkpoint")
        finally:
            connection.close()
        fresh.rename(path)
    except (duckdb.Error, OSError, TraceError) as error:
        fresh.unlink(missing_ok=True)
        raise trace_error(path, error) from None
    finally:
        Path(f"{fresh}.wal").unlink(missing_ok=True)
        os.umask(before)


def _script(name: str) -> str:
    return importlib.resources.files("msgtrace_collectors").joinpath(name).read_text()


def _after(text: str, mark: str) -> str:
    found = text.partition(mark)[2]
    return found.split(". ", 1)[0] if found else "locked"
