"""Keyspace notifications, plain and by redis 8's own class, polled and handled."""

import asyncio
from typing import Any

from account import ASYNCIO, b64, client, close, did, got, name_of, named, tell


def receive(channel: str, body: str, **more: Any) -> None:
    did("receive", channel=channel, channel_kind="pubsub", body=b64(body), **more)


async def main() -> None:
    db = client()
    key = named("key")
    space, events = f"__keyspace@0__:{key}", "__keyevent@0__:expired"
    notifications = db.keyspace_notifications()
    kinds: list[str] = []
    handling = f"main.<locals>.{'on_set_later' if ASYNCIO else 'on_set'}"

    def on_set(notification: Any) -> None:
        kinds.append(notification.event_type)
        receive(space, notification.event_type)
        did("process", channel=space, handler=handling, outcome="ok")

    async def on_set_later(notification: Any) -> None:
        on_set(notification)

    await got(notifications.subscribe(space, handler=on_set_later if ASYNCIO else on_set))
    await got(notifications.subscribe(events))
    assert await got(notifications.get_message(timeout=0.2)) is None
    assert await got(notifications.get_message(timeout=0.2)) is None
    for count, (name, handler) in enumerate(((space, handling), (events, None)), 1):
        settings = {"command": "SUBSCRIBE", "confirmed": True, "subscriptions": count}
        did("subscribe", channel=name, channel_kind="pubsub", handler=handler, **settings)
    await got(db.set(key, "value", px=20))
    for _ in range(2):
        await got(notifications.get_message(timeout=5))
    assert kinds == ["set", "expire"]
    expired = None
    while expired is None:
        await asyncio.sleep(0.03)
        await got(db.get(key))
        expired = await got(notifications.get_message(timeout=0.2))
    assert name_of(expired.key) == key
    receive(events, key)
    await close(notifications, db)
    tell()


asyncio.run(main())
