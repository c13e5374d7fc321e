"""What a program of this folder says that it did, in order, printed as JSON when it ends; and its client.

Every program is written once for both halves of redis-py: `got` awaits what the asyncio one returns. Arguments: the
server's url, a prefix for every name, and `asyncio` or `sync`; then `name=value` options of the client.
"""

import base64
import inspect
import json
import sys
from typing import Any

import redis
import redis.asyncio

DONE: list[dict[str, Any]] = []
URL, PREFIX, HALF = sys.argv[1:4]
OPTIONS: dict[str, Any] = {name: json.loads(value) for name, value in (each.split("=", 1) for each in sys.argv[4:])}
ASYNCIO = HALF == "asyncio"


def named(name: str) -> str:
    """A name that nobody else on this server uses."""
    return f"{PREFIX}.{name}"


def client(**options: Any) -> Any:
    """A client of the half that was asked for."""
    library = redis.asyncio if ASYNCIO else redis
    return library.Redis.from_url(URL, **{**OPTIONS, **options})


async def got(value: Any) -> Any:
    """What a call of either half comes to."""
    return await value if inspect.isawaitable(value) else value


async def close(*clients: Any) -> None:
    """Close clients, pipelines or PubSubs of either half."""
    for each in clients:
        await got(each.aclose() if ASYNCIO else each.close())


def raw(value: Any) -> bytes:
    """A value as redis-py sends it, or as it came before it was decoded."""
    if isinstance(value, str):
        return value.encode(OPTIONS.get("encoding", "utf-8"), OPTIONS.get("encoding_errors", "strict"))
    return repr(value).encode() if isinstance(value, int | float) else bytes(value)


def b64(value: Any) -> str:
    """The same for JSON."""
    return base64.b64encode(raw(value)).decode()


def name_of(key: Any) -> str:
    """A name as it is shown."""
    return raw(key).decode("utf-8", "backslashreplace")


def pairs(fields: Any) -> list[list[str]]:
    """A stream's fields for JSON."""
    return [[b64(name), b64(value)] for name, value in fields.items()]


def did(what: str, **facts: Any) -> None:
    """Put one thing on the account; what is None is left out."""
    DONE.append({"did": what, **{name: value for name, value in facts.items() if value is not None}})


def tell() -> None:
    """Print the account."""
    print(json.dumps(DONE))
