"""Clients that are there before the recorder comes, and after it has gone. Arguments: the server's address, spool folder.

It does to itself what `msgtrace attach` does to another process.
"""

import asyncio
import sys
import urllib.request
from functools import reduce
from typing import Any

import aiohttp
import httpx
import requests
import urllib3
from account import seen, tell

from msgtrace.engine import load
from msgtrace.settings import Settings
from msgtrace.start import Tracer

base, spool = sys.argv[1:]


def standing() -> dict[str, Any]:
    found = {}
    for name in ("aiohttp", "httpx", "urllib", "urllib3"):
        for point in load(name).points:
            module, _, path = point.target.partition(":")
            *parents, attribute = path.split(".")
            found[point.target] = vars(reduce(getattr, parents, sys.modules[module]))[attribute]
    return found


async def main() -> None:
    session, pools, opener = requests.Session(), urllib3.PoolManager(), urllib.request.build_opener()
    with httpx.Client() as client:
        async with httpx.AsyncClient() as later, aiohttp.ClientSession() as theirs:

            async def ask(path: str) -> None:
                session.get(base + path)
                pools.request("GET", base + path)
                opener.open(base + path).read()
                client.get(base + path)  # noqa: ASYNC212 - the loop has nothing else to do
                await later.get(base + path)
                async with theirs.get(base + path) as response:
                    await response.read()

            before = standing()
            await ask("/before")
            tracer = Tracer(Settings(spool=spool))
            tracer.start()
            await ask("/orders")
            tracer.stop()
            seen.append([target for target, stood in standing().items() if stood is not before[target]])
            await ask("/after")


asyncio.run(main())
tell()
