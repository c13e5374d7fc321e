"""One recorded pytest session: begins and ends the recording, says which test is running, writes what was asked for.

With pytest-xdist the controller records and the workers, which it starts, are recorded as its children: one trace.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from msgtrace import installing, start
from msgtrace.commands.supervise import tool_environment
from msgtrace.pytest_plugin import NAME, SERVICE

if TYPE_CHECKING:
    from collections.abc import Generator

DEFAULT_TRACE: Final = Path(".msgtrace") / "pytest.duckdb"
WORKER_DB: Final = "msgtrace_db"
_MESSAGES: Final = pytest.StashKey[Any]()


def begun(config: pytest.Config) -> Session:
    """The session's plugin; made, and recording, with the first call.

    Raises:
        pytest.UsageError: recording can't begin; the text says why.
    """
    known: Any = config.pluginmanager.getplugin(NAME)
    if known is None:
        known = Session(config)
        try:
            known.begin()
        except installing.CannotRecordError as error:
            raise pytest.UsageError(f"msgtrace: {error}") from None
        config.pluginmanager.register(known, NAME)
    session: Session = known
    return session


class Session:
    """See the module.

    Attributes:
        db: the trace file.
        is_worker: of pytest-xdist.
    """

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._worker_input: dict[str, Any] | None = getattr(config, "workerinput", None)
        self.is_worker = self._worker_input is not None
        self._chosen = self._option("db")
        self.db = self._chosen or config.rootpath / DEFAULT_TRACE
        self._lines: list[str] = []
        self._outcome = "passed"
        self._began_ns = time.monotonic_ns()
        self._ended = self.is_worker

    def _option(self, name: str) -> Path | None:
        """A path, from the command line (seen from the working folder) or the ini file (from the root folder)."""
        given = self._config.getoption(f"msgtrace_{name}")
        if given:
            return Path(given).absolute()
        told = self._config.getini(f"msgtrace_{name}")
        return self._config.rootpath / str(told) if told else None

    def begin(self) -> None:
        """Record from now on.

        Raises:
            msgtrace.CannotRecordError: it can't be.
        """
        if self._worker_input is not None:
            tracer = start.active()
            if tracer is None or WORKER_DB not in self._worker_input:
                raise installing.CannotRecordError(
                    "this pytest-xdist worker is not recorded: it has not the controller's environment, or another Python"
                )
            self.db = Path(self._worker_input[WORKER_DB])
            return
        if self._chosen is None:
            _clear(self.db)
        config = self._config
        only, ignore, redact = (tuple(config.getini(f"msgtrace_{name}")) for name in ("only", "ignore", "redact"))
        installed = installing.prepared(self.db, {}, redact, children=True, only=only, ignore=ignore)
        installed.own_service = SERVICE
        installed.start_collector()
        installing.begin(installed)

    # ---- which test is running -----------------------------------------------------------------------------------

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """A test, with its fixtures."""
        self._outcome = "passed"
        self._began_ns = time.monotonic_ns()
        _mark(item.nodeid)
        try:
            return (yield)
        finally:
            _mark(item.nodeid, self._outcome)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, object, object]:
        """What the test expected and did not wait for must be true by now."""
        result = yield
        made = item.stash.get(_MESSAGES, None)
        told = "" if made is None else made.conclude()
        if told:
            pytest.fail(told, pytrace=False)  # no line of the test is where it fails
        return result

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """How the test went."""
        if report.failed:
            self._outcome = "failed"
        elif report.skipped and self._outcome == "passed":
            self._outcome = "skipped"
        if not self._ended:
            installing.keep_alive()

    def prepare(self) -> Any:
        """Load what the fixture needs: not in a test, which may undo what it has imported, as `pytester` does."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the tools' libraries: the program's tests are not about them
            return installing.tool("msgtrace_analysis.messages.fixture")

    def messages_of(self, item: pytest.Item) -> Any:
        """The fixture's value for a test."""
        fixture = self.prepare()
        made = fixture.Messages(
            self.db,
            os.environ.get(start.TESTED_BY),
            self._began_ns,
            update=bool(self._config.getoption("msgtrace_update")),
        )
        item.stash[_MESSAGES] = made
        return made

    # ---- workers -------------------------------------------------------------------------------------------------

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Tell a worker of pytest-xdist where the trace is."""
        node.workerinput[WORKER_DB] = str(self.db)

    # ---- the end -------------------------------------------------------------------------------------------------

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Everything has been torn down, workers included."""
        if self._end():
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_unconfigure(self) -> None:
        """For a session that was not finished."""
        self._end()

    def _end(self) -> bool:
        """Store, and write what was asked for; whether the baseline no longer holds."""
        if self._ended:
            return False
        self._ended = True
        trace = installing.uninstall()
        if trace is None:
            return False
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self._lines = [self._summary(trace), *trace.said, *self._reported()]
            problems = self._compared()
        self._lines += problems
        return bool(problems)

    def _summary(self, trace: installing.Trace) -> str:
        (row,) = trace.query(
            "select count(*) as operations, (select count(distinct test_id) from tests) as tests, "
            "(select coalesce(sum(lost), 0) from losses where reason not in ('mislabelled', 'hazard')) as lost from operations"
        ).to_pylist()
        lost = f"; {row['lost']} things were lost: msgtrace losses --db {self.db}" if row["lost"] else ""
        return f"{row['operations']} operations of {row['tests']} tests in {self._shown(self.db)}{lost}"

    def _shown(self, path: Path) -> str:
        return os.path.relpath(path) if path.is_relative_to(Path.cwd()) else str(path)

    def _reported(self) -> list[str]:
        folder = self._option("report")
        if folder is None:
            return []
        command = [sys.executable, "-P", "-m", "msgtrace", "report", "--db", str(self.db), "--out", str(folder)]
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, env=tool_environment(), check=False
        )
        if done.returncode:
            return [f"no report: {(done.stderr.strip() or done.stdout.strip()).removeprefix('Error: ')}"]
        return [f"report in {self._shown(folder)}"]

    def _compared(self) -> list[str]:
        file = self._option("baseline")
        if file is None:
            return []
        fixture = installing.tool("msgtrace_analysis.messages.fixture")
        whole = fixture.Messages(self.db, None, 0, update=bool(self._config.getoption("msgtrace_update")))
        try:
            whole.baseline(file)
        except (AssertionError, ValueError) as error:
            return str(error).splitlines()
        finally:
            whole.close()
        return []

    def pytest_report_header(self) -> str:
        """Say that it records."""
        return f"msgtrace: recording into {self._shown(self.db)}"

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say what came of it."""
        if self._lines:
            terminalreporter.section("msgtrace")
            for line in self._lines:
                terminalreporter.write_line(line)


def _mark(test: str, outcome: str | None = None) -> None:
    tracer = start.active()
    if tracer is not None:
        tracer.mark(test, outcome)


def _clear(db: Path) -> None:
    """Take away the trace of an earlier session, unless another one is recording into it.

    Raises:
        msgtrace.CannotRecordError: it is.
    """
    lock = installing.tool("msgtrace_collectors.recording_lock")
    recording = lock.recording_of(db)
    if recording is not None and os.path.exists(f"/proc/{recording.pid}"):  # noqa: PTH110 - a process, no path
        raise installing.CannotRecordError(
            f"{db}: another session is recording into it; choose a file with --msgtrace-db"
        )
    trace = installing.tool("msgtrace_collectors.trace")
    try:
        trace.open_trace(db).close()
    except (trace.MissingTraceError, trace.OtherVersionError, trace.BrokenTraceError):
        pass
    except trace.TraceError as error:
        raise installing.CannotRecordError(str(error)) from None
    for path in (db, db.with_name(f"{db.name}.wal")):
        path.unlink(missing_ok=True)
