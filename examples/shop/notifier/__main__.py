"""The notifier's WebSocket server: `/publish` for services, `/feed` for web clients."""

import asyncio
import json
from typing import Any

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosedError

from shop.notifier import subscriptions  # its handlers listen to the signals
from shop.notifier.signals import delivery_confirmed, status_received, subscriber_joined, subscriber_left
from shop.runtime import ledger
from shop.runtime.lifecycle import announce_ready, stop_requested

POLICY_VIOLATION = 1008


async def take_statuses(connection: ServerConnection) -> None:
    """Take a service's order statuses, and acknowledge each when it has been passed on."""
    async for text in connection:
        status = json.loads(text)
        ledger.received("websocket", "/publish", status["type"])
        ledger.sent("blinker", "status-received")
        status_received.send("publish", status=status)
        ledger.sent("websocket", "/publish", "ack")
        await connection.send(json.dumps({"type": "ack", "seq": status["seq"]}))


async def serve_client(connection: ServerConnection) -> None:
    """Answer a client's requests until it leaves."""
    topics: set[str] = set()
    try:
        async for text in connection:
            request = json.loads(text)
            ledger.received("websocket", "/feed", request["type"])
            answer = on_request(connection, topics, request)
            if answer is not None:
                ledger.sent("websocket", "/feed", answer["type"])
                await connection.send(json.dumps(answer))
    finally:
        for topic in topics:  # left without saying goodbye
            ledger.sent("blinker", "subscriber-left")
            subscriber_left.send(connection, topic=topic)


def on_request(connection: ServerConnection, topics: set[str], request: dict[str, Any]) -> dict[str, Any] | None:
    """Do what a client's request says, and return the answer, if it has one."""
    match request:
        case {"type": "subscribe", "id": number, "topic": topic}:
            topics.add(topic)
            ledger.sent("blinker", "subscriber-joined")
            subscriber_joined.send(connection, topic=topic)
        case {"type": "unsubscribe", "id": number, "topic": topic}:
            topics.discard(topic)
            ledger.sent("blinker", "subscriber-left")
            subscriber_left.send(connection, topic=topic)
        case {"type": "received", "order_id": order_id}:
            ledger.sent("blinker", "delivery-confirmed")
            delivery_confirmed.send(connection, order_id=order_id)
            return None
        case _:
            return {
                "type": "error",
                "id": request.get("id"),
                "reason": f"unknown request {request['type']!r}",
            }
    return {"type": "ack", "id": number}


async def on_connection(connection: ServerConnection) -> None:
    """Serve a connection by its path."""
    path = connection.request.path if connection.request else ""
    try:
        if path == "/publish":
            await take_statuses(connection)
        elif path == "/feed":
            await serve_client(connection)
        else:
            await connection.close(POLICY_VIOLATION, "unknown path")
    except ConnectionClosedError:
        pass  # the other side is gone without a goodbye; there is nobody to tell


async def run() -> None:
    """Serve until asked to stop."""
    stop = stop_requested()
    async with serve(on_connection, "127.0.0.1", 0) as server:
        announce_ready(f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}")
        await stop.wait()
    if subscriptions.statistics["confirmed"]:
        print("order statuses:", ", ".join(f"{n} {kind}" for kind, n in subscriptions.statistics.items()))
    ledger.write("notifier")


if __name__ == "__main__":
    asyncio.run(run())
