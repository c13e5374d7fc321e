"""Starts the parties of one system, waits for each, and ends with 0 if all did.

    driver.py SYSTEM URL CHANNEL FOLDER COUNT

Consumers are started first, and say `ready`; they end by themselves when they have what they expect.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

PRODUCERS = 3
CONSUMERS: dict[str, list[str]] = {
    # role names; a group's members compete
    "kafka": ["billing/0", "billing/1", "audit/0"],
    "streams": ["billing/0", "billing/1", "audit/0"],
    "amqp": ["billing/0", "billing/1", "audit/0"],
    "pubsub": ["plain/0", "pattern/0"],
    "lists": ["worker/0", "worker/1"],
    "websocket": ["server/0"],
}


def start(system: str, role: str, arguments: list[str], folder: Path) -> subprocess.Popen[str]:
    name = role.replace("/", "-")
    return subprocess.Popen(
        [
            sys.executable,
            str(Path(__file__).parent / f"{system}_party.py"),
            role,
            *arguments,
            str(folder / f"{name}.json"),
        ],
        env={**os.environ, "MSGTRACE_SERVICE": name},
        stdout=subprocess.PIPE,
        stdin=subprocess.PIPE,
        text=True,
    )


def main() -> int:
    system, url, channel, folder, count = sys.argv[1:]
    arguments = [url, channel, count]
    consumers = [start(system, role, arguments, Path(folder)) for role in CONSUMERS[system]]
    for consumer in consumers:
        assert consumer.stdout is not None
        ready = consumer.stdout.readline().split()
        if not ready or ready[0] != "ready":
            return 2
        if len(ready) > 1:
            arguments[0] = ready[1]  # a server says where it is
    producers = [start(system, f"producer/{n}", arguments, Path(folder)) for n in range(PRODUCERS)]
    codes = [producer.wait() for producer in producers]
    for consumer in consumers:
        assert consumer.stdin is not None
        consumer.stdin.close()  # no more will be sent
    codes += [consumer.wait() for consumer in consumers]
    return 1 if any(codes) else 0


if __name__ == "__main__":
    sys.exit(main())
