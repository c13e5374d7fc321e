"""All that the other programs do, with a cluster's clients: single commands, pipelines, transactions, redirections."""

import asyncio
from typing import Any

import redis
from account import ASYNCIO, OPTIONS, URL, b64, close, did, got, name_of, named, pairs, tell
from redis.asyncio.cluster import RedisCluster as AsyncioCluster
from redis.cluster import RedisCluster

VERSION = tuple(int(part) for part in redis.__version__.split(".")[:2])
QUEUE, STREAM, TEXT, CHANNEL = (named(f"{{tag}}.{name}") for name in ("queue", "stream", "text", "channel"))
WRONG = "redis.exceptions.ResponseError"


def pushed(element: str, queue: str = QUEUE, **more: Any) -> None:
    did("send", channel=queue, channel_kind="list", body=b64(element), command="LPUSH", **more)


def popped(command: str, element: Any, queue: str = QUEUE) -> None:
    did("receive", channel=queue, channel_kind="list", body=b64(element), command=command)


async def commands(db: Any) -> None:
    await got(db.set(TEXT, "text"))
    pushed("one", length=await got(db.lpush(QUEUE, "one")))
    popped("LMOVE", await got(db.lmove(QUEUE, QUEUE)))
    did("send", channel=QUEUE, channel_kind="list", body=b64("one"), command="LMOVE")
    popped("BRPOP", (await got(db.brpop(QUEUE, timeout=1)))[1])
    identity = await got(db.xadd(STREAM, {"n": 1}))
    did("send", channel=STREAM, channel_kind="stream", entry=pairs({"n": 1}), id=name_of(identity))
    await got(db.xgroup_create(STREAM, "g", id="0"))
    settings = {"command": "XGROUP CREATE", "from": "0"}
    did("declare", channel=STREAM, channel_kind="stream", group="g", **settings)
    assert await got(db.xreadgroup("g", "me", {STREAM: ">"}))
    mine = {"group": "g", "member": "me"}
    did("receive", channel=STREAM, channel_kind="stream", entry=pairs({"n": 1}), id=name_of(identity), **mine)
    assert await got(db.xack(STREAM, "g", identity)) == 1
    did("settle", channel=STREAM, channel_kind="stream", group="g", id=name_of(identity), outcome="ack")


async def subscriptions(db: Any) -> None:
    pubsub = db.pubsub()
    await got(pubsub.subscribe(CHANNEL))
    while not await got(pubsub.get_message(timeout=5)):
        continue
    did("subscribe", channel=CHANNEL, channel_kind="pubsub", command="SUBSCRIBE", confirmed=True, subscriptions=1)
    await got(db.publish(CHANNEL, "everywhere"))
    # Of a cluster's subscribers, those at the node that was asked are counted.
    did("send", channel=CHANNEL, channel_kind="pubsub", body=b64("everywhere"))
    message = await got(pubsub.get_message(timeout=5))
    did("receive", channel=name_of(message["channel"]), channel_kind="pubsub", body=b64(message["data"]))
    await close(pubsub)


async def shards(db: Any) -> None:
    pubsub = db.pubsub()
    names = [named(f"shard{number}") for number in range(4)]
    for name in names:
        await got(pubsub.ssubscribe(name))
    confirmed = {}
    while len(confirmed) < len(names):
        answer = await got(pubsub.get_sharded_message(timeout=0.2))
        if answer:
            confirmed[name_of(answer["channel"])] = answer["data"]
    for name in names:
        counted = {"command": "SSUBSCRIBE", "confirmed": True, "subscriptions": confirmed[name]}
        did("subscribe", channel=name, channel_kind="pubsub", **counted)
    for name in names:
        receivers = await got(db.spublish(name, name))
        did("send", channel=name, channel_kind="pubsub", body=b64(name), sharded=True, receivers=receivers)
        message = None
        while message is None:
            message = await got(pubsub.get_sharded_message(timeout=0.2))
        data = b64(message["data"])
        did("receive", channel=name_of(message["channel"]), channel_kind="pubsub", body=data, sharded=True)
    await close(pubsub)


async def pipelines(db: Any) -> None:
    for raises in (True, False):
        pipe = db.pipeline()
        pipe.set(named("elsewhere"), 1)
        pipe.get(TEXT)
        pipe.lpush(QUEUE, "in a pipeline")
        pipe.xadd(TEXT, {"a": 1})
        pipe.rpop(QUEUE)
        try:
            await got(pipe.execute(raise_on_error=raises))
        except redis.ResponseError:
            assert raises
        pushed("in a pipeline", length=1)
        refused = {"outcome": "raised", "error": WRONG}
        did("send", channel=TEXT, channel_kind="stream", entry=pairs({"a": 1}), **refused)
        popped("RPOP", "in a pipeline")


async def transactions(db: Any) -> None:
    if VERSION < (6, 2):
        return
    pipe = db.pipeline(transaction=True)
    pipe.lpush(QUEUE, "in a transaction")
    pipe.rpop(QUEUE)
    await got(pipe.execute())
    pushed("in a transaction", length=1)
    popped("RPOP", "in a transaction")
    pipe = db.pipeline(transaction=True)
    pipe.lpush(QUEUE, "before")
    pipe.xadd(TEXT, {"a": 1})
    try:
        await got(pipe.execute())
    except redis.ResponseError as error:
        did("caught", error=type(error).__name__)
    pushed("before", length=1)
    did("send", channel=TEXT, channel_kind="stream", entry=pairs({"a": 1}), outcome="raised", error=WRONG)


async def redirections(db: Any) -> None:
    """Slots that have moved: the client learns it from the reply to what it sends to the old place."""
    alone, queued = named("alone"), named("queued")
    nodes = {node.port: redis.Redis(port=node.port, decode_responses=True) for node in db.get_primaries()}
    ids = {port: node.execute_command("CLUSTER MYID") for port, node in nodes.items()}
    for key in (alone, queued):
        slot = db.keyslot(key)
        owner = db.get_node_from_key(key).port
        other = next(port for port in nodes if port != owner)
        nodes[other].execute_command("CLUSTER SETSLOT", slot, "IMPORTING", ids[owner])
        nodes[owner].execute_command("CLUSTER SETSLOT", slot, "MIGRATING", ids[other])
        for port in (other, owner, *(each for each in nodes if each not in {owner, other})):
            nodes[port].execute_command("CLUSTER SETSLOT", slot, "NODE", ids[other])
    for node in nodes.values():
        node.close()
    pushed("redirected", alone, length=await got(db.lpush(alone, "redirected")))
    pipe = db.pipeline()
    pipe.lpush(queued, "redirected, in a pipeline")
    pipe.lmove(queued, queued)
    pipe.rpop(queued)
    await got(pipe.execute())
    pushed("redirected, in a pipeline", queued, length=1)
    popped("LMOVE", "redirected, in a pipeline", queued)
    did("send", channel=queued, channel_kind="list", body=b64("redirected, in a pipeline"), command="LMOVE")
    popped("RPOP", "redirected, in a pipeline", queued)
    await got(db.delete(alone))


async def main() -> None:
    db: Any = (AsyncioCluster if ASYNCIO else RedisCluster).from_url(URL, **OPTIONS)
    await commands(db)
    if not ASYNCIO or VERSION >= (8, 0):
        await subscriptions(db)
        await shards(db)
    await pipelines(db)
    await transactions(db)
    await redirections(db)
    await close(db)
    tell()


asyncio.run(main())
