"""`ignore()`: what is done inside is not recorded, by the compiled part and by the Python that it stands for."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from typing import TYPE_CHECKING

import pytest

import msgtrace

if TYPE_CHECKING:
    from pathlib import Path

PROGRAM = """
    import asyncio, json, sys, threading
    import msgtrace

    with msgtrace.ignore():
        import pyee.base  # the compiled part may be loaded while something is being ignored
        if sys.argv[2] == "early":
            import msgtrace.guarded

    emitter = pyee.base.EventEmitter()
    emitter.on("order", lambda id: None)

    def emit(id):
        return emitter.emit("order", id)

    @msgtrace.ignore()
    def decorated(id):
        '''Its own.'''
        return emit(id)

    @msgtrace.ignore()
    async def awaited(id):
        await asyncio.sleep(0)
        return emit(id)

    async def in_tasks():
        with msgtrace.ignore():
            ignored = asyncio.create_task(asyncio.to_thread(emit, "hidden: its task"))
        emit("seen: beside it")
        await ignored
        assert await awaited("hidden: awaited")
        emit("seen: after it")

    with msgtrace.tracing(sys.argv[1]) as trace:
        emit("seen: before")
        try:
            with msgtrace.ignore():
                emit("hidden: inside")
                with msgtrace.ignore():
                    emit("hidden: nested")
                emit("hidden: after the nested")
                raise KeyError
        except KeyError:
            emit("seen: after an exception")
        assert decorated("hidden: decorated") and decorated.__doc__ == "Its own."
        with msgtrace.ignore():
            thread = threading.Thread(target=emit, args=("seen: another thread",))
            thread.start()
            thread.join()
        asyncio.run(in_tasks())
    rows = trace.query("select kind, body_json ->> '$' as id from operations order by operation_id").to_pylist()
    print(json.dumps([row["id"] for row in rows if row["kind"] == "send"]))
    print(len([row for row in rows if row["kind"] == "process"]))
"""


@pytest.mark.parametrize("native", ["1", "0"])
@pytest.mark.parametrize("loaded", ["early", "late"])
def test_what_is_done_inside_is_not_recorded(tmp_path: Path, native: str, loaded: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(PROGRAM), str(tmp_path / "trace.duckdb"), loaded],
        check=False, capture_output=True, text=True, timeout=60, env={**os.environ, "MSGTRACE_NATIVE": native},
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    seen, handled = ended.stdout.splitlines()
    assert json.loads(seen) == [
        "seen: before", "seen: after an exception", "seen: another thread", "seen: beside it", "seen: after it",
    ]  # fmt: skip
    assert int(handled) == 5


def test_a_generator_function_is_refused() -> None:
    def generator() -> object:
        yield

    async def async_generator() -> object:
        yield

    for each in (generator, async_generator):
        with pytest.raises(TypeError, match="generator function"):
            msgtrace.ignore()(each)
