"""The payment queues on RabbitMQ, declared by everyone who uses them.

A request that could not be carried out is rejected into a waiting queue, whose messages go back to work when
their time is up. What failed too often goes to the dead-letter queue.

    payments --> payments.work --(reject)--> payments.retry --> payments.wait --(after 150 ms)--> payments
    payments.dead --> payments.dead-letters          payments.results --> shop.payment-results
"""

from dataclasses import dataclass

from aio_pika import ExchangeType
from aio_pika.abc import AbstractChannel, AbstractExchange, AbstractIncomingMessage, AbstractQueue

from shop.runtime.settings import Settings

RETRY_MILLISECONDS = 150


@dataclass(frozen=True, slots=True)
class PaymentQueues:
    """The declared exchanges and queues."""

    requests: AbstractExchange
    """Takes payment requests; key `payment.requested`."""
    results: AbstractExchange
    """Takes how payments ended; keys `payment.charged`, `payment.declined`, `payment.failed`."""
    dead: AbstractExchange
    """Takes requests that nobody will try again."""
    work: AbstractQueue
    dead_letters: AbstractQueue
    shop_results: AbstractQueue


async def declare(channel: AbstractChannel, settings: Settings) -> PaymentQueues:
    """Declare exchanges, queues and bindings; harmless when they are there already."""
    name = settings.name
    requests = await channel.declare_exchange(name("payments"), ExchangeType.DIRECT, durable=True)
    retry = await channel.declare_exchange(name("payments.retry"), ExchangeType.DIRECT, durable=True)
    dead = await channel.declare_exchange(name("payments.dead"), ExchangeType.FANOUT, durable=True)
    results = await channel.declare_exchange(name("payments.results"), ExchangeType.TOPIC, durable=True)
    work = await channel.declare_queue(
        name("payments.work"), durable=True, arguments={"x-dead-letter-exchange": retry.name}
    )
    wait = await channel.declare_queue(
        name("payments.wait"),
        durable=True,
        arguments={"x-message-ttl": RETRY_MILLISECONDS, "x-dead-letter-exchange": requests.name},
    )
    dead_letters = await channel.declare_queue(name("payments.dead-letters"), durable=True)
    shop_results = await channel.declare_queue(name("shop.payment-results"), durable=True)
    await work.bind(requests, "payment.requested")
    await wait.bind(retry, "payment.requested")
    await dead_letters.bind(dead)
    await shop_results.bind(results, "payment.*")
    return PaymentQueues(requests, results, dead, work, dead_letters, shop_results)


def attempt_of(message: AbstractIncomingMessage, queue: AbstractQueue) -> int:
    """Return which attempt a delivery is, counting from 1, from the broker's own `x-death` header."""
    deaths = message.headers.get("x-death")
    attempt = 1
    if isinstance(deaths, list):
        for death in deaths:
            if isinstance(death, dict) and death["queue"] == queue.name and death["reason"] == "rejected":
                attempt += int(str(death["count"]))
    return attempt
