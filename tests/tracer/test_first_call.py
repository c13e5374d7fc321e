"""`urllib.request` is hooked at its first call: not before, once, and with nothing to be seen of it."""

from __future__ import annotations

import inspect
import subprocess
import sys
import threading
import urllib.request
from typing import Any

import pytest

from msgtrace.first_call import await_first_call, stop_waiting

HANDLER = urllib.request.AbstractHTTPHandler


class Handler(HANDLER):
    """As the library has one for each scheme."""


@pytest.fixture(autouse=True)
def _restored() -> Any:
    original = vars(HANDLER)["do_open"]
    yield
    assert vars(HANDLER)["do_open"] is original


def test_the_hook_comes_before_the_first_call_and_is_what_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[str] = []
    monkeypatch.setattr(HANDLER, "do_open", lambda *_: "library")

    def hook() -> None:
        if not called:
            called.append("hook")
            library = vars(HANDLER)["do_open"]

            def recorded(*args: Any) -> Any:
                called.append("recorded")
                return library(*args)

            monkeypatch.setattr(HANDLER, "do_open", recorded)

    await_first_call(hook)
    asking: Any = Handler()
    threads = [threading.Thread(target=lambda: called.append(asking.do_open(None, None))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(called) == ["hook", *["library"] * 4, *["recorded"] * 4]
    monkeypatch.undo()


def test_what_a_program_can_ask_of_it_stays() -> None:
    original = vars(HANDLER)["do_open"]
    await_first_call(lambda: None)
    waiting: Any = vars(HANDLER)["do_open"]
    assert waiting is not original
    assert inspect.signature(waiting) == inspect.signature(original)
    assert (waiting.__qualname__, waiting.__doc__) == (original.__qualname__, original.__doc__)
    stop_waiting()


def test_an_import_alone_loads_no_engine() -> None:
    program = (
        "import sys; from msgtrace.start import Tracer; Tracer().start(); import urllib.request;"
        "assert 'msgtrace.engine' not in sys.modules and 'msgspec' not in sys.modules;"
        "assert 'msgtrace.first_call' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
