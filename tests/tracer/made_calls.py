"""A program that makes many calls of every shape through the engine, and prints what was recorded without its times.

    python made_calls.py SEED

Run in both ways of recording, it must print the same.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import random
import sys
import tempfile
import threading
import types
from pathlib import Path
from typing import Any

import msgspec

from msgtrace import interning, records
from msgtrace.code_site import CodeSites
from msgtrace.context import CURRENT
from msgtrace.engine import Engine
from msgtrace.hook import Deliver, Fetch, Hook, Late, Made, Observe, Point, Process, Send, Submit, Together
from msgtrace.recorder import Recorder
from msgtrace.segment import HEADER_BYTES, Header, frames
from msgtrace.settings import Settings

CALLS = 1_500
BODY_LIMIT = 500
TEXTS = ["", "order.created", "ø" * 40, "\ud800 half a pair", "x" * 300]


class Bus:
    """The library."""

    def send(self, value: Any, *_more: Any, fail: bool = False, **_named: Any) -> Any:
        if fail:
            raise ConnectionError("refused", 61)
        return value

    def scope(self, value: Any) -> Any:
        self.handle(value)
        return self.send(value)

    def handle(self, value: Any) -> Any:
        return value

    def fetch(self, value: Any) -> Any:
        return value

    def settle(self, value: Any) -> Any:
        return value

    def deliver(self, value: Any) -> Any:
        return self.send(value)

    def submit(self, value: Any) -> Any:
        return self.made(value)

    def made(self, value: Any) -> Any:
        return value

    def told(self, value: Any) -> Any:
        return value

    async def send_later(self, value: Any) -> Any:
        await asyncio.sleep(0)
        return value

    async def fetch_later(self, value: Any) -> Any:
        await asyncio.sleep(0)
        return value


def messages(value: Any) -> Any:
    """What an extractor makes of a value: the value says it itself."""
    if value == "raise":
        raise ValueError("an extractor that fails")
    return [dict(each) for each in value] if type(value) is list else None if value is None else dict(value)


def sent(self: Any, value: Any, *_more: Any, **_named: Any) -> Any:
    return messages(value)


def done(_sequence: Any, result: Any, *_: Any, **__: Any) -> Any:
    if type(result) is dict and "headers" in result:
        return {"outcome": "ack", "message_id": "m"}
    return {"log_offset": 2**40, "identity": "é"} if type(result) is dict and "partition_id" in result else None


def got(_result: Any, _self: Any, value: Any) -> Any:
    return messages(value)


def ended(_: Any, _self: Any, value: Any) -> Any:
    return value


def owned(_result: Any, _owner: Any, self: Any, value: Any) -> Any:
    return messages(value) if type(value) is not list else None


def made_hook() -> Hook:
    module = types.ModuleType("madelibrary")
    module.Bus = Bus  # type: ignore[attr-defined]  # a module of our own making
    sys.modules["madelibrary"] = module
    points = {
        "send": Send(read=sent, done=done),
        "scope": Send(read=sent, scope=True),
        "handle": Process(read=sent),
        "fetch": Fetch(read=got),
        "settle": Observe(kind="settle", read=got),
        "deliver": Deliver(read=sent),
        "submit": Submit(read=sent, refusal=lambda *_: None),
        "made": Made(read=owned),
        "told": Late(read=ended),
        "send_later": Send(read=sent, done=done),
        "fetch_later": Fetch(read=got),
    }
    table = tuple(Point(f"madelibrary:Bus.{name}", action) for name, action in points.items())
    return Hook("madelibrary", "made", "madelibrary", "", table)


def some_message(choose: random.Random) -> dict[str, Any]:
    message: dict[str, Any] = {"channel": choose.choice(["orders", interning.text("orders")]), "channel_kind": "queue"}
    body = choose.choice(
        [None, b"", b"x" * 200, b"y" * (BODY_LIMIT + 1), "text", "é" * BODY_LIMIT, bytearray(b"z" * 9)]
    )
    if choose.random() < 0.8:
        message["body"] = body
    for name, value in (
        ("routing_key", choose.choice(TEXTS)),
        ("partition_id", choose.choice([0, 127, 128, 255, 256, 65_535, 65_536, 2**32 - 1, 2**32, 2**63])),
        ("headers", [("a", choose.choice(TEXTS)), ("a", b"\0"), ("n", None)]),
        ("data", {"nested": [{"deep": [1, -1, 1.5, True, None]}], "text": choose.choice(TEXTS)}),
        ("outcome", choose.choice(["ack", "nack", "requeue", "commit"])),
    ):
        if choose.random() < 0.3:
            message[name] = value  # noqa: PERF403 - a dice a field
    return message


def some_value(choose: random.Random) -> Any:
    dice = choose.random()
    if dice < 0.05:
        return None
    if dice < 0.2:
        return [some_message(choose) for _ in range(choose.randrange(4))]
    return some_message(choose)


def some_ends(choose: random.Random) -> Any:
    if choose.random() < 0.3:
        sequences = [choose.randrange(1, 2**34) for _ in range(choose.choice([1, 3, 2_500]))]
        several: Any = choose.choice([{}, {"log_offset": 2**33}, {"broker_time_ms": 1}])
        return [Together(sequences, several)]
    outcome = choose.choice(["ok", "raised", "ack"])
    error = TimeoutError("late", 3) if outcome == "raised" else None
    facts = choose.choice([None, {}, {"log_offset": 5}, {"outcome": "nack"}, {"identity": "\ud800"}])
    return choose.choice([None, [(choose.randrange(1, 2**34), outcome, error, facts)]])


def call(bus: Bus, choose: random.Random) -> None:
    value = some_value(choose)
    match choose.randrange(11):
        case 0:
            try:
                bus.send(value, 1, 2, fail=choose.random() < 0.3, named=3)
            except ConnectionError:
                return
        case 1:
            bus.scope(value if type(value) is dict else some_message(choose))
        case 2:
            bus.handle(value)
        case 3:
            bus.fetch(value)
        case 4:
            bus.settle(value)
        case 5:
            bus.deliver(
                choose.choice([None, {**some_message(choose), "handler": choose.choice([0, 7])}, some_message(choose)])
            )
        case 6:
            bus.submit(some_message(choose))
        case 7:
            bus.told(some_ends(choose))
        case 8:
            asyncio.run(later(bus, value, some_message(choose)))
        case 9:
            thread = threading.Thread(
                target=bus.send, args=(some_message(choose),), name=f"worker {choose.randrange(3)}"
            )
            thread.start()
            thread.join()
        case 10:
            CURRENT.set(None)


async def later(bus: Bus, value: Any, more: Any) -> None:
    await bus.fetch_later(value)
    await asyncio.create_task(bus.send_later(more))


def written(root: Path) -> list[Any]:
    segments = []
    for path in root.glob("*/*.segment"):
        buffer = memoryview(path.read_bytes())
        header = Header.read(buffer)
        segments.append((header.generation, buffer, header))
    found = []
    for generation, buffer, header in sorted(segments, key=lambda each: each[0]):
        for frame in frames(buffer, generation, HEADER_BYTES, header.end):
            assert frame.payload is not None
            found.append(msgspec.msgpack.decode(frame.payload))
    return found


def timeless(record: list[Any]) -> Any:
    match record[0]:
        case 0 | 1:
            return [*record[:2], *record[3:]]
        case 7:
            return [*record[:2], *record[3:]]
        case 2:
            return [*record[:2], *record[3:10], record[10] > 0]
        case 4:
            return record[:1]
        case _:
            return record


def main(seed: int) -> None:
    choose = random.Random(seed)
    logging.getLogger("msgtrace").disabled = True
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        recorder = Recorder(folder, lambda: {"pid": os.getpid()}, body_limit=BODY_LIMIT, segment_bytes=16_384)
        interning.bind(recorder, Settings())
        engine = Engine(recorder, CodeSites(recorder))
        engine.add(made_hook())
        bus = Bus()
        for _ in range(CALLS):
            call(bus, choose)
        for _ in range(12):
            bus.handle("raise")
        for record in written(Path(folder)):
            if record[0] == records.CLOCK:
                continue  # where a segment is turned depends on how many bytes the durations take, and so on the machine
            print(json.dumps(timeless(record), default=lambda value: value.hex()))


main(int(sys.argv[1]))
