"""Produces a body in each format, labelled by headers, and consumes them all."""

from __future__ import annotations

import sys

from encodings_of_orders import account, bodies
from kafka import KafkaConsumer, KafkaProducer

servers, name = sys.argv[1:]
sent = bodies()
producer = KafkaProducer(bootstrap_servers=servers)
for each in sent:
    labels = {"content-type": each.content_type, "content-encoding": each.content_encoding}
    headers = [(header, value.encode()) for header, value in labels.items() if value]
    producer.send(name, value=each.body, headers=headers).get(30)
producer.close()
consumer = KafkaConsumer(name, bootstrap_servers=servers, auto_offset_reset="earliest", group_id=None)
got: list[bytes] = []
while len(got) < len(sent):
    for records in consumer.poll(timeout_ms=1000).values():
        got += [record.value for record in records]
consumer.close()
assert got == [each.body for each in sent]
account(sent)
