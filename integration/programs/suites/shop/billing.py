"""A service of this suite: gets orders over RabbitMQ, says on Kafka that they are paid, and notifies over Redis.

billing.py NAME     what its exchange, topic and channel are called by
"""

import asyncio
import json
import os
import sys

import aio_pika
import redis.asyncio
from aio_pika.abc import AbstractIncomingMessage
from kafka import KafkaProducer

LIMIT = 1_000


async def main(name: str) -> None:
    producer = KafkaProducer(bootstrap_servers=os.environ["SHOP_KAFKA"])
    notifications = redis.asyncio.Redis.from_url(os.environ["SHOP_REDIS"])
    connection = await aio_pika.connect(os.environ["SHOP_RABBITMQ"])
    channel = await connection.channel()
    exchange = await channel.declare_exchange(f"{name}.orders", aio_pika.ExchangeType.TOPIC, auto_delete=True)
    queue = await channel.declare_queue(f"{name}.billing", auto_delete=True)
    await queue.bind(exchange, "order.created")

    async def charge(message: AbstractIncomingMessage) -> None:
        async with message.process():
            order = json.loads(message.body)
            if order["total"] > LIMIT:
                refusal = json.dumps({"type": "order.refused", "order": order["id"], "reason": "limit"})
                await exchange.publish(aio_pika.Message(refusal.encode()), "order.refused")
                return
            paid = {"type": "order.paid", "order": order["id"], "amount": order["total"]}
            producer.send(f"{name}.payments", json.dumps(paid).encode(), str(order["id"]).encode()).get(10)
            await notifications.publish(
                f"{name}.notifications", json.dumps({"type": "customer.notified", "order": order["id"]})
            )

    await queue.consume(charge)
    print("ready", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
