"""Attaching to servers' workers under load again and again, on every minor version of Python. `make soak`.

The program's own count is held against one at the other end; what was recorded against what came back meanwhile.
"""

from __future__ import annotations

import fcntl
import json
import shutil
import signal
import tempfile
import threading
import time
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, Protocol, Self

import pytest

from integration.attaching import needs_debugger
from integration.http_server import free_port
from integration.interpreters import evaluated, every_minor_version, needs
from integration.recorded import read
from integration.traced import PROGRAMS, Started
from msgtrace.attached import LOCK
from msgtrace.attaching import session
from msgtrace.attaching.process import target
from msgtrace.attaching.workers import HELPERS, running
from msgtrace.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from integration.brokers import Redis

pytestmark = [pytest.mark.soak, pytest.mark.timeout(1500), every_minor_version()]
TIMES = 20
PROCESSES = 3
ATTACHED_S = 0.4
FOLDER = PROGRAMS / "attach"
SERVERS = {
    "gunicorn": ["gunicorn", "-w", "2", "--threads", "2", "--bind", "127.0.0.1:PORT", "serving_requests:wsgi"],
    "uvicorn": ["uvicorn", "--workers", "2", "--port", "PORT", "--log-level", "error", "serving_requests:asgi"],
}


@dataclass(frozen=True, slots=True)
class Done:
    """A number that the program was given, and when that went on, by the clock of this machine."""

    number: int
    began_ns: int
    ended_ns: int


class Load(Protocol):
    """Keeps a program at work, and counts at the other end."""

    def done(self) -> list[Done]:
        """What was done so far."""
        ...

    def accounts(self) -> list[dict[str, Any]]:
        """What each worker says of itself; it is at work no more."""
        ...


class Requests:
    """Numbered requests over HTTP, one after the other from each of three threads."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._over = threading.Event()
        self._done: list[Done] = []
        self._threads = [threading.Thread(target=self._ask, args=[1_000_000 * place]) for place in range(3)]

    def get(self, path: str) -> bytes:
        connection = HTTPConnection("127.0.0.1", self._port, timeout=60)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            assert answer.status == 200
            return answer.read()
        finally:
            connection.close()

    def _ask(self, number: int) -> None:
        while not self._over.is_set():
            number += 1
            began = time.monotonic_ns()
            self.get(f"/tick/{number}")
            self._done.append(Done(number, began, time.monotonic_ns()))
            time.sleep(0.001)

    def __enter__(self) -> Self:
        deadline = time.monotonic() + 60
        while True:
            try:
                self.accounts()
                break
            except OSError:
                assert time.monotonic() < deadline
                time.sleep(0.05)
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def done(self) -> list[Done]:
        return list(self._done)

    def accounts(self) -> list[dict[str, Any]]:
        found: dict[int, dict[str, Any]] = {}
        deadline = time.monotonic() + 60
        while len(found) < PROCESSES - 1:  # which worker answers is the kernel's choice
            assert time.monotonic() < deadline
            told = json.loads(self.get("/account"))
            found[told["pid"]] = told
        return list(found.values())


@dataclass(slots=True)
class Tasks:
    """Tasks of Celery's, sent by a program of its own."""

    python: str
    folder: Path
    variables: dict[str, str]
    redis: Redis
    sent: int = 0
    _load: Started = field(init=False)

    def __enter__(self) -> Self:
        self.accounts()
        command = [self.python, str(FOLDER / "serving_tasks.py")]
        self._load = Started(command, self.folder, traced=False, env=self.variables)
        return self

    def __exit__(self, *_: object) -> None:
        with self._load:
            ended = self._load.end(signal.SIGTERM)
        assert ended.code == 0, ended.stderr
        self.sent = int(ended.stdout)
        deadline = time.monotonic() + 120
        while len(self.done()) < self.sent:
            assert time.monotonic() < deadline, f"{len(self.done())} of {self.sent} tasks were done"
            time.sleep(0.1)

    def _list(self, name: str) -> list[Any]:
        import redis

        with redis.from_url(self.variables["BROKER"]) as client:
            return [json.loads(each) for each in client.lrange(f"{self.variables['QUEUE']}.{name}", 0, -1)]

    def done(self) -> list[Done]:
        return [Done(*each) for each in self._list("done")]

    def accounts(self) -> list[dict[str, Any]]:
        before = len(self._list("accounts"))
        deadline = time.monotonic() + 60
        while True:  # which child does a task is Celery's choice
            assert time.monotonic() < deadline
            code = "from serving_tasks import account\nfor _ in range(6): account.delay()"
            with Started([self.python, "-c", code], self.folder, traced=False, env=self.variables) as asking:
                assert asking.end().code == 0
            time.sleep(0.3)
            found = {each["pid"]: each for each in self._list("accounts")[before:]}
            if len(found) == PROCESSES - 1:
                return list(found.values())


def family(pid: int) -> list[int]:
    """A server and what it has started, but for an interpreter's own helpers."""
    processes = running()
    chosen = {pid}
    while more := {each.pid for each in processes.values() if each.parent in chosen} - chosen:
        chosen |= more
    return [each for each in sorted(chosen) if not any(name in " ".join(processes[each].words) for name in HELPERS)]


@dataclass(slots=True)
class Costs:
    """What attaching and detaching cost the processes, in milliseconds."""

    stopped: list[float] = field(default_factory=list)
    busy: list[float] = field(default_factory=list)

    def __str__(self) -> str:
        return (
            f"stopped {median(self.stopped):.0f} ms (at most {max(self.stopped):.0f}), "
            f"busy {median(self.busy):.0f} ms (at most {max(self.busy):.0f})"
        )


def once(pids: list[int], load: Load, costs: Costs) -> int:
    """Attach to all, detach from all; how many messages had to be recorded meanwhile, and were."""
    spool = Path(tempfile.mkdtemp(prefix="msgtrace-", dir="/dev/shm"))
    try:
        with (spool / LOCK).open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            for pid in pids:
                begun = session.attach(spool, target(pid), Settings(spool_limit=64 << 20))
                assert begun.outcome == "attached", begun.detail
                costs.stopped.append(begun.stopped_ns / 1e6)
                costs.busy.append(begun.ran_ns / 1e6)
            first = time.monotonic_ns()
            time.sleep(ATTACHED_S)
            last = time.monotonic_ns()
            for pid in pids:
                over = session.detach(spool, pid)
                assert (over.outcome, over.detail) == ("detached", "")
                costs.stopped.append(over.stopped_ns / 1e6)
                costs.busy.append(over.ran_ns / 1e6)
        recording = read(spool)
    finally:
        shutil.rmtree(spool)
    assert (recording.losses, recording.dropped) == ([], 0)
    emitted = recording.of("send", routing_key="request")
    numbers = [int(each["data"]) for each in emitted]
    assert len(set(numbers)) == len(numbers)
    time.sleep(0.2)  # what was being told
    wanted = {each.number for each in load.done() if each.began_ns > first and each.ended_ns < last}
    assert wanted <= set(numbers), f"not recorded: {sorted(wanted - set(numbers))[:10]}"
    return len(wanted)


def often(server: Started, load: Any, what: str) -> None:
    """All of it, and what the workers say at the end."""
    costs, recorded = Costs(), 0
    with load:
        for _ in range(TIMES):
            pids = family(server.process.pid)
            assert len(pids) == PROCESSES
            recorded += once(pids, load, costs)
    accounts = load.accounts()
    done = [each.number for each in load.done()]
    ended = server.end(signal.SIGTERM)
    assert ended.code in {0, -signal.SIGTERM}, ended.stderr
    assert len(set(done)) == len(done)
    assert sum(each["emitted"] for each in accounts) == sum(each["handled"] for each in accounts) == len(done)
    assert [each["changed"] for each in accounts] == [[]] * len(accounts)
    assert recorded
    print(
        f"\n{what}: {TIMES} of {TIMES} times {PROCESSES} processes; {len(done):,} messages, none lost; "
        f"{recorded:,} while attached, all recorded; {costs}"
    )


def named(python: str, *modules: str) -> str:
    needs_debugger()
    if evaluated(python, "__import__('sys').version_info >= (3, 14)"):
        pytest.skip("Python 3.14 comes to nobody who only waits")
    needs(python, *modules)
    return str(evaluated(python, "'.'.join(map(str, __import__('sys').version_info[:3]))"))


@pytest.mark.parametrize("server", SERVERS)
def test_workers_that_answer_requests(python: str, server: str, tmp_path: Path) -> None:
    version = named(python, server)
    port = free_port()
    words = [python, "-m", *(word.replace("PORT", str(port)) for word in SERVERS[server])]
    with Started(words, tmp_path, traced=False, env={"PYTHONPATH": str(FOLDER)}) as running_server:
        often(running_server, Requests(port), f"{server}, Python {version}")


@pytest.mark.redis
def test_workers_that_do_tasks(python: str, redis_server: Redis, unique: Callable[[str], str], tmp_path: Path) -> None:
    version = named(python, "celery", "redis")
    broker = f"redis://{redis_server.host}:{redis_server.port}/0"
    variables = {"PYTHONPATH": str(FOLDER), "BROKER": broker, "QUEUE": unique("tasks")}
    options = ["-A", "serving_tasks", "worker", "-c", "2", "--without-gossip", "--without-mingle", "-l", "error"]
    with Started([python, "-m", "celery", *options], tmp_path, traced=False, env=variables) as worker:
        often(worker, Tasks(python, tmp_path, variables, redis_server), f"celery, Python {version}")
