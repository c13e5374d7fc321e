"""What follows from a Redis message: however it is taken, what the program does with it has it as its cause."""

from collections.abc import Callable

import pytest

from integration.brokers import Redis
from integration.recorded import Operation, Recording
from integration.redis_programs import EVERY_VERSION, run
from msgtrace.hooks.redis_entries import items
from msgtrace.records import CAUSE_BATCH, CAUSE_SETTLED

pytestmark = [pytest.mark.redis, EVERY_VERSION, pytest.mark.parametrize("half", ["sync", "asyncio"])]


def causes(recording: Recording, operation: Operation) -> list[Operation]:
    """The operations that one follows from."""
    known = {each.sequence: each for each in recording.operations}
    return [known[sequence] for sequence in operation.causes]


def text(operation: Operation) -> str:
    """A body, or a stream's first value."""
    body = operation["body"]
    return (items(body)[0][1] if operation["encoding"] else body).decode()


def test_causes(python: str, half: str, redis_server: Redis, unique: Callable[[str], str]) -> None:
    recording = run(python, "causes", redis_server.url, unique("causes"), half)
    sends = {text(each): each for each in recording.of("send")}
    single = ["job 0", "job 1", "job 2", "0", "polled", "waited for", "listened to", "first", "second", "moved"]
    for body in single:
        answer = sends[f"re:{body}"]
        assert [(cause.kind, text(cause)) for cause in causes(recording, answer)] == [("receive", body)], body
        assert answer.cause_state == 0
    # An answer given after the acknowledgement probably still belongs to the message.
    late = sends["re:0, acknowledged"]
    assert [text(cause) for cause in causes(recording, late)] == ["0"]
    assert late.cause_state == CAUSE_SETTLED
    (settle,) = recording.of("settle")
    assert [text(cause) for cause in causes(recording, settle)] == ["0"]
    batch = sends["re:a batch"]
    assert [text(cause) for cause in causes(recording, batch)] == ["1", "2"]
    assert batch.cause_state == CAUSE_BATCH
    assert len({cause["batch_id"] for cause in causes(recording, batch)}) == 1
    assert sends["after nothing"].causes == ()


def test_handlers(python: str, half: str, redis_server: Redis, unique: Callable[[str], str]) -> None:
    """What a handler sends follows from its handling, and that from the message that it was given."""
    recording = run(python, "causes", redis_server.url, unique("causes"), half)
    (answer,) = [each for each in recording.of("send") if text(each) == "re:handled"]
    (process,) = causes(recording, answer)
    assert process.kind == "process"
    name = "handled_later" if half == "asyncio" else "handled"
    assert process["handler"]["name"] == f"subscriptions.<locals>.{name}"
    (receive,) = causes(recording, process)
    assert (receive.kind, text(receive), receive.sequence) == ("receive", "handled", process["receipt"])
    assert receive.causes == ()


def test_code_sites(python: str, half: str, redis_server: Redis, unique: Callable[[str], str]) -> None:
    """Where the program published, polled and subscribed; a handler's message came from no place of its code."""
    recording = run(python, "causes", redis_server.url, unique("causes"), half)
    for each in recording.operations:
        if each.kind == "process" or (each.kind == "receive" and each.target.endswith("handle_message")):
            assert each.site is None
        elif half == "asyncio" and each.kind == "receive" and text(each) in {"job 1", "job 2", "waited for"}:
            assert each.site is None  # in a task of its own, which was begun by asyncio
        else:
            assert each.site is not None, each
            # In asyncio that is where the call is awaited, for account.py has a function.
            assert each.site[0].endswith(("redis/causes.py", "redis/account.py")), each
