"""Clients with other encodings: one that says the same bytes again, and two that lose some."""

import asyncio
import base64
from typing import Any

from account import client, close, did, got, named, tell

QUEUE = named("queue")


async def main() -> None:
    plain = client()
    clients: dict[str, Any] = {
        "latin-1": client(encoding="latin-1", decode_responses=True),
        "replacing": client(encoding_errors="replace", decode_responses=True),
        "ignoring": client(encoding_errors="ignore", decode_responses=True),
    }
    latin = clients["latin-1"]
    did("length", length=await got(latin.lpush(named("näme"), "Grüße")))
    assert await got(latin.rpop(named("näme"))) == "Grüße"
    for name, db in clients.items():
        for body in (b"Gr\xfc\xdfe", b"plain"):
            await got(plain.lpush(QUEUE, body))
            element = await got(db.rpop(QUEUE))
            did("popped", by=name, sent=base64.b64encode(body).decode(), seen=element)
    try:
        await got(latin.lpush(QUEUE, "☃"))
    except UnicodeEncodeError as error:
        did("caught", error=type(error).__name__)
    await close(plain, *clients.values())
    tell()


asyncio.run(main())
