"""One process of `kafka_driver.py`. Arguments: ledgers, broker, topic, `producer` first end pause_ms | `member` fault."""

import os
import signal
import sys
import time

from kafka import KafkaConsumer, KafkaProducer
from kafka.errors import KafkaError
from ledger import note

_, broker, topic, role, *arguments = sys.argv[1:]
stopping: list[int] = []


def produce(first: int, end: int, pause_s: float) -> None:
    producer = KafkaProducer(bootstrap_servers=broker, acks="all")
    for number in range(first, end):
        producer.send(topic, b'{"number": %d}' % number, key=b"%d" % (number % 7)).get(80)
        note("sent", number)
        time.sleep(pause_s)
    producer.close()


def work(fault: str) -> None:
    consumer = KafkaConsumer(
        topic, bootstrap_servers=broker, group_id=f"{topic}-group", auto_offset_reset="earliest", enable_auto_commit=False,
        max_poll_records=1, session_timeout_ms=6_000, heartbeat_interval_ms=300, metadata_max_age_ms=1_000,
    )  # fmt: skip
    producer = KafkaProducer(bootstrap_servers=broker, acks=1)
    signal.signal(signal.SIGTERM, lambda number, _: stopping.append(number))
    ready = False
    while not stopping:
        if not ready and consumer.assignment():
            ready = True
            note("ready", os.getpid())
        for records in consumer.poll(200).values():
            for record in records:
                number = int(record.value[11:-1])
                note("received", number, partition=record.partition, offset=record.offset)
                time.sleep(0.03 if fault == "slow" else 0.003)
                producer.send(f"{topic}-done", b'{"done": %d}' % number).get(80)
                note("effect", number)
                if fault == "killed" and number == 5:
                    os.kill(os.getpid(), signal.SIGKILL)
                try:
                    consumer.commit()
                except KafkaError as error:  # it has them again, or another one has
                    note("not committed", number, error=type(error).__name__)
                else:
                    note("committed", number)
    consumer.close(autocommit=False)
    producer.close()


if role == "producer":
    produce(int(arguments[0]), int(arguments[1]), int(arguments[2]) / 1000)
else:
    work(arguments[0])
