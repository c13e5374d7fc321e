"""The pytest plugin: its options, and the `messages` fixture. Off until asked: `pytest --msgtrace`, or a test with the fixture.

Every pytest loads this where msgtrace is installed, so it imports nothing that is not there. `pytest_session` does the work.
"""

from __future__ import annotations

import os
import sys

import pytest

TYPE_CHECKING = False  # as typing has it: see above
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from msgtrace.pytest_session import Session

FIXTURE = "messages"
NAME = "msgtrace-session"
SERVICE = "tests"


def pytest_addoption(parser: pytest.Parser) -> None:
    """See docs/pytest.md."""
    start = sys.modules.get("msgtrace.start")
    tracer = start.active() if start is not None and os.environ.get("PYTEST_XDIST_WORKER") else None
    if tracer is not None:
        tracer.call(SERVICE)  # before a conftest imports what is recorded
    group = parser.getgroup("msgtrace", "msgtrace: record the messages of this test session")
    group.addoption(
        "--msgtrace", action="store_true", help="Record every message that tests, and what they start, really send."
    )
    group.addoption(
        "--msgtrace-db", metavar="FILE", help="The trace file; .msgtrace/pytest.duckdb, anew each time, by default."
    )
    group.addoption("--msgtrace-report", metavar="DIR", help="Write the messaging guide and its like there at the end.")
    group.addoption(
        "--msgtrace-baseline",
        metavar="FILE",
        help="Fail when what this saved baseline has of messages no longer holds.",
    )
    group.addoption("--msgtrace-update", action="store_true", help="Write baselines anew instead.")
    parser.addini("msgtrace", "Record, as --msgtrace.", type="bool", default=False)
    for name, what in (("db", "trace file"), ("report", "folder of the report"), ("baseline", "saved baseline")):
        parser.addini(f"msgtrace_{name}", f"As --msgtrace-{name}: the {what}, seen from the root folder.", default="")
    parser.addini(
        "msgtrace_only", "Record these libraries alone, by the names that are imported.", type="args", default=[]
    )
    parser.addini("msgtrace_ignore", "Record none of these libraries.", type="args", default=[])
    parser.addini("msgtrace_redact", "Rules of redaction, a line each.", type="linelist", default=[])


def pytest_configure(config: pytest.Config) -> None:
    """Begin to record, if it is asked for, before a test's module is imported."""
    asked = ("msgtrace", "msgtrace_db", "msgtrace_report", "msgtrace_baseline", "msgtrace_update")
    if (config.getini("msgtrace") or any(config.getoption(name) for name in asked)) and not config.option.collectonly:
        _begun(config)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Begin to record when a test that is going to run has the fixture."""
    config = session.config
    if config.option.collectonly or not any(
        _is_ours(item) for item in session.items if FIXTURE in getattr(item, "fixturenames", ())
    ):
        return
    if config.pluginmanager.hasplugin(NAME) or not hasattr(config, "workerinput"):
        _begun(config).prepare()


def _is_ours(item: Any) -> bool:
    """Whether an item's fixture of that name is this one, and not one of its own project's."""
    try:
        return item._fixtureinfo.name2fixturedefs[FIXTURE][-1].func.__module__ == __name__  # type: ignore[no-any-return]  # noqa: SLF001 - there is no public way
    except (AttributeError, LookupError):
        return False


def _begun(config: pytest.Config) -> Session:
    from msgtrace import pytest_session  # noqa: PLC0415 - see above

    return pytest_session.begun(config)


@pytest.fixture
def messages(request: pytest.FixtureRequest) -> Iterator[Any]:
    """What this test sends, and what follows from it: `messages.expect("order.created", within=5).wait()`; docs/pytest.md.

    A `msgtrace_analysis.messages.fixture.Messages`.
    """
    session: Any = request.config.pluginmanager.getplugin(NAME)
    if session is None:
        if hasattr(request.config, "workerinput"):
            pytest.fail(
                "under pytest-xdist the `messages` fixture needs --msgtrace, or `msgtrace = true` in the ini file",
                pytrace=False,
            )
        session = _begun(request.config)  # asked for by `request.getfixturevalue`
    made = session.messages_of(request.node)
    try:
        yield made
    finally:
        made.close()
