"""Adds binary bodies to a stream and reads them."""

from __future__ import annotations

import sys

import redis
from encodings_of_orders import account, bodies

url, name = sys.argv[1:]
sent = []
with redis.Redis.from_url(url) as client:
    for each in bodies():
        try:
            each.body.decode()
        except UnicodeDecodeError:
            if each.shows:
                sent.append(each)
                client.xadd(name, {"order": "7", "data": each.body})
    (_, entries), = client.xread({name: 0})  # fmt: skip
    assert [entry[b"data"] for _, entry in entries] == [each.body for each in sent]
account(sent)
