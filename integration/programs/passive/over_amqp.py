"""Declares, publishes, consumes, refuses and acknowledges with ids of its own. Leaves nothing behind."""

import asyncio
import sys

import aio_pika

url, name = sys.argv[1:]


async def main() -> None:
    connection = await aio_pika.connect(url, heartbeat=0)
    async with connection:
        channel = await connection.channel()
        exchange = await channel.declare_exchange(name, aio_pika.ExchangeType.TOPIC, auto_delete=True)
        queue = await channel.declare_queue(name, auto_delete=True, arguments={"x-max-length": 100})
        await queue.bind(exchange, "order.#")
        for number in range(5):
            message = aio_pika.Message(
                b'{"n":%d}' % number,
                headers={"h": number},
                message_id=f"m{number}",
                correlation_id="c",
                type="order.placed",
            )
            await exchange.publish(message, routing_key=f"order.{number}")
        for number in range(5):
            got = await queue.get(timeout=5)
            print(got.body, got.headers, got.message_id, got.routing_key)
            if number == 2:
                await got.reject(requeue=False)
            else:
                await got.ack()
        await queue.unbind(exchange, "order.#")
        await queue.delete()


asyncio.run(main())
