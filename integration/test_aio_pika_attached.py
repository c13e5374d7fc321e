"""aio_pika, hooked while it consumes and given back; and `--propagate`."""

import base64
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from integration.brokers import Rabbitmq
from integration.recorded import read, record
from msgtrace.settings import Settings

pytestmark = pytest.mark.rabbitmq

PROGRAMS = Path(__file__).parent / "programs" / "aio_pika"


def test_a_consumer_that_was_there_before_is_seen_and_everything_is_put_back(
    rabbitmq: Rabbitmq, unique: Callable[[str], str], tmp_path: Path
) -> None:
    prefix = unique("attached")
    ended = record([str(PROGRAMS / "attached.py"), rabbitmq.url, prefix, str(tmp_path)], traced=False)
    assert ended.exit_code == 0, ended.stderr
    placed, restored = ended.said
    assert set(placed["points"].values()) == {"wrapped"}
    assert restored["changed"] == []

    recording = read(tmp_path)
    assert recording.losses == []
    sends = recording.of("send")
    assert [each["body"] for each in sends] == [b"seen", b"after seen", b"after seen"]
    receives = {each.sequence: each for each in recording.of("receive")}
    # A robust channel tells the queue of a consumer that was there before. The other's is not to be had.
    got = sorted((each["channel"].removeprefix(prefix), each["body"]) for each in receives.values())
    assert got == [("", b"seen"), (".one", b"after seen"), (".one", b"after seen"), (".one", b"seen")]
    processes = {each.sequence: each for each in recording.of("process")}
    causes = [processes[cause]["receipt"] for each in sends[1:] for cause in each.causes]
    assert [receives[each]["body"] for each in causes] == [b"seen", b"seen"]
    assert [each.outcome for each in recording.of("settle")] == ["ack"] * 4
    assert {each["handler"]["name"] for each in processes.values()} == {"main.<locals>.on_message"}


def test_propagate_adds_a_trace_to_every_message_and_changes_nothing_else(
    rabbitmq: Rabbitmq, unique: Callable[[str], str]
) -> None:
    ended = record(
        [str(PROGRAMS / "exchanges.py"), rabbitmq.url, unique("propagate")],
        settings=Settings(propagate=True, body_limit=256 * 1024),
        python=sys.executable,
    )
    assert ended.exit_code == 0, ended.stderr
    received = [each for each in ended.said if each["did"] == "receive"]
    parents = [each["headers"].pop("traceparent") for each in received]
    assert all(len(each) == 55 for each in parents)
    # One message went to two queues.
    assert len(set(parents)) == len(received) - 1
    # What the receiver is told is the id that aiormq gave the copy.
    sent = {each["message_id"] for each in ended.of("send")}
    assert {each["message_id"] for each in received} == sent
    assert base64.b64decode(received[-1]["body"].removeprefix("base64:")) == b"\xff" * 200_000
