"""Asks a server with httpx, without and with asyncio. Arguments: its address, and `httpx2` for the other."""

import asyncio
import importlib
import sys

from account import BODY, did, seen, tell

base = sys.argv[1]
httpx = importlib.import_module(sys.argv[2] if len(sys.argv) > 2 else "httpx")
with httpx.Client(base_url=base, follow_redirects=True, timeout=5) as client:
    did("get", lambda: client.get("/orders/1?token=hidden").status_code)
    did("post", lambda: client.post("/orders", content=BODY).json())
    did("fails", lambda: client.get("/fails").status_code)
    did("moved", lambda: client.get("/moved").url.path)
    did("closes", lambda: client.get("/closes?q=hidden"))
    did("slow", lambda: client.get("/slow", timeout=0.3))
    with client.stream("GET", "/stream") as response:
        seen.append(["stream", "".join(response.iter_text())])
did("refused", lambda: httpx.get("http://127.0.0.1:1/nobody?q=hidden"))
mocked = httpx.Client(transport=httpx.MockTransport(lambda _: httpx.Response(204)))
did("mocked", lambda: mocked.get("http://nowhere/").status_code)


async def main() -> None:
    async with httpx.AsyncClient(base_url=base, timeout=5) as client:
        seen.append(["async get", (await client.get("/orders/2")).status_code])
        answers = await asyncio.gather(*(client.get(f"/orders/{n}") for n in (3, 4, 5)))
        seen.append(["at once", [each.status_code for each in answers]])
        task = asyncio.create_task(client.get("/slow"))
        await asyncio.sleep(0.3)
        task.cancel()
        seen.append(["cancelled", [type(each).__name__ for each in await asyncio.gather(task, return_exceptions=True)]])


asyncio.run(main())
tell()
