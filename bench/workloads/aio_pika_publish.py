"""aio-pika: publish to a queue, each publish awaiting the broker's confirm."""

import asyncio

import aio_pika
import measuring

options = measuring.options()


async def main() -> None:
    connection = await aio_pika.connect(options.url)
    async with connection:
        channel = await connection.channel()
        # Nobody consumes: the broker keeps the newest hundred.
        await channel.declare_queue(options.channel, exclusive=True, arguments={"x-max-length": 100})

        async def publish(some: list[bytes]) -> None:
            for body in some:
                message = aio_pika.Message(body, content_type="application/json")
                await channel.default_exchange.publish(message, routing_key=options.channel)

        bodies = measuring.bodies(options.all)
        await publish(bodies[: options.warm_up])
        with measuring.measured(options):
            await publish(bodies[options.warm_up :])


asyncio.run(main())
