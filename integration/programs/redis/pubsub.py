"""Publishes on channels and shard channels, and receives by name, by pattern, by handler, polling and listening."""

import asyncio
from typing import Any

import redis
from account import ASYNCIO, b64, client, close, did, got, name_of, named, tell

BODIES: list[Any] = ["text", "snow ☃ and 🎉", b"bytes \x00\xff\xfe", b"", "", 42, -7, 2.5, 1e300, memoryview(b"view")]
if int(redis.__version__.split(".")[0]) >= 8:
    BODIES.append(bytearray(b"array"))


async def publish(publisher: Any, channel: Any, body: Any) -> None:
    receivers = await got(publisher.publish(channel, body))
    did("send", channel=name_of(channel), channel_kind="pubsub", body=b64(body), receivers=receivers)


async def subscribe(pubsub: Any, command: str, *names: Any, **handled: Any) -> None:
    """Subscribe or unsubscribe, and take the answers; what is asked for is on the account, with the answers' counts."""
    given = [*names, *handled] or list({"u": pubsub.channels, "p": pubsub.patterns}[command[0]])
    await got(getattr(pubsub, command)(*names, **handled))
    answers = {}
    while len(answers) < len(given):
        answer = await got(pubsub.get_message(timeout=5))
        answers[name_of(answer["channel"])] = answer["data"]
    for each in given:
        handler = handled.get(each) if isinstance(each, str) else None
        did(
            "subscribe",
            channel=name_of(each),
            channel_kind="pubsub",
            command=command.upper(),
            pattern=True if command[0] == "p" else None,
            confirmed=True,
            subscriptions=answers[name_of(each)],
            handler=handler.__qualname__ if handler else None,
        )


def receive(message: dict[str, Any], **more: Any) -> None:
    pattern = message["pattern"]
    did(
        "receive",
        channel=name_of(message["channel"]),
        channel_kind="pubsub",
        body=b64(message["data"]),
        pattern=None if pattern is None else name_of(pattern),
        sharded=True if message["type"] == "smessage" else None,
        **more,
    )


def on_message(message: dict[str, Any]) -> None:
    receive(message)
    did("process", channel=name_of(message["channel"]), handler="on_message", outcome="ok")


async def on_message_later(message: dict[str, Any]) -> None:
    await asyncio.sleep(0)
    receive(message)
    did("process", channel=name_of(message["channel"]), handler="on_message_later", outcome="ok")


def failing(message: dict[str, Any]) -> None:
    receive(message)
    did("process", channel=name_of(message["channel"]), handler="failing", outcome="raised", error="ValueError")
    raise ValueError("as the program wants")


async def poll(pubsub: Any, **options: Any) -> Any:
    return await got(pubsub.get_message(timeout=5, **options))


async def main() -> None:
    publisher, subscriber = client(), client()
    pubsub = subscriber.pubsub()
    await publish(publisher, named("nobody"), "lost")
    await subscribe(pubsub, "subscribe", named("plain"), named("bytes").encode(), named("näme"))
    handler = on_message_later if ASYNCIO else on_message
    await subscribe(pubsub, "subscribe", **{named("handled"): handler, named("failing"): failing})
    await subscribe(pubsub, "psubscribe", named("p.*"), **{named("h?"): on_message})

    for body in BODIES:
        await publish(publisher, named("plain"), body)
        receive(await poll(pubsub))
    await publish(publisher, named("bytes").encode(), b"by bytes")
    receive(await poll(pubsub))
    await publish(publisher, named("näme"), "umlaut")
    receive(await poll(pubsub))
    await publish(publisher, named("p.one"), "by pattern")
    receive(await poll(pubsub))
    await publish(publisher, named("handled"), "to a handler")
    assert await poll(pubsub) is None
    await publish(publisher, named("h1"), "to a handler, by pattern")
    assert await poll(pubsub) is None
    await publish(publisher, named("failing"), "to one that fails")
    try:
        await poll(pubsub)
    except ValueError as error:
        did("caught", error=str(error))
    assert await got(pubsub.get_message(timeout=0.01)) is None

    await publish(publisher, named("plain"), "x" * 100_000)
    receive(await poll(pubsub))
    for number in range(3):
        await publish(publisher, named("plain"), f"listened {number}")
    taken = 0
    if ASYNCIO:
        async for message in pubsub.listen():
            receive(message)
            taken += 1
            if taken == 3:
                break
    else:
        for message in pubsub.listen():
            receive(message)
            taken += 1
            if taken == 3:
                break
    await subscribe(pubsub, "unsubscribe", named("plain"))
    await subscribe(pubsub, "punsubscribe")
    await close(pubsub, publisher, subscriber)
    tell()


asyncio.run(main())
