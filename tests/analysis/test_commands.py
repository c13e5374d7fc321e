"""The commands as users type them: real processes on real files, good and bad input."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from tests.analysis.hostile import hostile_trace
from tests.analysis.made_trace import MadeTrace

READING = ["report", "events", "flows", "rates", "schemas", "show", "queues", "losses", "tail", "sql", "follow"]
ENVIRONMENT = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
ARGUMENTS = {"sql": ["select 1"], "follow": ["1"], "show": ["x"]}


def msgtrace(
    *arguments: str | Path, cwd: Path, stdin: str = "", limit_bytes: int | None = None, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run a command, which can write no larger file than `limit_bytes`."""
    limit = [] if limit_bytes is None else ["prlimit", f"--fsize={limit_bytes}"]
    return subprocess.run(
        [*limit, "msgtrace", *map(str, arguments)],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        input=stdin,
        env=ENVIRONMENT | variables,
    )


def complaint(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("Error: ")
    return last


@pytest.fixture
def shop(tmp_path: Path) -> MadeTrace:
    """A small trace at the default place under `tmp_path`."""
    made = MadeTrace(tmp_path / ".msgtrace" / "trace.duckdb")
    trigger = made.operation(
        "trigger", "http", service="web", channel="/orders", channel_kind="route", routing_key="POST"
    )
    send = made.send(
        service="web",
        channel="orders",
        channel_kind="exchange",
        event_type="order.placed",
        body={"id": 1},
        message_id="m-1",
        correlation_id="c-1",
    )
    made.cause(trigger, send)
    receive = made.receive(
        send,
        service="mail",
        channel="mail.orders",
        channel_kind="queue",
        event_type="order.placed",
        message_id="m-1",
        handler="/app/mail.py:9 on_order",
    )
    made.settle("ack", receive, service="mail", channel="mail.orders", channel_kind="queue")
    made.write()
    return made


@pytest.mark.parametrize("command", READING)
def test_a_file_that_is_not_there(command: str, tmp_path: Path) -> None:
    said = complaint(msgtrace(command, *ARGUMENTS.get(command, []), "--db", "no.duckdb", cwd=tmp_path))
    assert "no.duckdb" in said
    assert "msgtrace run" in said
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", READING)
def test_a_file_that_is_no_trace_is_left_as_it_is(command: str, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("my notes\n" * 10)
    said = complaint(msgtrace(command, *ARGUMENTS.get(command, []), "--db", "notes.txt", cwd=tmp_path))
    assert "notes.txt" in said
    assert (tmp_path / "notes.txt").read_text() == "my notes\n" * 10


def test_somebody_elses_database_is_left_as_it_is(tmp_path: Path) -> None:
    with duckdb.connect(tmp_path / "mine.duckdb") as connection:
        connection.execute("create table t as select 1 as a")
    before = (tmp_path / "mine.duckdb").read_bytes()
    assert "no trace of msgtrace" in complaint(msgtrace("report", "--db", "mine.duckdb", cwd=tmp_path))
    assert (tmp_path / "mine.duckdb").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["mine.duckdb"]


def test_a_trace_that_may_not_be_read(shop: MadeTrace, tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may read everything")
    shop.path.chmod(0)
    assert "permission" in complaint(msgtrace("events", cwd=tmp_path))


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["evnts"], "No such command"),
        (["events", "--formt", "json"], "--format"),
        (["events", "--format", "yaml"], "'csv'"),
        (["sql"], "Missing argument"),
        (["follow"], "Missing argument"),
        (["tail", "-n", "-1"], "-n"),
        (["events", "extra"], "unexpected extra argument"),
        (["events", "--since", "yesterday"], "like 10m"),
        (["rates", "--of", "queue"], "'backlog'"),
        (["show"], "Missing argument"),
    ],
)
def test_wrong_words_are_told_apart_from_wrong_files(arguments: list[str], hint: str, tmp_path: Path) -> None:
    done = msgtrace(*arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert hint in complaint(done)


def test_an_empty_trace_is_reported_with_a_hint(tmp_path: Path) -> None:
    MadeTrace(tmp_path / "trace.duckdb").write()
    done = msgtrace("report", "--db", "trace.duckdb", cwd=tmp_path)
    assert done.returncode == 0
    assert "msgtrace doctor" in done.stderr
    assert msgtrace("events", "--db", "trace.duckdb", cwd=tmp_path).stdout.startswith("No message is in this trace.")
    assert json.loads(msgtrace("events", "--db", "trace.duckdb", "--format", "json", cwd=tmp_path).stdout) == []


def test_looks_as_table_json_and_csv(shop: MadeTrace, tmp_path: Path) -> None:
    table = msgtrace("events", cwd=tmp_path).stdout.splitlines()
    assert table[0].split()[:3] == ["event", "system", "channel"]
    assert table[1].split()[:4] == ["order.placed", "rabbitmq", "exchange", "orders"]
    (event,) = json.loads(msgtrace("events", "--format", "json", cwd=tmp_path).stdout)
    assert (event["event"], event["sent"], event["received"], event["publishers"]) == ("order.placed", 1, 1, ["web"])
    (flow,) = csv.DictReader(io.StringIO(msgtrace("flows", "--format", "csv", cwd=tmp_path).stdout))
    assert (flow["trigger"], flow["event"], flow["received_by"], flow["p95_ms"]) == (
        "POST /orders",
        "order.placed",
        "mail: on_order",
        "1.0",
    )
    queues = json.loads(msgtrace("queues", "--format", "json", cwd=tmp_path).stdout)
    assert [(each["what"], each["kind"], each["name"]) for each in queues] == [
        ("channel", "exchange", "orders"),
        ("channel", "queue", "mail.orders"),
    ]
    assert msgtrace("losses", cwd=tmp_path).stdout == "The trace counts no losses.\n"


def test_sql_answers_what_reads_and_refuses_what_writes(shop: MadeTrace, tmp_path: Path) -> None:
    question = "select kind, body_json, observed_at, body from operations where kind = 'send'"
    (row,) = json.loads(msgtrace("sql", question, "--format", "json", cwd=tmp_path).stdout)
    assert (row["kind"], row["body_json"], row["body"]) == ("send", {"id": 1}, '{"id": 1}')
    assert row["observed_at"].startswith("2023-11-14 22:13:20.002")
    assert msgtrace("sql", "-", cwd=tmp_path, stdin="select 1 as a, 2 as a").stdout == "a  a_2\n1    2\n"
    before = shop.path.read_bytes()
    for bad in (
        "drop table links",
        "select 1; select 2",
        "selekt",
        "select nothing from operations",
        "copy links to 'x.csv'",
    ):
        complaint(msgtrace("sql", bad, cwd=tmp_path))
    assert shop.path.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == [".msgtrace"]


@pytest.mark.parametrize("identity", ["m-1", "c-1", "2000000000001"])
def test_follow_shows_what_came_before_and_after(shop: MadeTrace, tmp_path: Path, identity: str) -> None:
    tree = [line for line in msgtrace("follow", identity, cwd=tmp_path).stdout.splitlines() if " ms " in line]
    assert [line.split("#")[-1] for line in tree] == [
        "1000000000001",
        "1000000000002",
        "2000000000001",
        "2000000000002",
    ]
    assert "received mail receive rabbitmq mail.orders order.placed" in tree[2]
    assert "settled mail settle" in tree[3]
    rows = json.loads(msgtrace("follow", identity, "--format", "json", cwd=tmp_path).stdout)
    assert [[bond["how"] for bond in row["follows"]] for row in rows] == [[], ["caused"], ["received"], ["settled"]]


def test_follow_of_nothing_says_so(shop: MadeTrace, tmp_path: Path) -> None:
    assert "nothing in .msgtrace/trace.duckdb has this id" in complaint(msgtrace("follow", "m-2", cwd=tmp_path))


def test_tail_of_a_recording_that_has_ended(shop: MadeTrace, tmp_path: Path) -> None:
    done = msgtrace("tail", "-n", "2", cwd=tmp_path)
    assert [line.split()[1] for line in done.stdout.splitlines()] == ["2000000000001", "2000000000002"]
    assert "not being recorded" in done.stderr
    lines = msgtrace("tail", "--kind", "send", "--format", "json", cwd=tmp_path).stdout.splitlines()
    assert [json.loads(line)["message_id"] for line in lines] == ["m-1"]
    assert msgtrace("tail", "--channel", "mail.orders", "--format", "csv", cwd=tmp_path).stdout.count("\n") == 3


def test_a_reader_that_has_seen_enough_is_no_error(tmp_path: Path) -> None:
    made = MadeTrace(tmp_path / "trace.duckdb")
    hostile_trace(made)
    made.write()
    command = "set -o pipefail; msgtrace events --db trace.duckdb --format json | head -c 1"
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=ENVIRONMENT,
    )
    assert (done.stdout, done.stderr) == ("[", "")
