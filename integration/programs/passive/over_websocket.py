"""A client of an echo server: text, binary, a fragmented message, a ping, a close code."""

import asyncio
import sys

from websockets.asyncio.client import connect

url = sys.argv[1]


async def main() -> None:
    async with connect(url, compression=None, user_agent_header=None) as connection:
        for message in ("text é", b"binary", ["in ", "three ", "pieces"]):
            await connection.send(message)
            print(await connection.recv())
        await (await connection.ping(b"ping"))
        await connection.close(1001, "enough")


asyncio.run(main())
