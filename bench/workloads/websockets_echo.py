"""websockets: a client sends, a server in the same process echoes, the client receives."""

import asyncio

import measuring
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve

options = measuring.options()


async def echo(connection: ServerConnection) -> None:
    async for message in connection:
        await connection.send(message)


async def main() -> None:
    async with serve(echo, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with connect(f"ws://127.0.0.1:{port}/orders") as connection:

            async def exchange(some: list[str]) -> None:
                for text in some:
                    await connection.send(text)
                    assert await connection.recv() == text

            texts = [body.decode() for body in measuring.bodies(options.all)]
            await exchange(texts[: options.warm_up])
            with measuring.measured(options):
                await exchange(texts[options.warm_up :])


asyncio.run(main())
