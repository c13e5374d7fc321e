"""redis-py: one thread publishes at a steady pace in pipelines of a hundred, another receives all of it.

    python bench/workloads/paced_redis.py --url redis://127.0.0.1:6379/0 --operations-per-s 20000 --seconds 60

A publish and a receive are two operations. Prints what it sent and received, and how long that took.
"""

import argparse
import json
import threading
import time

import measuring
import redis

PIPELINE = 100
parser = argparse.ArgumentParser()
parser.add_argument("--url", required=True)
parser.add_argument("--channel", required=True)
parser.add_argument("--operations-per-s", type=int, required=True)
parser.add_argument("--seconds", type=int, required=True)
options = parser.parse_args()
messages_per_s = options.operations_per_s // 2
total = messages_per_s * options.seconds // PIPELINE * PIPELINE
received = 0
client = redis.Redis.from_url(options.url)
subscription = client.pubsub(ignore_subscribe_messages=True)  # type: ignore[no-untyped-call]  # redis-py's
subscription.subscribe(options.channel)
subscription.get_message(timeout=10)


def receive() -> None:
    global received  # noqa: PLW0603 - a script's count
    while received < total:
        message = subscription.get_message(timeout=10)
        if message is None:
            return
        received += 1


receiver = threading.Thread(target=receive)
receiver.start()
started, cpu = time.monotonic(), time.process_time()
for second in range(options.seconds):
    # A second's bodies at a time: the program's own memory stays small.
    bodies = [measuring.body(second * messages_per_s + number) for number in range(messages_per_s)]
    for start in range(0, len(bodies), PIPELINE):
        due = started + second + start / messages_per_s
        time.sleep(max(0.0, due - time.monotonic()))
        with client.pipeline(transaction=False) as pipeline:
            for body in bodies[start : start + PIPELINE]:
                pipeline.publish(options.channel, body)
            pipeline.execute()
sent_s = time.monotonic() - started
receiver.join()
said = {
    "sent": total,
    "received": received,
    "seconds": time.monotonic() - started,
    "sending_seconds": sent_s,
    "cpu_seconds": time.process_time() - cpu,
}
print(json.dumps(said), flush=True)
