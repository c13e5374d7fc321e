"""In-process buses: three producers, three listeners of which one sends on to two more, one message in five the same.

    bus_party.py KIND FOLDER COUNT

Which message one is stands in an object of the program's own, of which the recorder knows the type only. Operations are
told apart by the thread that recorded them: the sending one, also where a listener runs in an executor.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import threading
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from blinker import Signal
from pyee.asyncio import AsyncIOEventEmitter
from pyee.base import EventEmitter
from pyee.executor import ExecutorEventEmitter

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

kind, folder, count_text = sys.argv[1:]
count = int(count_text)
PRODUCERS = 3
sent: dict[str, list[str]] = defaultdict(list)
received: dict[str, list[str]] = defaultdict(list)


class Message:
    """Which message it is, and who sent it."""

    def __init__(self, identity: str) -> None:
        self.identity = identity
        self.by = threading.current_thread().name


def messages(producer: int) -> list[tuple[str, dict[str, Any]]]:
    """A producer's: identity and visible data, a fifth of which are the same as others'."""
    rng = random.Random(producer)
    made = []
    for number in range(count):
        same = rng.random() < 0.2
        made.append((f"{producer}-{number}", {"value": rng.randrange(4)} if same else {"by": producer, "n": number}))
    return made


def about(identity: str) -> Message:
    """The hidden part of a message that is sent now."""
    message = Message(identity)
    sent[message.by].append(identity)
    return message


def got(message: Message) -> None:
    received[message.by].append(message.identity)


def listeners(send_on: Callable[[Message], Any], *, later: bool) -> tuple[list[Any], list[Any]]:
    """Those of the first event and those of what the last of them sends on: functions or coroutine functions."""

    def take(message: Message, **_data: Any) -> None:
        got(message)

    def pass_on(message: Message, **_data: Any) -> None:
        got(message)
        send_on(message)

    async def take_later(message: Message, **_data: Any) -> None:
        got(message)
        await asyncio.sleep(0)

    async def pass_on_later(message: Message, **_data: Any) -> None:
        got(message)
        await asyncio.sleep(0)
        found = send_on(message)
        if found is not None:
            await found

    # A function for each: an emitter keeps one listener once.
    one, two, last = (take_later, take_later, pass_on_later) if later else (take, take, pass_on)
    return [one, _another(two, later=later), last], [one, _another(two, later=later)]


def _another(listener: Any, *, later: bool) -> Any:
    async def coroutine(message: Message, **data: Any) -> None:
        await listener(message, **data)

    def function(message: Message, **data: Any) -> None:
        listener(message, **data)

    return coroutine if later else function


def in_threads(send: Callable[[str, dict[str, Any]], Any]) -> None:
    def produce(producer: int) -> None:
        for identity, data in messages(producer):
            send(identity, data)

    threads = [threading.Thread(target=produce, args=(n,), name=f"producer-{n}") for n in range(PRODUCERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


async def in_tasks(send: Callable[[str, dict[str, Any]], Awaitable[Any] | None]) -> None:
    async def produce(producer: int) -> None:
        for identity, data in messages(producer):
            found = send(identity, data)
            if found is not None:
                await found
            await asyncio.sleep(0)

    await asyncio.gather(*(produce(n) for n in range(PRODUCERS)))
    for _ in range(20):  # what is still on its way
        await asyncio.sleep(0)


def emitting(emitter: Any, *, later: bool = False) -> Callable[[str, dict[str, Any]], None]:
    def emit(event: str, identity: str, data: dict[str, Any]) -> None:
        emitter.emit(event, about(identity), **data)

    first, second = listeners(lambda message: emit("next", message.identity + "+", {"value": 1}), later=later)
    for listener in first:
        emitter.add_listener("first", listener)
    for listener in second:
        emitter.add_listener("next", listener)
    return lambda identity, data: emit("first", identity, data)


def signalling(*, later: bool = False) -> Callable[[str, dict[str, Any]], Any]:
    def send(signal: Signal, identity: str, data: dict[str, Any]) -> Any:
        return (signal.send_async if later else signal.send)(about(identity), **data)

    signal, following = Signal(), Signal()
    first, second = listeners(lambda message: send(following, message.identity + "+", {"value": 1}), later=later)
    for receiver in first:
        signal.connect(receiver, weak=False)
    for receiver in second:
        following.connect(receiver, weak=False)
    return lambda identity, data: send(signal, identity, data)


if kind == "pyee":
    in_threads(emitting(EventEmitter()))
elif kind == "pyee-asyncio":

    async def main() -> None:
        await in_tasks(emitting(AsyncIOEventEmitter(), later=True))

    asyncio.run(main())
elif kind == "pyee-executor":
    # One worker: what a thread submits is begun in its order.
    with ThreadPoolExecutor(1, thread_name_prefix="worker") as executor:
        in_threads(emitting(ExecutorEventEmitter(executor)))
        while executor._work_queue.qsize():
            executor.submit(int).result()
elif kind == "blinker":
    in_threads(signalling())
else:

    async def main() -> None:
        await in_tasks(signalling(later=True))

    asyncio.run(main())

for thread in {*sent, *received}:
    ledger = {"sent": sent[thread], "received": received[thread]}
    (Path(folder) / f"{thread}.json").write_text(json.dumps(ledger))
