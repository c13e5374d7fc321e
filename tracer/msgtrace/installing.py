"""`msgtrace.install`, `uninstall` and `tracing`: records in the process that calls them, with a collector beside it.

As `msgtrace run` does, but from inside: the same settings, the same collector, and what the process starts from then on is
recorded too. No thread is started: a collector that died is started again when recording ends, and reads what is left.
"""

from __future__ import annotations

import atexit
import importlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from msgspec.structs import replace

from msgtrace import start
from msgtrace.commands.supervise import Collector, CollectorFailed
from msgtrace.commands.target import environment, recording_processes
from msgtrace.hooks import hooks_of
from msgtrace.settings import BadSetting, Settings

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from types import TracebackType

    import pyarrow as pa

DEFAULT_TRACE: Final = Path(".msgtrace") / "trace.duckdb"
_installed: Installed | None = None


class CannotRecordError(RuntimeError):
    """Recording can't begin; the text says why and what to do."""


class Trace:
    """A trace that is being recorded, or has been.

    Attributes:
        db: the trace file (docs/trace-file.md).
        said: what could not be recorded or stored, a line each; complete when recording has ended.
    """

    def __init__(self, db: Path) -> None:
        self.db = db
        self.said: list[str] = []

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> pa.Table:
        """Ask the trace in SQL, also while it is recorded: then of what has been stored so far, a second ago at most.

        Args:
            sql: one SELECT over the views of docs/trace-file.md.
            parameters: values for `$1`, `$2`, ...

        Returns:
            a `pyarrow.Table`.

        Raises:
            CannotRecordError: the tools are not installed.
            msgtrace_collectors.trace.TraceError: the question, or the file, is wrong.
        """
        with tool("msgtrace_collectors.trace").open_trace(self.db) as trace:
            table: pa.Table = trace.query(sql, parameters)
        return table

    def report(self, folder: str | os.PathLike[str]) -> None:
        """Write what `msgtrace report` writes.

        Args:
            folder: made if missing; what msgtrace has written there before is written over, and nothing else.

        Raises:
            CannotRecordError: the tools are not installed, or the documents can't be written.
        """
        command = tool("msgtrace_analysis.commands.report").report
        click = importlib.import_module("click")
        try:
            command.main(["--db", str(self.db), "--out", os.fspath(folder)], standalone_mode=False)
        except click.ClickException as error:
            raise CannotRecordError(error.format_message()) from None

    def __repr__(self) -> str:
        return f"<msgtrace.Trace {str(self.db)!r}>"


def tool(module: str) -> Any:
    """A module of ours that needs more than the traced process has. By name: the tracer knows nothing of it."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("msgtrace"):
            raise
        raise CannotRecordError(
            f"this needs {error.name}, which is not installed here: pip install 'msgtrace[tools]'"
        ) from None


class Installed:
    """Recording in this process, and its collector.

    Args:
        db: the trace file.
        settings: of this process, and of those that it starts.
        collector: not started.
        children: put into the environment what makes processes record that are started from now on.

    Attributes:
        trace: what is recorded.
        pid: of the process that this was made in; in a forked child it is its parent's.
        own_service: this process's name, where those that it starts have their own.
    """

    def __init__(self, db: Path, settings: Settings, collector: Collector, *, children: bool) -> None:
        self.trace = Trace(db)
        self.pid = os.getpid()
        self.own_service = ""
        self.collector = collector
        self._settings = settings
        self._children = children
        self._variables: dict[str, tuple[str | None, str]] = {}

    def start_collector(self) -> None:
        """Wait until a collector is ready.

        Raises:
            CannotRecordError: there is none to be had.
        """
        try:
            self.collector.start()
        except CollectorFailed as error:
            raise CannotRecordError(str(error)) from None

    def begin(self) -> None:
        """Record from now on."""
        spool = self.collector.spool
        if self._children:
            for name, value in environment(self._settings, spool).items():
                before = os.environ.get(name)
                if before != value:
                    self._variables[name] = before, value
                    os.environ[name] = value
        service = self._settings.service or self.own_service
        start.start_with(replace(self._settings, spool=str(spool), service=service))

    def end(self) -> None:
        """Put everything back. What was recorded is in memory, and nowhere else."""
        tracer = start.stop()
        if tracer is not None and tracer.failure:
            self.trace.said.append(f"not recorded: {tracer.failure}")
        for placed in tracer.engine.placed if tracer is not None and tracer.engine is not None else ():
            if placed.status == "wrapped":
                self.trace.said.append(f"{placed.point.target}: {placed.detail}; nothing more is recorded there")
        for name, (before, ours) in self._variables.items():
            if os.environ.get(name) != ours:
                continue  # somebody has set it since
            if before is None:
                del os.environ[name]
            else:
                os.environ[name] = before

    def store(self) -> None:
        """Wait until everything is stored that has been recorded, and let the collector end."""
        others = set(recording_processes(self.collector.spool)) - {self.collector.pid, os.getpid()}
        said = self.trace.said
        # What it says of processes that go on counts this one, which has ended for it.
        said += [line for line in self.collector.stop() if "traced processes still run" not in line]
        if others:
            said.append(f"{len(others)} processes go on that were started meanwhile; from now on they are not recorded")
        said += [f"not recorded: {note}" for note in self.collector.notes()]
        self.collector.discard()


def install(
    db: str | os.PathLike[str] = DEFAULT_TRACE,
    *,
    service: str = "",
    only: Iterable[str] = (),
    ignore: Iterable[str] = (),
    propagate: bool = False,
    body_limit: int | None = None,
    snapshot_nodes: int | None = None,
    redact: Iterable[str] = (),
    max_size: str | None = None,
    max_age: str | None = None,
    children: bool = True,
) -> Trace:
    """Record every message of this process from now on, and of the processes that it starts.

    Libraries that have been imported already, their connections and subscriptions are covered. Waits until the collector,
    a process beside this one, is ready: about half a second.

    Args:
        db: the trace file; continued if it exists.
        service: this service's name; made from the command line by default.
        only: record only these libraries, by the names that are imported: `["redis", "pyee"]`.
        ignore: record none of these libraries.
        propagate: add traceparent headers to outgoing messages. This changes the traffic.
        body_limit: bytes kept of a body, 64 KiB by default.
        snapshot_nodes: values kept of an in-process event's arguments, 200 by default.
        redact: rules of docs/redaction.md: `"name:NAME"`, `"keep:NAME"`, `"pattern:REGEX"`, `"off"`.
        max_size: the oldest operations beyond are deleted: `"500MB"`.
        max_age: operations that are older are deleted: `"12h"`.
        children: also record what this process starts, as `msgtrace run` does, through its environment.

    Returns:
        the trace.

    Raises:
        CannotRecordError: this process is recorded already, a setting makes no sense, or no collector can be started.
    """
    installed = prepared(
        Path(db), {"--max-size": max_size, "--max-age": max_age}, tuple(redact), children=children, service=service,
        only=tuple(only), ignore=tuple(ignore), propagate=propagate, body_limit=body_limit, snapshot_nodes=snapshot_nodes,
    )  # fmt: skip
    installed.start_collector()
    begin(installed)
    return installed.trace


def prepared(
    db: Path, limits: dict[str, str | None], redact: tuple[str, ...], *, children: bool, **chosen: Any
) -> Installed:
    """What is to be installed, checked; see `install`.

    Raises:
        CannotRecordError: see there.
    """
    if start.active() is not None:
        what = "it was started so, by `msgtrace run` or its like"
        if _installed is not None:
            what = "call msgtrace.uninstall() first"
        raise CannotRecordError(f"this process is being recorded already: {what}")
    for names in ("only", "ignore"):
        try:
            chosen[names] = hooks_of(chosen.get(names, ()))
        except ValueError as error:
            raise CannotRecordError(str(error)) from None
    try:
        settings = Settings.chosen(**chosen)
        collector = Collector(db, redact, limits)
    except (BadSetting, CollectorFailed) as error:
        raise CannotRecordError(str(error)) from None
    return Installed(db.absolute(), settings, collector, children=children)


def begin(installed: Installed) -> None:
    """Record from now on, until `uninstall` or the interpreter's end."""
    global _installed  # noqa: PLW0603 - one recording a process
    try:
        installed.begin()
    except BaseException:
        installed.end()
        installed.collector.stop()
        installed.collector.discard()
        raise
    _installed = installed
    atexit.register(uninstall)


def keep_alive() -> None:
    """Start the collector again if it has died. Waits for nothing; for whoever comes by now and then."""
    if _installed is not None and _installed.pid == os.getpid():
        _installed.collector.keep_alive()


def end() -> Installed | None:
    """Record no more; `Installed.store` is still to be called. None where nothing is installed, or by a parent process."""
    global _installed
    installed, _installed = _installed, None
    if installed is None:
        return None
    atexit.unregister(uninstall)
    installed.end()
    return installed if installed.pid == os.getpid() else None


def uninstall() -> Trace | None:
    """Record no more: every function is put back, and all that was recorded is stored when this returns.

    In a forked child of the process that called `install` it ends recording there alone.

    Returns:
        the trace; None where there was no `install`, or it was the parent process's.
    """
    installed = end()
    if installed is None:
        return None
    installed.store()
    return installed.trace


class tracing:  # noqa: N801 - used as a function is
    """Record what is done inside: `with msgtrace.tracing("trace.duckdb") as trace:`, or `async with`.

    Everything is stored when it is left. The arguments are those of `install`.

    Raises:
        CannotRecordError: on entering, see `install`.
    """

    def __init__(
        self,
        db: str | os.PathLike[str] = DEFAULT_TRACE,
        *,
        service: str = "",
        only: Iterable[str] = (),
        ignore: Iterable[str] = (),
        propagate: bool = False,
        body_limit: int | None = None,
        snapshot_nodes: int | None = None,
        redact: Iterable[str] = (),
        max_size: str | None = None,
        max_age: str | None = None,
        children: bool = True,
    ) -> None:
        self._db = Path(db)
        self._limits = {"--max-size": max_size, "--max-age": max_age}
        self._redact = tuple(redact)
        self._children = children
        self._chosen: dict[str, Any] = {
            "service": service, "only": tuple(only), "ignore": tuple(ignore), "propagate": propagate,
            "body_limit": body_limit, "snapshot_nodes": snapshot_nodes,
        }  # fmt: skip

    def _prepared(self) -> Installed:
        return prepared(self._db, self._limits, self._redact, children=self._children, **self._chosen)

    def __enter__(self) -> Trace:
        installed = self._prepared()
        installed.start_collector()
        begin(installed)
        return installed.trace

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        uninstall()

    async def __aenter__(self) -> Trace:
        """The loop goes on while the collector starts."""
        import asyncio  # noqa: PLC0415 - whoever comes here has it

        installed = self._prepared()
        await asyncio.to_thread(installed.start_collector)
        begin(installed)
        return installed.trace

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        import asyncio  # noqa: PLC0415 - as above

        installed = end()
        if installed is not None:
            await asyncio.to_thread(installed.store)
