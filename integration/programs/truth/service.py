"""One service of a generated system: takes what it takes, sends what follows, and ends when it has had all.

service.py SERVICE SCRIPT AMQP_URL KAFKA_SERVERS REDIS_URL
"""

import asyncio
import contextlib
import json
import sys
from typing import Any

from pyee.asyncio import AsyncIOEventEmitter
from script import Script
from sides import Amqp, Kafka, Redis

PATIENCE_S = 40


class HandlingError(Exception):
    """What a handler raises."""


class Service:
    """The service with its clients."""

    def __init__(self, script: Script, amqp: str, kafka: str, redis: str) -> None:
        self.script = script
        systems = {message["system"] for message in script.messages}
        self.sides: dict[str, Any] = {}
        if "rabbitmq" in systems:
            self.sides["rabbitmq"] = Amqp(amqp, self)
        if "kafka" in systems:
            self.sides["kafka"] = Kafka(kafka, self)
        if "redis" in systems:
            self.sides["redis"] = Redis(redis, self)
        kind = type("Events", (AsyncIOEventEmitter,), {"__module__": f"{script.service}.bus"})
        self.bus = kind()
        self.working = 0

    async def send(self, number: int) -> None:
        """Send a message of the script."""
        message = self.script.messages[number]
        self.script.sent.append(number)
        if message["system"] == "pyee":
            self.bus.emit(message["key"], message["data"])
        else:
            await self.sides[message["system"]].send(message)

    async def take(self, handler: str, address: str, body: str) -> None:
        """Do with a message what the script says."""
        reaction = self.script.reaction(handler, address, body)
        self.working += 1
        try:
            for number in reaction["sends"]:
                await self.send(number)
        finally:
            self.working -= 1
        if reaction["fails"]:
            raise HandlingError(handler)

    def listen(self, event: str, handler: str) -> None:
        """Take an event of the bus."""

        async def on_event(data: Any) -> None:
            with contextlib.suppress(HandlingError):
                await self.take(handler, f"{self.script.service}.bus.Events", json.dumps(data))

        self.bus.on(event, on_event)

    async def run(self) -> None:
        """From the first subscription to the last message."""
        for side in self.sides.values():
            await side.begin()
        for each in self.script.takes:
            if each["system"] == "pyee":
                self.listen(each["key"], each["handler"])
        loops = [asyncio.create_task(side.loop()) for side in self.sides.values()]
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        for number in self.script.starts:
            await asyncio.create_task(self.send(number))
            await asyncio.sleep(0.002)
        for _ in range(PATIENCE_S * 20):
            if self.script.complete and not self.working:
                break
            await asyncio.sleep(0.05)
        await asyncio.sleep(0.2)
        for loop in loops:
            loop.cancel()
        for side in self.sides.values():
            await side.end()


def main() -> None:
    service, path, amqp, kafka, redis = sys.argv[1:]
    script = Script(path, service)
    asyncio.run(Service(script, amqp, kafka, redis).run())
    print(script.account())


if __name__ == "__main__":
    main()
