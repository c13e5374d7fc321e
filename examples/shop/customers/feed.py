"""A web client's connection to the notifier."""

import asyncio
import json
from itertools import count
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from shop.runtime import ledger

ANSWER_SECONDS = 10.0
FINAL = ("confirmed", "cancelled")


class FeedError(Exception):
    """The notifier refused a request."""


class StatusClient:
    """Subscribes to a topic of the notifier and confirms every status that comes."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self._numbers = count(1)
        self._answers: dict[int, asyncio.Future[None]] = {}
        self.finished: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        """The final status of every order, as it comes."""
        self._reader = asyncio.create_task(self._read())

    @classmethod
    async def open(cls, notifier: str) -> "StatusClient":
        """Connect to the notifier."""
        # The notifier is a neighbour: never by way of a proxy.
        return cls(await connect(f"{notifier}/feed", proxy=None))

    async def request(self, kind: str, **details: str) -> None:
        """Send a request and wait until it is acknowledged.

        Raises:
            FeedError: the notifier refused.
        """
        number = next(self._numbers)
        answer = asyncio.get_running_loop().create_future()
        self._answers[number] = answer
        await self._send({"type": kind, "id": number, **details})
        await asyncio.wait_for(answer, ANSWER_SECONDS)

    async def close(self) -> None:
        """Close the connection."""
        await self._connection.close()
        await self._reader

    async def _send(self, message: dict[str, Any]) -> None:
        ledger.sent("websocket", "/feed", message["type"])
        await self._connection.send(json.dumps(message))

    async def _read(self) -> None:
        async for text in self._connection:
            message = json.loads(text)
            ledger.received("websocket", "/feed", message["type"])
            if message["type"] == "order.status":
                await self._on_status(message)
            elif message["type"] == "ack":
                self._answers.pop(message["id"]).set_result(None)
            else:
                self._answers.pop(message["id"]).set_exception(FeedError(message["reason"]))

    async def _on_status(self, status: dict[str, Any]) -> None:
        """Confirm that a status has arrived; keep it when it is an order's last."""
        await self._send({"type": "received", "order_id": status["order_id"]})
        if status["status"] in FINAL:
            self.finished.put_nowait(status)
