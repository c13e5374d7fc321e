"""Consumers of RabbitMQ that retry by policies, each with queues of its own, all at the same time.

rabbitmq.py URL POLICIES
"""

import asyncio
import json
import sys
from collections import Counter
from typing import Any

import aio_pika
from policy import Policy, number_of, policies

url, text = sys.argv[1:]


class Consumer:
    def __init__(self, policy: Policy, channel: Any) -> None:
        self.policy, self.channel = policy, channel
        self.attempts: Counter[int] = Counter()
        self.done: set[int] = set()
        self.over = asyncio.Event()

    async def declare(self) -> Any:
        policy, channel = self.policy, self.channel
        arguments: dict[str, Any] = {}
        if policy.mechanism == "dead-letter exchange":
            back = await channel.declare_exchange(f"{policy.name}.back", "direct")
            wait = await channel.declare_queue(
                f"{policy.name}.pause",
                arguments={
                    "x-message-ttl": round(policy.initial_s * 1000),
                    "x-dead-letter-exchange": "",
                    "x-dead-letter-routing-key": policy.name,
                },
            )
            await wait.bind(back, policy.name)
            arguments = {"x-dead-letter-exchange": f"{policy.name}.back", "x-dead-letter-routing-key": policy.name}
        elif policy.then == "dead letter":
            arguments = {"x-dead-letter-exchange": f"{policy.name}.dlx", "x-dead-letter-routing-key": "given up"}
            dlx = await channel.declare_exchange(f"{policy.name}.dlx", "direct")
            dead = await channel.declare_queue(policy.dead)
            await dead.bind(dlx, "given up")
        if policy.mechanism == "dead-letter exchange" and policy.then == "dead letter":
            await channel.declare_queue(policy.dead)
        if policy.mechanism == "retry queue":
            for attempt in range(1, policy.max_attempts):
                await channel.declare_queue(
                    f"{policy.name}.retry.{attempt}",
                    arguments={"x-dead-letter-exchange": "", "x-dead-letter-routing-key": policy.name},
                )
        return await channel.declare_queue(policy.name, arguments=arguments)

    async def handle(self, message: Any) -> None:
        number = number_of(message.body)
        self.attempts[number] += 1
        attempt = self.attempts[number]
        if not self.policy.fails(number, attempt):
            await message.ack()
            return self.end(number)
        if attempt >= self.policy.max_attempts:
            self.end(number)
            return await self.give_up(message)
        await self.again(message, attempt)
        return None

    async def again(self, message: Any, attempt: int) -> None:
        policy = self.policy
        delay = policy.delay(attempt)
        if policy.mechanism == "dead-letter exchange":
            await message.reject(requeue=False)
        elif policy.mechanism == "retry queue":
            copy = aio_pika.Message(message.body, headers={"attempt": attempt}, expiration=delay)
            await self.channel.default_exchange.publish(copy, f"{policy.name}.retry.{attempt}")
            await message.ack()
        elif policy.mechanism == "republish":
            await asyncio.sleep(delay)
            copy = aio_pika.Message(message.body, headers={"attempt": attempt})
            await self.channel.default_exchange.publish(copy, policy.name)
            await message.ack()
        else:
            await asyncio.sleep(delay)
            await message.reject(requeue=True)

    async def give_up(self, message: Any) -> None:
        if self.policy.mechanism == "dead-letter exchange" and self.policy.then == "dead letter":
            copy = aio_pika.Message(message.body, message_id=message.message_id)
            await self.channel.default_exchange.publish(copy, self.policy.dead)
            await message.ack()
        elif self.policy.then == "acknowledged":
            await message.ack()
            raise ValueError("given up")
        else:
            await message.reject(requeue=False)

    def end(self, number: int) -> None:
        self.done.add(number)
        if len(self.done) == self.policy.messages:
            self.over.set()


class Looping(Consumer):
    """Tries a publish again in its own code: to a queue that is not there."""

    async def handle(self, message: Any) -> None:
        number = number_of(message.body)
        for attempt in range(1, self.policy.max_attempts + 1):
            try:
                await self.ask(number)
            except aio_pika.exceptions.DeliveryError:
                if attempt < self.policy.max_attempts:
                    await asyncio.sleep(self.policy.delay(attempt))
        await message.reject(requeue=False)
        self.end(number)

    async def ask(self, number: int) -> None:
        question = aio_pika.Message(b'{"type": "question", "number": %d}' % number)
        await self.channel.default_exchange.publish(question, f"{self.policy.name}.nobody")


async def quiet(awaited: Any) -> None:
    await asyncio.wait_for(awaited, 80)


async def main() -> None:
    connection = await aio_pika.connect(url)
    consumers = []
    async with connection:
        for policy in policies(text):
            channel = await connection.channel(on_return_raises=True)
            await channel.set_qos(prefetch_count=100)
            kind = Looping if policy.mechanism == "in-process loop" else Consumer
            consumer = kind(policy, channel)
            queue = await consumer.declare()
            await queue.consume(consumer.handle)
            consumers.append(consumer)
        # In turn, so that what holds up one message does not hold up all of a consumer's.
        for number in range(max(each.policy.messages for each in consumers)):
            for consumer in consumers:
                if number < consumer.policy.messages:
                    await consumer.channel.default_exchange.publish(
                        aio_pika.Message(consumer.policy.body(number)), consumer.policy.name
                    )
            await asyncio.sleep(0.05)
        await asyncio.gather(*(quiet(consumer.over.wait()) for consumer in consumers))
        await asyncio.sleep(0.3)
        for consumer in consumers:
            if consumer.policy.then == "dead letter":
                queue = await consumer.channel.get_queue(consumer.policy.dead, ensure=False)
                while (dead := await queue.get(fail=False)) is not None:
                    await dead.ack()
    print(json.dumps({each.policy.name: len(each.done) for each in consumers}))


asyncio.run(main())
