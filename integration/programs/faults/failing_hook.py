"""A hook whose every extractor raises, and a program that must not notice."""

import asyncio
import logging
import sys
import types

from msgtrace.hook import Deliver, Fetch, Hook, Late, Observe, Point, Process, Send
from msgtrace.records import Message
from msgtrace.start import active

logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(message)s")

library = types.ModuleType("toy")


class Toy:
    def send(self, value: int) -> int:
        return value + 1

    def fetch(self, value: int) -> int:
        return value + 2

    def deliver(self, value: int) -> int:
        return value + 3

    def process(self, value: int) -> int:
        if value == 5:
            raise KeyError(value)
        return value + 4

    def observe(self, value: int) -> int:
        return value + 5

    def late(self, value: int) -> int:
        return value + 6

    async def send_async(self, value: int) -> int:
        return value + 7

    async def fetch_async(self, value: int) -> int:
        return value + 8


library.Toy = Toy  # type: ignore[attr-defined]  # made up above
sys.modules["toy"] = library


def broken(*_args: object, **_kwargs: object) -> None:
    raise RuntimeError("an extractor is broken")


def fine(*_args: object, **_kwargs: object) -> Message:
    return {"channel": "c"}


HOOK = Hook(
    library="toy",
    system="toy",
    distribution="toy",
    versions=">=0",
    points=(
        Point("toy:Toy.send", Send(read=fine, done=broken)),
        Point("toy:Toy.fetch", Fetch(read=broken)),
        Point("toy:Toy.deliver", Deliver(read=broken)),
        Point("toy:Toy.process", Process(read=broken)),
        Point("toy:Toy.observe", Observe(kind="settle", read=broken)),
        Point("toy:Toy.late", Late(read=broken)),
        Point("toy:Toy.send_async", Send(read=broken, scope=True)),
        Point("toy:Toy.fetch_async", Fetch(read=broken)),
        Point("toy:Toy.gone", Send(read=fine)),
    ),
)

import pyee  # noqa: E402, F401 - opens the recorder

tracer = active()
assert tracer is not None
assert tracer.engine is not None
tracer.engine.add(HOOK)


async def main() -> None:
    toy = Toy()
    for number in range(30):
        assert toy.send(number) == number + 1
        assert toy.fetch(number) == number + 2
        assert toy.deliver(number) == number + 3
        try:
            assert toy.process(number) == number + 4
        except KeyError as error:
            assert error.args == (5,) == (number,)
        assert toy.observe(number) == number + 5
        assert toy.late(number) == number + 6
        assert await toy.send_async(number) == number + 7
        assert await toy.fetch_async(number) == number + 8


asyncio.run(main())
print('"went on"')
