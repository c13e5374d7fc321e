"""Clients of every make, with secrets in all the places where they can be given."""

import asyncio
import sys
from typing import Any

import redis
import redis.asyncio.retry
import redis.retry
from account import ASYNCIO, URL, close, got, tell
from redis.backoff import NoBackoff

SOCKET = sys.argv[4].removeprefix("socket=").strip('"')


async def main() -> None:
    library = redis.asyncio if ASYNCIO else redis
    retry = redis.asyncio.retry.Retry if ASYNCIO else redis.retry.Retry
    address, _, _ = URL.removeprefix("redis://").partition("/")
    host, _, port = address.partition(":")
    clients: list[Any] = [
        library.Redis.from_url(URL),
        library.Redis(host=host, port=int(port), db=3, client_name="billing", protocol=2),
        library.Redis.from_url(f"redis://default:pass-in-url@{address}/1?protocol=3"),
        library.Redis(host=host, port=int(port), username="someone", password="pass-in-argument"),
        library.Redis(host=host, port=1, ssl=True, retry=retry(NoBackoff(), 0)),
        library.Redis(unix_socket_path=SOCKET),
        library.Redis(connection_pool=library.BlockingConnectionPool(host=host, port=int(port))),
    ]
    for client in clients:
        try:
            await got(client.publish("connections", "here"))
        except redis.RedisError:
            continue
    await close(*clients)
    tell()


asyncio.run(main())
