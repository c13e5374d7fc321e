"""Ways of taking a message with asyncio; each is answered with "re:" and its text, from where it was taken.

    asyncio_taking.py [decode]

`decode`: this version of websockets has an argument of that name.
"""

import asyncio
import sys
from typing import Any

from account import Account
from websockets.asyncio.client import connect
from websockets.asyncio.server import serve

account = Account()
DECODES = sys.argv[1:] == ["decode"]


def text_of(message: Any) -> str:
    return message if isinstance(message, str) else bytes(message).decode()


async def answer(websocket: Any, message: Any) -> None:
    account.received("server", message)
    reply = f"re:{text_of(message)}"
    account.sent("server", reply)
    await websocket.send(reply)


async def awaiting(websocket: Any) -> None:
    await answer(websocket, await websocket.recv())
    await answer(websocket, await asyncio.wait_for(websocket.recv(), 10))
    await answer(websocket, await asyncio.create_task(websocket.recv()))
    task = asyncio.create_task(websocket.recv())
    await asyncio.wait([task])
    await answer(websocket, task.result())
    async with asyncio.timeout(10):
        await answer(websocket, await websocket.recv())
    await answer(websocket, await asyncio.shield(websocket.recv()))
    (message,) = await asyncio.gather(websocket.recv())
    await answer(websocket, message)


async def timing_out(websocket: Any) -> None:
    try:
        await asyncio.wait_for(websocket.recv(), 0.02)
    except TimeoutError:
        account.sent("server", "go on")
        await websocket.send("go on")  # the cause of this is no message
    await answer(websocket, await websocket.recv())


async def iterating(websocket: Any) -> None:
    taken = 0
    async for message in websocket:
        await answer(websocket, message)
        taken += 1
        if taken == 3:
            break


async def working(websocket: Any) -> None:
    """A task for each message, all of them at work at the same time."""
    gate = asyncio.Event()
    messages = []

    async def work(message: Any) -> None:
        await gate.wait()
        reply = f"re:{message}"
        account.sent("server", reply)
        await websocket.send(reply)

    tasks = []
    for _ in range(3):
        message = await websocket.recv()
        account.received("server", message)
        messages.append(message)
        tasks.append(asyncio.create_task(work(message)))
    gate.set()
    await asyncio.gather(*tasks)


async def threading_out(websocket: Any) -> None:
    message = await websocket.recv()
    loop = asyncio.get_running_loop()

    def work() -> None:
        asyncio.run_coroutine_threadsafe(answer(websocket, message), loop).result(10)

    await asyncio.to_thread(work)


async def decoding(websocket: Any) -> None:
    options: list[dict[str, Any]] = [{"decode": False}, {"decode": True}] if DECODES else [{}, {}]
    for each in options:
        message = await websocket.recv(**each)
        account.notes.setdefault("types", []).append(type(message).__name__)
        # What the opcode said, whatever `decode` made of it.
        text = len(account.notes["types"]) == 1
        account.received("server", text_of(message) if text else message.encode() if DECODES else message)
        reply = f"re:{text_of(message)}"
        account.sent("server", reply)
        await websocket.send(reply)


async def streaming(websocket: Any) -> None:
    for _ in range(2):
        pieces = [piece async for piece in websocket.recv_streaming()]
        await answer(websocket, (b"" if isinstance(pieces[0], bytes) else "").join(pieces))
    pieces = []
    async for piece in websocket.recv_streaming():
        pieces.append(piece)
    await answer(websocket, "".join(pieces))


async def handler(websocket: Any) -> None:
    for way in (awaiting, timing_out, iterating, working, threading_out, decoding, streaming):
        await way(websocket)


async def main() -> None:
    sent = ["one", "two", "three", "four", "five", "six", "seven"]
    async with serve(handler, "localhost", 0) as server, asyncio.timeout(30):
        port = next(iter(server.sockets)).getsockname()[1]
        async with connect(f"ws://localhost:{port}/taking") as websocket:

            async def send(message: Any, parts: Any = None) -> None:
                account.sent("client", message)
                await websocket.send(message if parts is None else parts)

            async def take(count: int) -> None:
                for _ in range(count):
                    account.received("client", await websocket.recv())

            for message in sent:
                await send(message)
                await take(1)
            await take(1)  # go on
            await send("after the timeout")
            await take(1)
            for message in ("i1", "i2", "i3", "w1", "w2", "w3"):
                await send(message)
            await take(6)
            await send("in a thread")
            await take(1)
            await send("text, taken as bytes")
            await take(1)
            await send(b"binary, taken as text")
            await take(1)
            await send("streamed text", ["streamed ", "text"])
            await take(1)
            await send(b"streamed binary", [b"streamed ", b"binary"])
            await take(1)
            await send("not fragmented")
            await take(1)
    account.tell()


asyncio.run(main())
