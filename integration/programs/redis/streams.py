"""Streams: entries of every kind added, read alone and in groups, read again, claimed, acknowledged, trimmed."""

import asyncio
import json
from typing import Any

import redis
from account import client, close, did, got, name_of, named, pairs, raw, tell

STREAM, OTHER = named("stream"), named("other")
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
ENTRIES: list[dict[Any, Any]] = [
    {"type": "OrderPlaced", "data": json.dumps({"id": 4711, "lines": [1, 2]})},
    {"one": "field"},
    {"bytes": b"\x00\xff", b"name": 1, "float": 2.5, "empty": ""},
    {"text": "snow ☃", "näme": '["kept", {"as": "it is"}]', "broken": "{no json"},
    {"traceparent": TRACE, "body": "with a trace"},
]


def streams_in(reply: Any) -> Any:
    """A reply's streams and their entries, whatever form it has."""
    for key, entries in reply.items() if isinstance(reply, dict) else reply:
        yield key, entries[0] if entries and isinstance(entries[0], list) else entries


def added(stream: str, fields: dict[Any, Any], identity: Any, **more: Any) -> None:
    trace = {"trace_id": TRACE.split("-")[1], "span_id": TRACE.split("-")[2]} if "traceparent" in fields else {}
    shown = None if identity is None else name_of(identity)
    did("send", channel=stream, channel_kind="stream", entry=pairs(fields), id=shown, **trace, **more)


def read(reply: Any, **more: Any) -> list[Any]:
    entries = [(key, *entry) for key, found in streams_in(reply) for entry in found]
    for key, identity, fields, *_ in entries:
        traced = any(raw(name) == b"traceparent" for name in fields)
        trace = {"trace_id": TRACE.split("-")[1], "span_id": TRACE.split("-")[2]} if traced else {}
        did(
            "receive",
            channel=name_of(key),
            channel_kind="stream",
            entry=pairs(fields) if fields else None,
            deleted=None if fields else True,
            id=name_of(identity),
            batch=True if len(entries) > 1 else None,
            **trace,
            **more,
        )
    return entries


def acked(identity: Any, group: str, **more: Any) -> None:
    did("settle", channel=STREAM, channel_kind="stream", id=name_of(identity), group=group, outcome="ack", **more)


async def adding(db: Any) -> None:
    for fields in ENTRIES:
        added(STREAM, fields, await got(db.xadd(STREAM, fields)))
    added(OTHER, {"a": "b"}, await got(db.xadd(OTHER, {"a": "b"}, id="5-1")))
    trimming = await got(db.xadd(OTHER, {"c": "d"}, maxlen=100, approximate=True, limit=10))
    added(OTHER, {"c": "d"}, trimming, maxlen=100, approximate=True, limit=10)
    nothing = await got(db.xadd(named("none"), {"x": "y"}, nomkstream=True))
    added(named("none"), {"x": "y"}, nothing, nomkstream=True, outcome="returned")
    try:
        await got(db.xadd(OTHER, {"late": "one"}, id="1-1"))
    except redis.RedisError as error:
        wrong = type(error).__module__ + "." + type(error).__qualname__
        added(OTHER, {"late": "one"}, None, outcome="raised", error=wrong)

    read(await got(db.xread({STREAM: "0", OTHER: "0"}, count=2)))
    assert not await got(db.xread({OTHER: "$"}, block=10))


async def grouping(db: Any) -> None:
    for stream in (STREAM, OTHER):
        await got(db.xgroup_create(stream, "workers", id="0", mkstream=True))
        settings = {"command": "XGROUP CREATE", "from": "0", "mkstream": True}
        did("declare", channel=stream, channel_kind="stream", group="workers", **settings)
    try:
        await got(db.xgroup_create(STREAM, "workers"))
    except redis.RedisError as error:
        wrong = type(error).__module__ + "." + type(error).__qualname__
        settings = {"command": "XGROUP CREATE", "from": "$"}
        did(
            "declare", channel=STREAM, channel_kind="stream", group="workers", outcome="raised", error=wrong, **settings
        )


async def working(db: Any) -> None:
    ours = {"group": "workers", "member": "me"}
    first = read(await got(db.xreadgroup("workers", "me", {STREAM: ">"}, count=3)), **ours)
    acked(first[0][1], "workers")
    assert await got(db.xack(STREAM, "workers", first[0][1])) == 1
    assert await got(db.xack(STREAM, "workers", first[0][1], first[1][1])) == 1
    acked(first[0][1], "workers", pending=1)
    acked(first[1][1], "workers", pending=1)
    read(await got(db.xreadgroup("workers", "me", {STREAM: "0"})), redelivered=True, **ours)
    rest = read(await got(db.xreadgroup("workers", "me", {STREAM: ">", OTHER: ">"}, noack=True)), noack=True, **ours)
    assert len(rest) == 4
    assert not await got(db.xreadgroup("workers", "me", {STREAM: ">"}, block=10))

    lost = first[2][1]
    claimed = await got(db.xclaim(STREAM, "workers", "you", 0, [lost], retrycount=7))
    yours = {"group": "workers", "member": "you", "redelivered": True}
    read([[STREAM, claimed]], command="XCLAIM", attempt=7, **yours)
    assert await got(db.xclaim(STREAM, "workers", "me", 0, [lost], justid=True))
    reply = await got(db.xautoclaim(STREAM, "workers", "you", 0))
    read([[STREAM, reply[1]]], command="XAUTOCLAIM", **yours)
    assert await got(db.xautoclaim(STREAM, "workers", "you", 0, justid=True))
    await got(db.xdel(STREAM, lost))
    read(await got(db.xreadgroup("workers", "you", {STREAM: "0"})), **yours)
    acked(lost, "workers")
    assert await got(db.xack(STREAM, "workers", lost)) == 1


async def ending(db: Any) -> None:
    removed = await got(db.xtrim(STREAM, maxlen=1, approximate=False))
    did("declare", channel=STREAM, channel_kind="stream", command="XTRIM", maxlen=1, removed=removed)
    await got(db.xgroup_createconsumer(STREAM, "workers", "they"))
    did(
        "declare",
        channel=STREAM,
        channel_kind="stream",
        group="workers",
        command="XGROUP CREATECONSUMER",
        consumer="they",
    )
    await got(db.execute_command("XGROUP", "DELCONSUMER", STREAM, "workers", "they"))
    did(
        "declare", channel=STREAM, channel_kind="stream", group="workers", command="XGROUP DELCONSUMER", consumer="they"
    )
    await got(db.xgroup_destroy(STREAM, "workers"))
    did("declare", channel=STREAM, channel_kind="stream", group="workers", command="XGROUP DESTROY")
    assert await got(db.xlen(STREAM)) == 1
    assert await got(db.xrange(STREAM))
    await got(db.delete(STREAM, OTHER))


async def main() -> None:
    db = client()
    for part in (adding, grouping, working, ending):
        await part(db)
    await close(db)
    tell()


asyncio.run(main())
