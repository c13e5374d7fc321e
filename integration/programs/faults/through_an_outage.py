"""Publishes a numbered message every few milliseconds, through the loss of its broker, until it is told to stop.

    through_an_outage.py REDIS_URL CHANNEL

Prints each number with `ok` or the error's name, then all as JSON when its standard input ends.
"""

import json
import sys
import threading
import time

import redis

url, channel = sys.argv[1:]
client = redis.Redis.from_url(url, retry=None, socket_timeout=2)
outcomes: list[str] = []
stop = threading.Event()


def await_the_end() -> None:
    sys.stdin.read()
    stop.set()


threading.Thread(target=await_the_end, daemon=True).start()
while not stop.is_set():
    try:
        client.publish(channel, b"%d" % len(outcomes))
        outcomes.append("ok")
    except redis.RedisError as error:
        outcomes.append(type(error).__name__)
    print(outcomes[-1], file=sys.stderr, flush=True)
    time.sleep(0.01)
print(json.dumps(outcomes))
