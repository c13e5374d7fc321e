"""Consumers of Kafka that retry by policies, each with topics of its own, each in a thread.

kafka_topics.py BOOTSTRAP POLICIES
"""

import json
import sys
import threading
import time
from collections import Counter
from typing import Any

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from policy import Policy, number_of, policies

bootstrap, text = sys.argv[1:]
chosen = policies(text)
DEADLINE_S = 60


def topics(policy: Policy) -> list[str]:
    """Those that messages are tried from, the first one first."""
    if policy.mechanism != "retry topic":
        return [policy.name]
    return [policy.name, *(f"{policy.name}.retry.{attempt}" for attempt in range(1, policy.max_attempts))]


def consume(policy: Policy, consumer: Any, producer: Any) -> None:
    attempts: Counter[int] = Counter()
    done: set[int] = set()
    until = time.monotonic() + DEADLINE_S
    due: dict[int, float] = {}
    while len(done) < policy.messages and time.monotonic() < until:
        for records in consumer.poll(timeout_ms=50, max_records=50).values():
            for record in records:
                number = number_of(record.value)
                if number in due:
                    time.sleep(max(0.0, due[number] - time.monotonic()))
                attempts[number] += 1
                if handle(policy, consumer, producer, record, attempts[number], due):
                    done.add(number)
                elif policy.mechanism == "seek back":
                    break  # the others of the partition come again
    consumer.close()


def handle(policy: Policy, consumer: Any, producer: Any, record: Any, attempt: int, due: dict[int, float]) -> bool:
    number = number_of(record.value)
    if not policy.fails(number, attempt):
        return True
    if attempt >= policy.max_attempts:
        if policy.then == "dead letter":
            producer.send(policy.dead, record.value, key=record.key).get(10)
        return True
    delay = policy.delay(attempt)
    if policy.mechanism == "retry topic":
        due[number] = time.monotonic() + delay
        producer.send(f"{policy.name}.retry.{attempt}", record.value, key=record.key).get(10)
    elif policy.mechanism == "republish":
        time.sleep(delay)
        producer.send(policy.name, record.value, key=record.key).get(10)
    else:
        time.sleep(delay)
        consumer.seek(TopicPartition(record.topic, record.partition), record.offset)
    return False


def main() -> None:
    admin: Any = KafkaAdminClient(bootstrap_servers=bootstrap)
    names = {name for policy in chosen for name in [*topics(policy), policy.dead]}
    admin.create_topics(
        {name: {"num_partitions": 1, "replication_factor": 1} for name in names}, wait_for_metadata=True
    )
    producer = KafkaProducer(bootstrap_servers=bootstrap, linger_ms=0)
    for name in names:
        producer.partitions_for(name)  # or the first send to each waits for it
    for policy in chosen:
        for number in range(policy.messages):
            producer.send(policy.name, policy.body(number), key=b"%d" % number)
    producer.flush()
    threads = []
    for policy in chosen:
        consumer = KafkaConsumer(
            bootstrap_servers=bootstrap,
            group_id=f"{policy.name}.group",
            auto_offset_reset="earliest",
            enable_auto_commit=False,
        )
        consumer.assign([TopicPartition(name, 0) for name in topics(policy)])
        threads.append(threading.Thread(target=consume, args=(policy, consumer, producer)))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    producer.close()
    admin.close()
    print(json.dumps({}))


main()
