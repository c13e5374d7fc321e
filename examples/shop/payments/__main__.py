"""The payments service: takes requests from the work queue, charges cards, reports how it went."""

import asyncio
import json

import aio_pika
from aio_pika import DeliveryMode, Message
from aio_pika.abc import AbstractIncomingMessage

from shop.events import PaymentRequested, PaymentResult
from shop.payments.gateway import MAX_ATTEMPTS, CardDeclinedError, GatewayTimeoutError, charge
from shop.payments.queues import PaymentQueues, attempt_of, declare
from shop.runtime import ledger, settings
from shop.runtime.lifecycle import announce_ready, stop_requested

PREFETCH = 8


class PaymentWorker:
    """Works off payment requests."""

    def __init__(self, queues: PaymentQueues) -> None:
        self._queues = queues

    async def on_request(self, message: AbstractIncomingMessage) -> None:
        """Charge the card of a payment request; after three attempts without an answer, give up."""
        request: PaymentRequested = json.loads(message.body)
        ledger.received("rabbitmq", self._queues.work.name, message.type or "")
        attempt = attempt_of(message, self._queues.work)
        result: PaymentResult = {"order_id": request["order_id"], "attempts": attempt}
        try:
            result["transaction_id"] = await charge(request["card_token"], request["amount_cents"], attempt)
        except CardDeclinedError:
            result["reason"] = "card declined"
            await self._report("payment.declined", result)
        except GatewayTimeoutError:
            if attempt < MAX_ATTEMPTS:
                await message.reject(requeue=False)  # by way of payments.wait, back into the work queue
                ledger.settled("rabbitmq", self._queues.work.name, "reject")
                return
            await self._bury(message, attempt)
        else:
            result["amount_cents"] = request["amount_cents"]
            await self._report("payment.charged", result)
        await message.ack()
        ledger.settled("rabbitmq", self._queues.work.name, "ack")

    async def on_dead_letter(self, message: AbstractIncomingMessage) -> None:
        """Report a payment that nobody will try again as failed."""
        async with message.process():
            request: PaymentRequested = json.loads(message.body)
            ledger.received("rabbitmq", self._queues.dead_letters.name, message.type or "")
            attempts = int(str(message.headers["attempts"]))
            result: PaymentResult = {
                "order_id": request["order_id"],
                "attempts": attempts,
                "reason": "payment failed",
            }
            await self._report("payment.failed", result)
        ledger.settled("rabbitmq", self._queues.dead_letters.name, "ack")

    async def _bury(self, message: AbstractIncomingMessage, attempts: int) -> None:
        ledger.sent("rabbitmq", self._queues.dead.name, message.type or "")
        letter = Message(
            message.body,
            type=message.type,
            content_type=message.content_type,
            correlation_id=message.correlation_id,
            delivery_mode=DeliveryMode.PERSISTENT,
            headers={"attempts": attempts, "last-error": "no answer from the card company"},
        )
        await self._queues.dead.publish(letter, routing_key="payment.requested")

    async def _report(self, kind: str, result: PaymentResult) -> None:
        ledger.sent("rabbitmq", self._queues.results.name, kind)
        message = Message(
            json.dumps(result).encode(),
            type=kind,
            content_type="application/json",
            correlation_id=result["order_id"],
            delivery_mode=DeliveryMode.PERSISTENT,
            headers={"source": "payments"},
        )
        await self._queues.results.publish(message, routing_key=kind)


async def serve() -> None:
    """Take payment requests until asked to stop."""
    stop = stop_requested()
    shop = settings.from_environment()
    if shop.rabbitmq is None:
        raise SystemExit("payments: SHOP_RABBITMQ is not set: say where the message broker is.")
    async with await aio_pika.connect_robust(shop.rabbitmq) as connection:
        channel = await connection.channel()
        await channel.set_qos(prefetch_count=PREFETCH)
        queues = await declare(channel, shop)
        worker = PaymentWorker(queues)
        requests = await queues.work.consume(worker.on_request)
        letters = await queues.dead_letters.consume(worker.on_dead_letter)
        announce_ready()
        await stop.wait()
        await queues.work.cancel(requests)
        await queues.dead_letters.cancel(letters)
    ledger.write("payments")


if __name__ == "__main__":
    asyncio.run(serve())
