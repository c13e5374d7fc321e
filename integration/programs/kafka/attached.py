"""Takes the recorder in while a batch is open and an iteration goes on, and out again. Arguments: broker, topic, spool.

The only program here that knows msgtrace: it does to itself what `msgtrace attach` does to another process.
"""

import sys
from typing import Any

from account import did, tell
from kafka import KafkaConsumer, KafkaProducer
from kafka.structs import TopicPartition

from msgtrace.settings import Settings
from msgtrace.start import Tracer

broker, topic, spool = sys.argv[1:]
filler = KafkaProducer(bootstrap_servers=broker)
for number in range(4):
    filler.send(topic, b"%d" % number, partition=0).get(30)
filler.close()

upper: Any = lambda data: data.decode()  # noqa: E731 - as programs have it
consumer = KafkaConsumer(bootstrap_servers=broker, value_deserializer=upper, consumer_timeout_ms=10_000)
consumer.assign([TopicPartition(topic, 0)])
consumer.seek_to_beginning()
producer = KafkaProducer(bootstrap_servers=broker, linger_ms=60_000)

next(consumer)
unseen = producer.send(topic, b"unseen", partition=1)
tracer = Tracer(Settings(spool=spool))
tracer.start()
record = next(consumer)
did("receive", offset=record.offset, size=record.serialized_value_size)
seen = producer.send(topic, b"seen", partition=1)
producer.flush()
did("send", value=b"seen", offset=seen.get(30).offset)
left = producer.send(topic, b"left behind", partition=1)
did("send", value=b"left behind")
tracer.stop()
producer.flush()
did("unseen", offsets=[unseen.get(30).offset, left.get(30).offset])
next(consumer)
consumer.close()
producer.close()
tell()
