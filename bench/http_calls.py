"""What the HTTP clients' hooks add to a request, without a network: `python -m bench.http_calls`.

The wrapped function of each library is first replaced by one that returns a response at once.
"""

from __future__ import annotations

import asyncio
import importlib
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final

import aiohttp
import httpx
import urllib3

from msgtrace.code_site import CodeSites
from msgtrace.engine import Engine, load
from msgtrace.interning import bind
from msgtrace.recorder import Recorder
from msgtrace.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

CALLS: Final = 20_000
ROUNDS: Final = 7
RESPONSE: Final = SimpleNamespace(status=200, status_code=200, history=(), retries=None)


async def at_once_later(*_: Any, **__: Any) -> Any:
    return RESPONSE


def at_once(*_: Any, **__: Any) -> Any:
    return RESPONSE


def workloads() -> dict[str, tuple[str, str, Callable[[], Any], bool]]:
    """Hook -> the target that is replaced, and one call of it."""
    transport = httpx.HTTPTransport()
    request = httpx.Request("POST", "http://payments:8080/charges/42?x=1")
    pool = urllib3.HTTPConnectionPool("payments", 8080)
    opener, asked = urllib.request.HTTPHandler(), urllib.request.Request("http://payments:8080/charges/42?x=1")
    asked.timeout = 5
    session: Any = SimpleNamespace(_base_url=None)
    ask: Any = opener.do_open
    return {
        "httpx": ("httpx._transports.default:HTTPTransport", "handle_request", lambda: transport.handle_request(request), False),
        "urllib3": ("urllib3.connectionpool:HTTPConnectionPool", "urlopen", lambda: pool.urlopen("POST", "/charges/42?x=1"), False),
        "urllib": ("urllib.request:AbstractHTTPHandler", "do_open", lambda: opener.do_open(ask, asked), False),
        "aiohttp": (
            "aiohttp.client:ClientSession", "_request",
            lambda: aiohttp.ClientSession._request(session, "POST", "http://payments:8080/charges/42?x=1"), True,
        ),
    }  # fmt: skip


def best_us(call: Callable[[], Any], *, later: bool) -> float:
    async def awaited(each: Callable[[], Awaitable[Any]]) -> None:
        for _ in range(CALLS):
            await each()

    best = float("inf")
    for _ in range(ROUNDS):
        begun = time.process_time_ns()
        if later:
            asyncio.run(awaited(call))
        else:
            for _ in range(CALLS):
                call()
        best = min(best, (time.process_time_ns() - begun) / 1e3 / CALLS)
    return best


def main() -> None:
    for name, (place, attribute, call, later) in workloads().items():
        module, _, owner = place.partition(":")
        target = getattr(importlib.import_module(module), owner)
        setattr(target, attribute, at_once_later if later else at_once)
        plain = best_us(call, later=later)
        with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
            recorder = Recorder(Path(folder), dict)
            bind(recorder, Settings())
            engine = Engine(recorder, CodeSites(recorder))
            engine.add(load(name))
            assert all(each.status == "wrapped" for each in engine.placed if each.point.target.startswith(place))
            hooked = best_us(call, later=later)
            engine.restore()
        sys.stdout.write(
            f"{name:8}  {plain:6.2f} us without  {hooked:6.2f} us with  {hooked - plain:6.2f} us for a request\n"
        )


if __name__ == "__main__":
    main()
