"""Plays a generated system: starts a program for each of its services, lets all begin at once, and waits for them.

    driver.py SCRIPT AMQP_URL KAFKA_SERVERS REDIS_URL

Prints what each service did, as JSON: service -> numbers of the messages that it sent, and of those that it took.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

from kafka.admin import KafkaAdminClient, NewTopic

SERVICE = str(Path(__file__).parent / "service.py")


def started(service: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, SERVICE, service, *sys.argv[1:]],
        env={**os.environ, "MSGTRACE_SERVICE": service},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def make_topics(topics: list[str]) -> None:
    """A consumer learns only much later of a topic that its first record makes."""
    admin = KafkaAdminClient(bootstrap_servers=sys.argv[3])
    admin.create_topics([NewTopic(name, num_partitions=1, replication_factor=1) for name in topics])
    admin.close()


def main() -> int:
    script = json.loads(Path(sys.argv[1]).read_text())
    if script["topics"]:
        make_topics(script["topics"])
    services = {name: started(name) for name in script["services"]}
    if any(process.stdout.readline() != "ready\n" for process in services.values()):
        for process in services.values():
            process.kill()
        return 2
    for process in services.values():
        process.stdin.write("go\n")
        process.stdin.flush()
    did = {name: process.communicate()[0] for name, process in services.items()}
    print(json.dumps({name: json.loads(text) for name, text in did.items()}))
    return max(process.returncode for process in services.values())


if __name__ == "__main__":
    sys.exit(main())
