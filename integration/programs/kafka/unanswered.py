"""Sends without hearing of it. Arguments: broker, topic; how: `acks` for acks=0, `killed` to die before anything left."""

import os
import signal
import sys

from account import did, tell
from kafka import KafkaProducer

broker, topic, how = sys.argv[1:]
if how == "acks":
    producer = KafkaProducer(bootstrap_servers=broker, acks=0, linger_ms=5)
    for number in range(4):
        producer.send(topic, f"quietly {number}".encode(), b"key")
        did("send", topic=topic, key=b"key", value=f"quietly {number}".encode())
    producer.close()
    tell()
else:
    producer = KafkaProducer(bootstrap_servers=broker, linger_ms=60_000, request_timeout_ms=1_000)
    for number in range(4):
        producer.send(topic, f"in vain {number}".encode(), b"key")
        did("send", topic=topic, key=b"key", value=f"in vain {number}".encode())
    tell()
    sys.stdout.flush()
    os.kill(os.getpid(), signal.SIGKILL)
