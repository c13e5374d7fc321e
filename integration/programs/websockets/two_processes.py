"""An asyncio server in a process of its own, and a threading client: prints the accounts of both.

two_processes.py          the client, which starts the server
"""

import asyncio
import json
import subprocess
import sys
from typing import Any

from account import Account

account = Account()


async def serving() -> None:
    from websockets.asyncio.server import serve

    ended = asyncio.get_running_loop().create_future()

    async def answering(websocket: Any) -> None:
        async for message in websocket:
            account.received("server", message)
            for _ in range(2):
                account.sent("server", message)
                await websocket.send(message)
        if not ended.done():
            ended.set_result(None)

    async with serve(answering, "127.0.0.1", 0) as server:
        print(next(iter(server.sockets)).getsockname()[1], flush=True)
        await ended
    account.tell()


def asking() -> None:
    from websockets.sync.client import connect

    with subprocess.Popen([sys.executable, __file__, "serve"], stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        port = int(server.stdout.readline())
        with connect(f"ws://127.0.0.1:{port}/two") as websocket:
            for message in ("one", b"two", "thrée", ["fo", "ur"]):
                account.sent("client", "".join(message) if isinstance(message, list) else message)
                websocket.send(message)
                for _ in range(2):
                    account.received("client", websocket.recv())
        theirs = json.loads(server.stdout.read())
    account.ends.update(theirs["ends"])
    account.tell()


if sys.argv[1:] == ["serve"]:
    asyncio.run(serving())
else:
    asking()
