"""pyee: every emit is a send, every listener that runs for it is an operation of its own, linked and caused."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from integration.interpreters import every_version, has, needs
from integration.recorded import Operation, Recording, record
from msgtrace.records import CAUSE_ENDED

pytestmark = every_version("pyee")

PROGRAMS = Path(__file__).parent / "programs" / "pyee"


def run(python: str, program: str, *arguments: str) -> Recording:
    """Record a program, and hold its output and exit code against those that it has when it is not recorded."""
    command = [str(PROGRAMS / program), *arguments]
    recording = record(command, python=python)
    plain = record(command, python=python, traced=False)
    assert (recording.exit_code, recording.stderr) == (plain.exit_code, plain.stderr) == (0, "")
    assert recording.losses == []
    assert plain.said == recording.said
    return recording


def emits(recording: Recording) -> list[Operation]:
    """The program's own emits: not those that an emitter makes of a listener's failure, nor of a new listener."""
    made = {"error", "failure"}
    return [
        each
        for each in recording.of("send")
        if each["routing_key"] != "new_listener" and not (each["routing_key"] in made and each.causes)
    ]


def name(process: Operation) -> str:
    return str(process["handler"]["name"]).rpartition("<locals>.")[2]


def runs_of(recording: Recording, send: Operation) -> list[tuple[str, str]]:
    """The listeners that ran for an emit, in order, and how each ended."""
    linked = [each for each in recording.of("process") if each["link"] == send.sequence]
    assert all(each.causes == (send.sequence,) for each in linked)
    return [(name(each), each.outcome) for each in linked]


def cause(recording: Recording, operation: Operation) -> str | None:
    """The listener that an emit was made in."""
    found = {each.sequence: each for each in recording.operations}
    return name(found[operation.causes[0]]) if operation.causes else None


def check_emits(recording: Recording) -> None:
    """As many as the program says, in its order, ending as it says."""
    told = [[*each] for each in recording.said["emits"]]
    names = {"Topic.PAID": "order.paid"}
    seen = [
        [
            names.get(each["routing_key"], each["routing_key"]),
            each.outcome if each.outcome == "ok" else str(each.error_type).rpartition(".")[2],
        ]
        for each in emits(recording)
    ]
    assert seen == told


def test_plain(python: str) -> None:
    recording = run(python, "plain.py")
    check_emits(recording)
    sends = emits(recording)
    ran = [name for send in sends for name, _ in runs_of(recording, send)]
    ran += [name(each) for each in recording.of("process") if name(each) == "on_new_listener"]
    assert Counter(ran) == Counter(each[0] for each in recording.said["runs"])
    first, nested = sends[0], sends[1]
    assert runs_of(recording, first) == [("charge", "ok"), ("reserve", "ok"), ("greet", "ok")]  # greet: `once`
    assert runs_of(recording, nested) == [("Ledger.book", "ok"), ("Ledger.__call__", "ok"), ("tagged", "ok")]
    assert runs_of(recording, sends[2]) == [("charge", "ok"), ("reserve", "ok")]
    assert [cause(recording, each) for each in sends if each["routing_key"] == "payment.taken"] == ["charge"] * 3
    assert (first["data"], nested["data"]) == ({"id": 1, "amount": 10}, {"args": [1], "amount": 10})
    (handler,) = {each["handler"]["doc"] for each in recording.of("process") if name(each) == "charge"}
    assert handler == "Takes the money."


def test_listeners_that_raise(python: str) -> None:
    recording = run(python, "plain.py")
    assert recording.said["raised"][:2] == ["LookupError", "ValueError"]
    failing = next(each for each in emits(recording) if each["routing_key"] == "fails")
    assert runs_of(recording, failing) == [("failing", "raised")]  # the one after it never ran
    errors = [each for each in emits(recording) if each["routing_key"] == "error"]
    assert [runs_of(recording, each) for each in errors] == [[], [], [("on_error", "ok")]]
    assert errors[2]["data"] == {"$type": "builtins.ValueError", "args": ["handled"]}


def test_nothing_can_be_told_from_a_listener(python: str) -> None:
    recording = run(python, "plain.py")
    assert recording.said["identity"] == [[True, True], [True, True]]
    news = [each for each in recording.of("send") if each["routing_key"] == "new_listener"]
    assert [runs_of(recording, each) for each in news] == [[("on_new_listener", "ok")]]


def test_asyncio(python: str) -> None:
    recording = run(python, "asyncio_kind.py")
    check_emits(recording)
    by_name = {each["routing_key"]: runs_of(recording, each) for each in reversed(emits(recording))}
    assert by_name == {
        "order": [("slow", "ok"), ("quick", "ok"), ("once", "ok")],
        "shipped": [("shipped", "ok")],
        "fails": [("failing", "raised")],
        "fails at once": [("failing_at_once", "raised")],
        "waits": [("waiting", "cancelled")],
    }
    # A listener ends when its task does, which is after what it does there.
    slow = next(each for each in recording.of("process") if name(each) == "slow")
    shipped = next(each for each in emits(recording) if each["routing_key"] == "shipped")
    assert (shipped.causes, shipped.cause_state) == ((slow.sequence,), 0)
    assert slow.ended_ns is not None
    assert slow.ended_ns > shipped.began_ns
    errors = [each for each in recording.of("send") if each["routing_key"] == "error"]
    assert [cause(recording, each) for each in errors] == ["failing", "failing_at_once"]
    assert [(each["data"]["args"], runs_of(recording, each)) for each in errors] == [
        (["failed later"], [("on_error", "ok")]),
        (["failed at once"], [("on_error", "ok")]),
    ]
    for each in recording.of("process"):
        if each.outcome == "raised":
            assert each.error_type == "LookupError"


def test_executor(python: str) -> None:
    recording = run(python, "executor_kind.py")
    check_emits(recording)
    assert recording.said["own"] == 3
    assert [runs_of(recording, each) for each in emits(recording)] == [
        [("slow", "ok")],
        [("shipped", "ok")],
        [("slow", "ok")],
        [("shipped", "ok")],
        [("failing", "raised")],
    ]
    shipped = [each for each in emits(recording) if each["routing_key"] == "shipped"]
    assert [cause(recording, each) for each in shipped] == ["slow", "slow"]
    assert all(each.thread.startswith("ThreadPoolExecutor") for each in shipped)


def test_trio(python: str) -> None:
    needs(python, "trio")
    recording = run(python, "trio_kind.py")
    check_emits(recording)
    # The operation ends when the listener is started; what it does goes on being told of it.
    assert [runs_of(recording, each) for each in emits(recording)] == [
        [("slow", "ok")],
        [("shipped", "ok")],
        [("failing", "ok")],
    ]
    shipped = next(each for each in emits(recording) if each["routing_key"] == "shipped")
    assert (cause(recording, shipped), shipped.cause_state & CAUSE_ENDED) == ("slow", CAUSE_ENDED)
    (error,) = [each for each in recording.of("send") if each["routing_key"] == "error"]
    assert (cause(recording, error), error["data"]["args"]) == ("failing", ["failed later"])


def test_twisted(python: str) -> None:
    needs(python, "twisted")
    recording = run(python, "twisted_kind.py")
    check_emits(recording)
    assert {each["routing_key"]: runs_of(recording, each) for each in emits(recording)} == {
        "order": [("charge", "ok")],
        "fails": [("failing", "raised")],
    }
    (failure, error) = [each for each in recording.of("send") if each["routing_key"] in {"failure", "error"}]
    assert (cause(recording, failure), error.causes) == ("failing", (failure.sequence,))
    (failed,) = [each.error_type for each in recording.of("process") if name(each) == "failing"]
    assert failed == "LookupError"


def test_uplifted(python: str) -> None:
    """An emit on either side is told of both emitters, as far as they have listeners."""
    recording = run(python, "uplifted.py")

    def told(send: Operation) -> tuple[Any, ...]:
        return send["channel"].rpartition(".")[2], send["data"], [each for each, _ in runs_of(recording, send)]

    plain, lifted = "EventEmitter", "AsyncIOEventEmitter"
    assert [told(each) for each in emits(recording)] == [
        (plain, 1, ["below"]),
        (lifted, 1, ["above"]),
        (lifted, 2, ["above"]),
        (plain, 2, ["below"]),
        (plain, 3, ["outer"]),
        (lifted, 3, ["above"]),
        (plain, 3, ["below"]),
        (plain, 4, ["below"]),
        (lifted, 5, ["above"]),
    ]
    assert [cause(recording, each) for each in emits(recording)[5:7]] == ["outer", "outer"]


def test_text_that_has_no_utf8(python: str) -> None:
    recording = run(python, "odd_text.py", "caf\udce9")
    assert [each["data"] for each in emits(recording)] == ["caf�", "plain"]
    assert [runs_of(recording, each) for each in emits(recording)] == [[("found", "ok")]] * 2
    assert recording.processes[0]["argv"][-1] == "caf�"


def test_methods_look_as_before_and_are_put_back(python: str) -> None:
    optional = [each for each in ("pyee.trio", "pyee.twisted") if has(python, each)]
    modules = ["pyee", "pyee.asyncio", "pyee.executor", "pyee.uplift", *optional]
    ended = record([str(Path(__file__).parent / "restored.py"), *modules], python=python)
    assert (ended.exit_code, ended.stderr, ended.losses) == (0, "", [])
    points = [each for each in ended.said if each["status"] == "wrapped"]
    assert len(points) >= 7
    assert [each["target"] for each in points if not each.get("alike", True) or not each["restored"]] == []


@pytest.mark.parametrize("program", ["plain.py", "asyncio_kind.py", "executor_kind.py", "uplifted.py"])
def test_every_listener_is_linked_to_an_emit(python: str, program: str) -> None:
    recording = run(python, program)
    sends = {each.sequence for each in recording.of("send")}
    assert {each["link"] for each in recording.of("process")} <= sends
