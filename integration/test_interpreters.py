"""Other minor versions of Python, with the wheel installed: what is hooked looks as before and is put back, and records."""

from __future__ import annotations

from pathlib import Path

import pytest

from integration.interpreters import evaluated, every_minor_version
from integration.recorded import record
from integration.traced import PROGRAMS, run

pytestmark = every_minor_version()


MODULES = {
    "pyee": ["pyee.asyncio", "pyee.executor"],
    "blinker": ["blinker"],
    "redis": ["redis.asyncio", "redis.cluster"],
    "websockets": ["websockets.asyncio.server", "websockets.sync.client"],
    "kafka": ["kafka"],
    "aio_pika": ["aio_pika"],
}


@pytest.mark.parametrize("library", MODULES)
def test_methods_look_as_before_and_are_put_back(python: str, library: str) -> None:
    script = str(Path(__file__).parent / "restored.py")
    ended = record(["-W", "ignore", script, *MODULES[library]], python=python)
    assert (ended.exit_code, ended.losses) == (0, []), ended.stderr
    points = [each for each in ended.said if each["status"] == "wrapped"]
    assert points
    assert [each for each in ended.said if each["status"] in {"missing", "failed"}] == []
    # Of a method with two points, the outer one's original is the inner one's replacement.
    targets = [each["target"] for each in points]
    assert [each["target"] for each in points if not each["restored"] and targets.count(each["target"]) == 1] == []
    if evaluated(python, "__import__('sys').version_info >= (3, 12)"):
        # Until 3.11 not all are: docs/decisions/0004-closures-and-one-proxy.md.
        assert [each["target"] for each in points if not each.get("alike", True)] == []


def test_programs_are_recorded(python: str, tmp_path: Path) -> None:
    ended = run([python, str(PROGRAMS / "run" / "emitting.py")], tmp_path)
    assert (ended.code, ended.stdout, ended.stderr) == (0, "hello world\nhello nobody\n", "")
    assert ended.values("select routing_key from operations where kind = 'send'") == ["greeting"] * 2
    assert ended.values("select python from processes") == [
        evaluated(python, "__import__('platform').python_version()")
    ]


@pytest.mark.parametrize("way", ["fork", "fork_without_handlers", "spawn", "forkserver"])
def test_processes_are_recorded(python: str, way: str, tmp_path: Path) -> None:
    ended = run([python, str(PROGRAMS / "run" / "processes.py"), way], tmp_path)
    assert (ended.code, ended.stderr) == (0, "")
    (sent,) = ended.values("select count(*) from operations where kind = 'send' and routing_key = 'work'")
    assert sent == len(ended.stdout.splitlines())
