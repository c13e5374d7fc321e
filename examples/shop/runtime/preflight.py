"""Looks whether the configured brokers answer, before anything is started that needs them."""

import asyncio
from urllib.parse import urlsplit

from shop.runtime.settings import Settings

ANSWER_SECONDS = 5.0


class BrokerMissingError(Exception):
    """Nobody listens where a broker should be."""


async def check_brokers(shop: Settings) -> None:
    """Connect to every configured broker once.

    Raises:
        BrokerMissingError: one does not answer, or its address cannot be read.
    """
    configured = {
        "SHOP_RABBITMQ": (shop.rabbitmq, 5672),
        "SHOP_KAFKA": (shop.kafka and f"kafka://{shop.kafka.split(',')[0]}", 9092),
        "SHOP_REDIS": (shop.redis, 6379),
    }
    for variable, (address, usual_port) in configured.items():
        if address is not None:
            await _check(variable, address, usual_port)


async def _check(variable: str, address: str, usual_port: int) -> None:
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port or usual_port
    except ValueError:
        host, port = None, usual_port
    if host is None:
        raise BrokerMissingError(f"{variable} is no address that names a host and a port.")
    try:
        _, writer = await asyncio.wait_for(asyncio.open_connection(host, port), ANSWER_SECONDS)
    except OSError:
        raise BrokerMissingError(
            f"nothing answers at {host}:{port}. Start a broker there, or set {variable} to where it is."
        ) from None
    writer.close()
    await writer.wait_closed()
