"""Redis pub/sub: one subscriber by name and one by pattern."""

from __future__ import annotations

import sys

import redis
from bodies import Ledger, bodies, identity

role, url, channel, count_text, path = sys.argv[1:]
name, _, number_text = role.partition("/")
ledger = Ledger(path)
count = int(count_text)
client = redis.Redis.from_url(url)
PRODUCERS = 3


def produce() -> None:
    for body in bodies(int(number_text), count):
        client.publish(channel, body)
        ledger.sent.append(identity(body))


def consume() -> None:
    subscriber = client.pubsub(ignore_subscribe_messages=True)  # type: ignore[no-untyped-call]  # redis-py leaves it untyped
    if name == "pattern":
        subscriber.psubscribe(channel[:-1] + "*")
    else:
        subscriber.subscribe(channel)
    while not subscriber.subscribed:
        subscriber.get_message(timeout=1)
    subscriber.get_message(timeout=1)
    print("ready", flush=True)
    for message in subscriber.listen():
        ledger.received.append(identity(message["data"]))
        if len(ledger.received) == PRODUCERS * count:
            return


produce() if name == "producer" else consume()
ledger.write()
