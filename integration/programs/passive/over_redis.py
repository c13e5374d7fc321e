"""Publishes, subscribes, streams and lists, one command after the other. Leaves nothing behind."""

import sys

import redis

url, name = sys.argv[1:]
client = redis.Redis.from_url(url)
subscriber = client.pubsub()  # type: ignore[no-untyped-call]  # redis-py leaves it untyped
subscriber.subscribe(name)
print(subscriber.get_message(timeout=5)["type"])
for number in range(5):
    client.publish(name, f'{{"n":{number}}}')
    print(subscriber.get_message(timeout=5)["data"])
with client.pipeline() as pipeline:
    for number in range(3):
        pipeline.rpush(name + ".list", f"item {number}")
    pipeline.set(name + ".cached", "x")
    print(pipeline.execute())
print(client.blpop([name + ".list"], timeout=1), client.lpop(name + ".list"), client.get(name + ".cached"))
client.xgroup_create(name + ".stream", "group", mkstream=True)
client.xadd(name + ".stream", {"n": 1, "text": "é"}, id="1-1")
print(client.xreadgroup("group", "me", {name + ".stream": ">"}), client.xack(name + ".stream", "group", "1-1"))
client.delete(name + ".list", name + ".cached", name + ".stream")
subscriber.close()
client.close()
