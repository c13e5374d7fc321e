"""redis.asyncio: publish a message and receive it from a subscription."""

import asyncio

import measuring
import redis.asyncio

options = measuring.options()


async def main() -> None:
    client = redis.asyncio.Redis.from_url(options.url)
    bodies = measuring.bodies(options.all)
    async with client.pubsub() as subscription:
        await subscription.subscribe(options.channel)
        await subscription.get_message(timeout=10)  # the confirmation

        async def exchange(some: list[bytes]) -> None:
            for body in some:
                await client.publish(options.channel, body)
                message = await subscription.get_message(timeout=10)
                assert message is not None
                assert message["data"] == body

        await exchange(bodies[: options.warm_up])
        with measuring.measured(options):
            await exchange(bodies[options.warm_up :])
    await client.aclose()


asyncio.run(main())
