"""`msgtrace attach --all`: the workers of servers under load, and what a process forks once it was attached to."""

from __future__ import annotations

import shutil
import signal
import sys
import threading
import time
from typing import TYPE_CHECKING, Any, Self

import pytest

from integration.attaching import REMOTE_EXEC, attach, needs_debugger
from integration.http_server import PROGRAMS as HTTP_PROGRAMS
from integration.http_server import free_port
from integration.test_run_servers import CELERY, delay, order
from integration.traced import PROGRAMS, Ended, Started
from msgtrace_collectors.trace import open_trace

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from integration.brokers import Redis

pytestmark = pytest.mark.skipif(
    REMOTE_EXEC, reason="a server's parent only waits, and Python 3.14 comes to nobody who does"
)
SERVERS = {
    "gunicorn": [
        "--bind",
        "127.0.0.1:PORT",
        "--graceful-timeout",
        "2",
        "-w",
        "2",
        "--threads",
        "2",
        "wsgi_app:application",
    ],
    "uvicorn": ["--port", "PORT", "--workers", "2", "asgi_app:application"],
}
NUMBERS = "select body_json from operations where kind = 'send' and routing_key = '{}'"


@pytest.fixture(autouse=True)
def _debugger() -> None:
    needs_debugger()


def named(command: str, folder: Path) -> str:
    """A console script of this environment under a name that no other process of this machine has."""
    name = f"{command}-{folder.parent.name}-{folder.name}"
    shutil.copy(f"{sys.exec_prefix}/bin/{command}", folder / name)
    return name


def rows(folder: Path, sql: str) -> list[Any]:
    with open_trace(folder / "trace.duckdb") as trace:
        return [next(iter(row.values())) for row in trace.query(sql).to_pylist()]


def left(attached: Started) -> Ended:
    """Ctrl-C, and what came of it."""
    with attached:
        ended = attached.end(signal.SIGINT)
    assert ended.code == 0, ended.stderr
    return ended


class Load:
    """Requests, one after the other from each of three threads, as long as the block lasts."""

    def __init__(self, port: int) -> None:
        self.statuses: list[int] = []
        self._port = port
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._ask) for _ in range(3)]

    def _ask(self) -> None:
        while not self._over.is_set():
            self.statuses.append(order(self._port, 0))

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()


@pytest.mark.parametrize("server", ["gunicorn", pytest.param("uvicorn", marks=pytest.mark.soak)])
def test_servers_under_load(server: str, tmp_path: Path) -> None:
    port = free_port()
    name = named(server, tmp_path)
    words = [sys.executable, name, *(word.replace("PORT", str(port)) for word in SERVERS[server])]
    with Started(words, tmp_path, traced=False, env={"PYTHONPATH": str(HTTP_PROGRAMS)}) as running:
        assert order(port, 0) == 201
        with Load(port) as load:
            attached = attach(tmp_path, "--all", name)
            attached.wait_for("attached to", count=3, errors=True)
            asked = [order(port, number) for number in range(1, 31)]
            ended = left(attached)
        assert order(port, 0) == 201
        running.end(signal.SIGTERM)
    assert set(asked) | set(load.statuses) == {201}
    assert ended.stderr.count("detached from") == 3
    numbers = sorted(int(number) for number in rows(tmp_path, NUMBERS.format("placed")) if number != "0")
    assert numbers == list(range(1, 31))
    assert rows(tmp_path, "select coalesce(sum(lost), 0) from losses") == [0]


@pytest.mark.redis
def test_a_celery_worker(redis_server: Redis, unique: Callable[[str], str], tmp_path: Path) -> None:
    variables = {
        "PYTHONPATH": str(PROGRAMS / "run"),
        "BROKER": f"redis://{redis_server.host}:{redis_server.port}/0",
        "QUEUE": unique("tasks"),
    }
    name = named("celery", tmp_path)
    words = [sys.executable, name, *CELERY[3:]]
    with Started(words, tmp_path, traced=False, env=variables) as running:
        delay(variables, tmp_path)
        running.wait_for("shipped", count=4)
        attached = attach(tmp_path, "--all", name)
        attached.wait_for("attached to", count=3, errors=True)
        delay(variables, tmp_path)
        running.wait_for("shipped", count=8)
        left(attached)
        assert running.end(signal.SIGTERM).code == 0
    for event in ("charged", "shipped"):
        assert sorted(rows(tmp_path, NUMBERS.format(event))) == ["0", "1", "2", "3"]
    assert rows(tmp_path, "select coalesce(sum(lost), 0) from losses") == [0]


def test_what_is_forked_later_is_recorded_and_left_too(tmp_path: Path) -> None:
    program = [sys.executable, str(PROGRAMS / "attach" / "forking.py")]
    with Started(program, tmp_path, traced=False) as running:
        running.wait_for("ready")
        attached = attach(tmp_path, str(running.process.pid))
        attached.wait_for("attached to", errors=True)
        running.process.send_signal(signal.SIGUSR1)
        (line,) = running.wait_for("forked")
        child = int(line.split()[1])
        time.sleep(0.3)
        ended = left(attached)
    assert f"detached from {child}" in ended.stderr
    assert set(rows(tmp_path, "select pid from processes")) == {running.process.pid, child}
