"""`msgtrace run` and servers with workers: each request and task once, in the worker that had it, to the last one."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from itertools import count
from typing import TYPE_CHECKING

import pytest

from integration.http_server import PROGRAMS as HTTP_PROGRAMS
from integration.http_server import free_port
from integration.traced import DEADLINE_S, PROGRAMS, Started, clean_environment

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from integration.brokers import Redis

PYTHON = sys.executable
GUNICORN = [PYTHON, "-m", "gunicorn", "--bind", "127.0.0.1:PORT", "--graceful-timeout", "2"]
UVICORN = [PYTHON, "-m", "uvicorn", "--port", "PORT"]
SERVERS = {
    "gunicorn": [*GUNICORN, "-w", "2", "wsgi_app:application"],
    "gunicorn threads": [*GUNICORN, "-w", "2", "--threads", "3", "wsgi_app:application"],
    "gunicorn preloaded": [*GUNICORN, "-w", "2", "--preload", "wsgi_app:application"],
    "gunicorn uvicorn": [*GUNICORN, "-w", "2", "-k", "uvicorn.workers.UvicornWorker", "asgi_app:application"],
    "gunicorn of few requests": [*GUNICORN, "-w", "1", "--max-requests", "4", "wsgi_app:application"],
    "uvicorn": [*UVICORN, "--workers", "2", "asgi_app:application"],
}
REQUESTS = 40


def order(port: int, number: int, patience_s: float = 30) -> int:
    """One request, made again as long as nobody listens; its status."""
    deadline = time.monotonic() + patience_s
    while True:
        connection = HTTPConnection("127.0.0.1", port, timeout=30)
        try:
            connection.request("POST", f"/orders/{number}/items")
            return connection.getresponse().status
        except ConnectionError:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        finally:
            connection.close()


def started(server: list[str], port: int, folder: Path, **variables: str) -> Started:
    words = [word.replace("PORT", str(port)) for word in server]
    return Started(words, folder, env={"PYTHONPATH": str(HTTP_PROGRAMS), **variables})


@pytest.mark.parametrize("server", SERVERS)
def test_servers_with_workers(server: str, tmp_path: Path) -> None:
    port = free_port()
    with started(SERVERS[server], port, tmp_path) as program:
        assert order(port, REQUESTS) == 201
        with ThreadPoolExecutor(8) as pool:
            statuses = list(pool.map(lambda number: order(port, number), range(REQUESTS)))
        ended = program.end(signal.SIGTERM)
    assert statuses == [201] * REQUESTS
    assert ended.code in {0, -signal.SIGTERM}, ended.stderr
    caused = """
    select t.channel as path, e.body_json as number, c.certainty, t.process_id, e.process_id as sent_in
    from operations as t
    join causes as c on c.cause_id = t.operation_id
    join operations as e on e.operation_id = c.effect_id
    where t.kind = 'trigger' and e.kind = 'send' and e.routing_key = 'placed'
    """
    rows = ended.rows(caused)
    assert sorted((row["path"], int(row["number"])) for row in rows) == sorted(
        (f"/orders/{number}/items", number) for number in range(REQUESTS + 1)
    )
    assert {row["certainty"] for row in rows} == {"exact"}
    assert all(row["process_id"] == row["sent_in"] for row in rows)
    # Which worker accepts a connection is the kernel's choice; one of few requests is sure to be followed by another.
    assert len({row["process_id"] for row in rows}) >= (2 if server == "gunicorn of few requests" else 1)
    assert ended.values("select count(*) from operations where kind = 'trigger'") == [REQUESTS + 1]
    assert ended.values("select coalesce(sum(lost), 0) from losses") == [0]


def test_a_server_that_reloads(tmp_path: Path) -> None:
    for name in ("asgi_app.py", "bus.py"):
        (tmp_path / name).write_text((HTTP_PROGRAMS / name).read_text())
    port = free_port()
    server = [*UVICORN, "--reload", "--reload-dir", str(tmp_path), "asgi_app:application"]
    with started(server, port, tmp_path, PYTHONPATH=str(tmp_path)) as program:
        assert order(port, 1) == 201
        program.wait_for("Application startup complete", errors=True)
        # Uvicorn first looks at its files a while after it has started its worker: a change before that is none to it.
        for later in count(1):
            changed = time.time() + 5 * later
            os.utime(tmp_path / "bus.py", (changed, changed))
            with contextlib.suppress(AssertionError):
                program.wait_for("Reloading", errors=True, patience_s=min(2 * later, DEADLINE_S))
                break
            assert later < 10, program.errors
        program.wait_for("Application startup complete", count=2, errors=True)
        assert order(port, 2) == 201
        ended = program.end(signal.SIGTERM)
    rows = ended.rows("select process_id, body_json from operations where kind = 'send' and routing_key = 'placed'")
    assert sorted(row["body_json"] for row in rows) == ["1", "2"]
    assert len({row["process_id"] for row in rows}) == 2


CELERY = [
    PYTHON,
    "-m",
    "celery",
    "-A",
    "tasks",
    "worker",
    "-c",
    "2",
    "--without-gossip",
    "--without-mingle",
    "-l",
    "error",
]
TASKS = 4


def delay(variables: dict[str, str], folder: Path) -> None:
    """Put tasks into the queue, from a process that is not recorded."""
    code = f"from tasks import charge\nfor number in range({TASKS}): charge.delay(number)"
    subprocess.run([PYTHON, "-c", code], cwd=folder, env={**clean_environment(), **variables}, check=True, timeout=60)


@pytest.mark.redis
@pytest.mark.parametrize("children", ["prefork", "one task a child"])
def test_celery(children: str, redis_server: Redis, unique: Callable[[str], str], tmp_path: Path) -> None:
    """What tasks send is what the redis hook sees of the list that it goes into; that kombu takes it out, but not when."""
    queue = unique("tasks")
    variables = {
        "PYTHONPATH": str(PROGRAMS / "run"),
        "BROKER": f"redis://{redis_server.host}:{redis_server.port}/0",
        "QUEUE": queue,
    }
    delay(variables, tmp_path)
    options = ["--max-tasks-per-child", "1"] if children == "one task a child" else []
    with Started([*CELERY, *options], tmp_path, env=variables) as program:
        program.wait_for("shipped", count=TASKS)
        ended = program.end(signal.SIGTERM)
    assert ended.code == 0, ended.stderr
    sent = "select routing_key, body_json from operations where kind = 'send' and routing_key in ('charged', 'shipped')"
    rows = [(row["routing_key"], int(row["body_json"])) for row in ended.rows(sent)]
    assert sorted(rows) == sorted((event, number) for event in ("charged", "shipped") for number in range(TASKS))
    pids = {int(line.split()[2]) for line in ended.stdout.splitlines() if line.startswith("shipped")}
    assert pids <= set(ended.values("select pid from processes"))
    of_queue = f"from operations where system = 'redis' and channel = '{queue}'"
    assert ended.values(f"select count(*) {of_queue} and kind = 'send'") == [TASKS]
    lists = "select distinct channel, settings ->> 'no_ack' as no_ack from operations where kind = 'subscribe' and channel_kind = 'list'"
    assert ended.rows(lists) == [{"channel": queue, "no_ack": "false"}]
    assert ended.values("select coalesce(sum(lost), 0) from losses") == [0]
