"""Asks a server with aiohttp's client. Argument: its address."""

import asyncio
import sys
from typing import Any

import aiohttp
from account import BODY, seen, tell
from yarl import URL

base = sys.argv[1]


async def main() -> None:
    async def did(name: str, method: str, address: str | URL, **how: Any) -> None:
        try:
            async with session.request(method, address, **how) as response:
                seen.append([name, [response.status, await response.text()]])
        except Exception as error:  # noqa: BLE001 - whatever it is
            seen.append([name, type(error).__name__])

    async with aiohttp.ClientSession(base, timeout=aiohttp.ClientTimeout(5)) as session:
        await did("get", "GET", "/orders/1?token=hidden")
        await did("post", "post", URL(base) / "orders", data=BODY)
        await did("fails", "GET", "/fails")
        await did("moved", "GET", "/moved")
        await did("closes", "POST", "/closes?q=hidden")
        await did("slow", "GET", "/slow", timeout=aiohttp.ClientTimeout(0.3))
        await did("stream", "GET", "/stream")
        await did("refused", "GET", "http://127.0.0.1:1/nobody?q=hidden")
        await did("raises", "GET", "/fails", raise_for_status=True)
        await asyncio.gather(*(did("at once", "GET", "/orders/2") for _ in range(3)))
        task = asyncio.create_task(session.get("/slow").__aenter__())
        await asyncio.sleep(0.3)
        task.cancel()
        seen.append(["cancelled", [type(each).__name__ for each in await asyncio.gather(task, return_exceptions=True)]])


asyncio.run(main())
tell()
