"""Pushes a body in each format that shows by itself, pops it, and adds it to a stream; has no labels to give."""

from __future__ import annotations

import sys

import redis
from encodings_of_orders import account, bodies

url, name = sys.argv[1:]
sent = [each for each in bodies() if each.shows]
with redis.Redis.from_url(url) as client:
    for each in sent:
        client.rpush(name, each.body)
        assert client.blpop([name], timeout=10)[1] == each.body
account(sent)
