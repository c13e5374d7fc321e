"""aio_pika's own patterns: remote calls and workers. Arguments: url, prefix of every name."""

import asyncio
import sys

import aio_pika
from account import did, tell
from aio_pika.abc import AbstractRobustConnection
from aio_pika.patterns import RPC, JsonMaster, JsonRPC, NackMessage, RejectMessage


async def doubled(*, number: int) -> int:
    """The remote function."""
    did("call", number=number)
    return number * 2


async def failing() -> None:
    raise ArithmeticError("no")


async def calls(connection: AbstractRobustConnection, prefix: str) -> None:
    async with connection.channel() as channel:
        rpc = await JsonRPC.create(channel)
        await rpc.register(f"{prefix}.doubled", doubled, auto_delete=True)
        await rpc.register(f"{prefix}.failing", failing, auto_delete=True)
        did("result", value=await rpc.call(f"{prefix}.doubled", {"number": 21}))
        try:
            await rpc.call(f"{prefix}.failing")
        except RuntimeError as error:
            did("error", type=type(error).__name__)
        try:
            await rpc.call(f"{prefix}.nobody")
        except aio_pika.exceptions.MessageProcessError:
            did("error", type="MessageProcessError")
        await rpc.close()
    async with connection.channel() as channel:
        pickled = await RPC.create(channel)
        await pickled.register(f"{prefix}.pickled", doubled, auto_delete=True)
        did("result", value=await pickled.call(f"{prefix}.pickled", {"number": 4}))
        await pickled.close()


async def work(connection: AbstractRobustConnection, prefix: str) -> None:
    finished = asyncio.Semaphore(0)

    async def worker(*, job: str) -> None:
        did("job", job=job)
        finished.release()
        if job == "reject":
            raise RejectMessage(requeue=False)
        if job == "nack":
            raise NackMessage(requeue=False)

    async with connection.channel() as channel:
        await channel.set_qos(prefetch_count=1)
        master = JsonMaster(channel)
        handle = await master.create_worker(f"{prefix}.jobs", worker, auto_delete=True)
        for job in ("do", "reject", "nack"):
            await master.create_task(f"{prefix}.jobs", {"job": job})
            await finished.acquire()
        await handle.close()


async def main(url: str, prefix: str) -> None:
    connection = await aio_pika.connect_robust(url)
    async with connection:
        await calls(connection, prefix)
        await work(connection, prefix)
    tell()


asyncio.run(main(sys.argv[1], sys.argv[2]))
