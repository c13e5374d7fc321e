"""Produces records with times of its own, in one batch each, and reads them back."""

import sys

from kafka import KafkaConsumer, KafkaProducer, TopicPartition

bootstrap, topic = sys.argv[1:]
producer = KafkaProducer(bootstrap_servers=bootstrap, client_id="p", linger_ms=0, enable_idempotence=False)
for number in range(5):
    headers = [("h", b"1"), ("h", b"2")]
    sent = producer.send(
        topic, b'{"n":%d}' % number, key=b"k", headers=headers, partition=0, timestamp_ms=1_700_000_000_000
    )
    print(sent.get(timeout=10).offset)
producer.close()
consumer = KafkaConsumer(bootstrap_servers=bootstrap, client_id="c", group_id=topic, enable_auto_commit=False)
consumer.assign([TopicPartition(topic, 0)])
consumer.seek_to_beginning()
for record in consumer:
    print(record.offset, record.key, record.value, record.headers)
    if record.offset == 4:
        break
consumer.commit()
consumer.close()
