"""The pytest plugin, in real sessions of pytest: off until asked, one trace, whose test is what, failures that are readable."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Any

import pytest

from msgtrace_collectors.trace import open_trace  # before pytester notes which modules there are: pyarrow loads once

if TYPE_CHECKING:
    from pathlib import Path

INI = "[pytest]\nasyncio_default_fixture_loop_scope = function\nfilterwarnings = error\n"
SHOP = """
    import pyee.base

    bus = pyee.base.EventEmitter()

    @bus.on("order.created")
    def charge(order):
        bus.emit("order.paid", {"id": order["id"], "amount": 3.5})

    @bus.on("order.paid")
    def ship(order):
        pass
"""


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(("MSGTRACE_", "PYTEST_XDIST"))]:
        monkeypatch.delenv(name)


def ran(pytester: pytest.Pytester, tests: str, *options: str, shop: str = SHOP) -> pytest.RunResult:
    pytester.makeini(INI)
    pytester.makepyfile(shop=shop, test_shop=tests)
    return pytester.runpytest_subprocess("-p", "no:cacheprovider", *options, timeout=120)


def rows(pytester: pytest.Pytester, sql: str, name: str = "pytest.duckdb") -> list[dict[str, Any]]:
    with open_trace(pytester.path / ".msgtrace" / name) as trace:
        found: list[dict[str, Any]] = trace.query(sql).to_pylist()
    return found


def test_off_it_loads_nothing_and_writes_nothing(pytester: pytest.Pytester) -> None:
    """Also where a project has a fixture of that name itself."""
    pytester.makeconftest("import pytest\n@pytest.fixture\ndef messages(): return 'theirs'")
    result = ran(
        pytester,
        """
        import sys
        import pyee.base

        def test_it(messages):
            assert messages == "theirs"
            assert {name for name in sys.modules if name.startswith("msgtrace")} == {"msgtrace", "msgtrace.pytest_plugin"}
            assert "msgtrace" not in pyee.base.EventEmitter.emit.__code__.co_filename
        """,
    )
    result.assert_outcomes(passed=1)
    assert not (pytester.path / ".msgtrace").exists()


def test_what_tests_expect(pytester: pytest.Pytester) -> None:
    """The fixture alone makes it record."""
    result = ran(
        pytester,
        """
        import re, subprocess, sys, threading
        import pytest
        from shop import bus

        def test_blocking(messages):
            bus.emit("order.created", {"id": 1, "to": "ada@example.org"})
            (paid,) = (
                messages.expect("order.paid", channel="*EventEmitter", count=1)
                .sent_by("tests").received_by("ship").caused_by("order.created")
                .matching({"id": 1, "amount": float}).wait()
            )
            assert paid.body == {"id": 1, "amount": 3.5}
            messages.none("order.failed").wait()
            messages.expect("order.*", count=2)  # never waited for, and true

        @pytest.mark.asyncio
        async def test_awaited(messages):
            threading.Timer(0.3, bus.emit, ["late", {"a": 1}]).start()
            (late,) = await messages.expect("late")
            assert late.body == {"a": 1}
            assert [each.name for each in messages] == ["late"]  # those of the other test are not this one's

        def test_a_child(messages):
            program = "import pyee.base; pyee.base.EventEmitter().emit('child.done', 1)"
            subprocess.run(["sh", "-c", f"'{sys.executable}' -c \\"{program}\\"; true"], check=True)
            messages.expect("child.done", count=1).wait()

        @pytest.fixture
        def order():
            bus.emit("order.created", {"id": 7})

        def test_what_a_fixture_sent_is_the_tests(order, messages):
            messages.expect("order.created", count=1).wait()

        def test_fails_readably(messages):
            bus.emit("order.created", {"id": 2, "to": "ada@example.org"})
            messages.expect("order.paid", within=0.1).matching({"id": 3}).wait()

        def test_too_many(messages):
            bus.emit("order.created", {"id": 2})
            bus.emit("order.created", {"id": 2})
            messages.expect("order.paid", count=1).wait()

        def test_fails_though_it_did_not_wait(messages):
            bus.emit("order.created", {"id": 2})
            messages.none("order.paid")
            messages.expect("order.lost", within=0.1)

        def test_odd_names(messages):
            bus.emit("[red]x\\x1b[31m", {"[/bold]": "\\n"})
            messages.expect("y", within=0).wait()
        """,
        "-p", "no:xdist",
    )  # fmt: skip
    result.assert_outcomes(passed=4, failed=4)
    text = result.stdout.str()
    assert "expected 'order.paid' matching {'id': 3}: at least 1 within 0.1 s, seen none" in text
    assert "body.id: 2, expected 3" in text
    assert "expected 'order.paid': 1 within 5 s, seen 2" in text
    assert "expected 'order.paid': none, seen 1" in text
    assert "expected 'order.lost'" in text
    assert "ada@example.org" not in text.partition("FAILURES")[2].replace('"to": "ada@example.org"', "")
    assert "[email]" in text
    assert "\x1b[31m" not in text
    assert "[red]x�[31m" in text
    result.stdout.fnmatch_lines(["* operations of 8 tests in .msgtrace/pytest.duckdb"])
    ids = rows(
        pytester,
        "select t.test_id, o.routing_key, t.method, t.certainty from test_operations as t join operations as o using (operation_id) "
        "where o.kind = 'send' and t.test_id like '%child%'",
    )
    assert [(row["routing_key"], row["method"], row["certainty"]) for row in ids] == [
        ("child.done", "meanwhile", "likely")
    ]
    outcomes = rows(pytester, "select test_id, outcome from tests order by started_ns")
    assert [row["outcome"] for row in outcomes] == ["passed"] * 4 + ["failed"] * 4
    assert outcomes[0]["test_id"] == "test_shop.py::test_blocking"


XDIST = """
    import asyncio
    import pytest
    from shop import bus

    @pytest.mark.parametrize("number", range(6))
    def test_blocking(messages, number):
        bus.emit("order.created", {"id": number})
        (paid,) = messages.expect("order.paid", count=1).wait()
        assert paid.body["id"] == number

    @pytest.mark.asyncio
    async def test_awaited(messages):
        asyncio.get_running_loop().call_later(0.1, bus.emit, "order.created", {"id": 100})
        (paid,) = await messages.expect("order.paid", count=1).matching({"id": 100})
"""


def test_with_xdist_there_is_one_trace_of_all_workers(pytester: pytest.Pytester) -> None:
    result = ran(pytester, XDIST, "-n", "2", "--msgtrace", "--msgtrace-report", "report")
    result.assert_outcomes(passed=7)
    found = rows(pytester, "select distinct test_id, process_id, outcome from tests")
    assert len(found) == 7
    assert len({row["process_id"] for row in found}) == 2
    assert {row["outcome"] for row in found} == {"passed"}
    sends = rows(
        pytester, "select test_id, body_json ->> '$.id' as id from operations where routing_key = 'order.paid'"
    )
    assert sorted(row["id"] for row in sends if f"[{row['id']}]" in row["test_id"] or row["id"] == "100") == sorted(
        [*map(str, range(6)), "100"]
    )
    assert {row["service"] for row in rows(pytester, "select service from processes")} == {"tests"}
    assert "order.paid" in (pytester.path / "report" / "MESSAGING_GUIDE.md").read_text()
    assert [path.name for path in (pytester.path / ".msgtrace").iterdir()] == ["pytest.duckdb"]


def test_with_xdist_it_must_be_asked_for(pytester: pytest.Pytester) -> None:
    result = ran(pytester, "def test_it(messages): pass", "-n", "1")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*the `messages` fixture needs --msgtrace*"])


def test_baselines(pytester: pytest.Pytester) -> None:
    """Written when asked for; added things break nobody, vanished ones fail the session, though every test passes."""
    tests = """
        from shop import bus

        def test_it(messages):
            bus.emit("order.created", {"id": 1})
            messages.baseline("one-test.json")
    """
    options = ("--msgtrace-baseline", "all.json", "-p", "no:xdist")
    missing = ran(pytester, tests, *options)
    assert missing.ret == pytest.ExitCode.TESTS_FAILED
    missing.stdout.fnmatch_lines(["*there is no such baseline yet*--msgtrace-update*"])
    ran(pytester, tests, *options, "--msgtrace-update").assert_outcomes(passed=1)
    saved = json.loads((pytester.path / "all.json").read_text())
    assert saved["events"]["order.paid"]["fields"] == {"amount": ["number"], "id": ["integer"]}
    assert json.loads((pytester.path / "one-test.json").read_text())["events"] == saved["events"]
    changed = SHOP.replace('{"id": order["id"], "amount": 3.5}', '{"id": str(order["id"])}')
    result = ran(pytester, tests.replace('messages.baseline("one-test.json")', ""), *options, shop=changed)
    result.assert_outcomes(passed=1)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(
        ["2 things that *all.json has no longer hold*", "*order.paid: field amount has vanished",
         "*order.paid: field id was integer, is string"]
    )  # fmt: skip


def test_under_run_it_says_so(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_it(): pass")
    result = pytester.run(
        sys.executable, "-m", "msgtrace", "run", "--db", "run.duckdb", "--", sys.executable, "-m", "pytest", "--msgtrace",
        timeout=60,
    )  # fmt: skip
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: msgtrace: this process is being recorded already*"])


def test_what_is_not_ours_is_not_taken_away(pytester: pytest.Pytester) -> None:
    theirs: Path = pytester.path / ".msgtrace" / "pytest.duckdb"
    theirs.parent.mkdir()
    theirs.write_text("a diary")
    result = ran(pytester, "def test_it(): pass", "--msgtrace")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert theirs.read_text() == "a diary"
