"""The web service: the HTTP interface and, behind it, the event bus with everything attached to it."""

import asyncio
import socket
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager

import uvicorn
from starlette.applications import Starlette

from shop.runtime import ledger, settings
from shop.runtime.lifecycle import announce_ready, stop_requested
from shop.runtime.settings import Settings
from shop.web import analytics, app, checkout, members, orders, prices, stock
from shop.web.bus import bus, failures, settle
from shop.web.status_feed import StatusFeed


async def connect_services(shop: Settings, stack: AsyncExitStack) -> None:
    """Connect the bus to the notifier and to the brokers that are configured; `stack` closes them."""
    feed = await StatusFeed.open(shop.notifier)
    stack.push_async_callback(feed.close)
    feed.connect(bus)
    if shop.rabbitmq is None:
        checkout.connect(bus)
    else:
        from shop.web.payment_requests import PaymentRequests

        payments = await PaymentRequests.open(shop.rabbitmq, shop)
        stack.push_async_callback(payments.close)
        payments.connect(bus)
    if shop.kafka is not None:
        from shop.web.order_log import OrderLog

        log = await OrderLog.open(shop.kafka, shop)
        stack.push_async_callback(log.close)
        log.connect(bus)
    if shop.redis is not None:
        from shop.web.announcements import Announcements

        announcements = await Announcements.open(shop.redis, shop)
        stack.push_async_callback(announcements.close)
        announcements.connect(bus)


async def stop_server(stop: asyncio.Event, server: uvicorn.Server) -> None:
    """Have the HTTP server end when a stop is requested."""
    await stop.wait()
    server.should_exit = True


async def serve() -> None:
    """Serve until asked to stop, then let every handler end."""
    # Stands in for uvicorn's own handlers until these are there, and after them: uvicorn raises the signal
    # once more when it has shut down, which is to be an orderly end here and not a death by signal.
    stop = stop_requested()
    shop = settings.from_environment()
    listener = socket.create_server(("127.0.0.1", 0))

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncGenerator[None]:
        async with AsyncExitStack() as stack:
            for module in (members, stock, orders, analytics, prices):
                module.connect(bus)
            await connect_services(shop, stack)
            announce_ready(f"http://127.0.0.1:{listener.getsockname()[1]}")
            yield
            await settle()

    config = uvicorn.Config(app.build(lifespan), log_level="warning", access_log=False)
    server = uvicorn.Server(config)
    stopping = asyncio.create_task(stop_server(stop, server))
    await server.serve(sockets=[listener])
    stopping.cancel()
    for failure in failures:
        print("a handler failed:", failure)
    ledger.write("web")


if __name__ == "__main__":
    asyncio.run(serve())
