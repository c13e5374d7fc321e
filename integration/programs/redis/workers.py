"""Subscribers that run by themselves: a thread in the sync half, a task in the asyncio one."""

import asyncio
import threading
from typing import Any

from account import ASYNCIO, client, close, did, got, name_of, named, tell

EVENTS, ANSWERS = named("events"), named("answers")
WANTED = 20


async def main() -> None:
    db = client()
    taken: list[str] = []
    finished = threading.Event()

    def on_event(message: dict[str, Any]) -> None:
        taken.append(name_of(message["data"]))
        if not ASYNCIO:
            db.rpush(ANSWERS, "re:" + name_of(message["data"]))
        if len(taken) == WANTED:
            finished.set()

    async def on_event_later(message: dict[str, Any]) -> None:
        await db.rpush(ANSWERS, "re:" + name_of(message["data"]))
        on_event(message)

    pubsub = db.pubsub(ignore_subscribe_messages=True)
    await got(pubsub.subscribe(**{EVENTS: on_event_later if ASYNCIO else on_event}))
    if ASYNCIO:
        task = asyncio.create_task(pubsub.run(poll_timeout=0.05))
    else:
        thread = pubsub.run_in_thread(sleep_time=0.05, daemon=True)
    for number in range(WANTED):
        await got(db.publish(EVENTS, f"event {number}"))
    for _ in range(1000):
        if finished.is_set():
            break
        await asyncio.sleep(0.01)
    if ASYNCIO:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await close(pubsub)
    else:
        thread.stop()
        thread.join(10)
    did("taken", events=taken)
    await got(db.delete(ANSWERS))
    await close(db)
    tell()


asyncio.run(main())
