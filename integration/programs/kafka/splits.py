"""Sends a batch that is larger than its topic takes, of records that are not. Arguments: broker, topic."""

import sys

from account import did, tell
from kafka import KafkaProducer

broker, topic = sys.argv[1:]
producer = KafkaProducer(bootstrap_servers=broker, linger_ms=300, batch_size=60_000)
values = [bytes([65 + number]) * 400 for number in range(20)]
heard: list[int] = []
futures = [
    producer.send(topic, value, partition=0, headers=[("number", b"%d" % number)])
    for number, value in enumerate(values)
]
for future in futures:
    future.add_callback(lambda told: heard.append(told.offset))
for number, (value, future) in enumerate(zip(values, futures, strict=True)):
    told = future.get(30)
    did(
        "sent",
        topic=topic,
        value=value,
        partition=told.partition,
        offset=told.offset,
        headers=[("number", b"%d" % number)],
    )
producer.close()
did("heard", offsets=sorted(heard))
tell()
