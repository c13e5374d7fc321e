"""Sends Celery tasks over Redis and looks at the queue as an operator would: by taking what lies there."""

from __future__ import annotations

import json
import sys

import redis
from celery import Celery

url, name = sys.argv[1:]
secret = "hunter2-" + "correct-horse"
app = Celery(broker=url)
app.conf.task_default_queue = name
said = []
for serializer in ("json", "pickle"):
    for compression in (None, "gzip"):
        result = app.send_task(
            "shop.pay",
            (7, serializer),
            {"amount": 9.5, "password": secret},
            serializer=serializer,
            compression=compression,
        )
        said.append([serializer, compression, result.id])
with redis.Redis.from_url(url) as client:
    for _ in said:
        assert client.brpop([name], timeout=10)
print(json.dumps(said))
