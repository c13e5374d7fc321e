"""blinker: every send of a signal is a send, every receiver called for it an operation of its own, linked and caused."""

from pathlib import Path

from integration.interpreters import every_version
from integration.recorded import Operation, Recording, record

pytestmark = every_version("blinker")

PROGRAMS = Path(__file__).parent / "programs" / "blinker"


def run(python: str, program: str) -> Recording:
    """Record a program, and hold its output and exit code against those that it has when it is not recorded."""
    command = [str(PROGRAMS / program)]
    recording = record(command, python=python)
    plain = record(command, python=python, traced=False)
    assert (recording.exit_code, recording.stderr) == (plain.exit_code, plain.stderr) == (0, "")
    assert recording.losses == []
    assert plain.said == recording.said
    return recording


def name(process: Operation) -> str:
    return str(process["handler"]["name"]).rpartition("<locals>.")[2]


def runs_of(recording: Recording, send: Operation) -> list[tuple[str, str]]:
    """The receivers that were called for a send, in order, and how each ended."""
    linked = [each for each in recording.of("process") if each["link"] == send.sequence]
    assert all(each.causes == (send.sequence,) for each in linked)
    return [(name(each), each.outcome) for each in linked]


def cause(recording: Recording, operation: Operation) -> str | None:
    """The receiver that a signal was sent in."""
    found = {each.sequence: each for each in recording.operations}
    return name(found[operation.causes[0]]) if operation.causes else None


def sends(recording: Recording, channel: str) -> list[Operation]:
    return recording.of("send", channel=channel)


def check_sends(recording: Recording) -> None:
    """As many as the program says, in its order, ending as it says; blinker's own signals aside."""
    seen = [
        [each["channel"], "ok" if each.outcome == "ok" else str(each.error_type).rpartition(".")[2]]
        for each in recording.of("send")
        if "receiver" not in each["data"]
    ]
    assert seen == recording.said["sends"]


def test_plain(python: str) -> None:
    recording = run(python, "plain.py")
    check_sends(recording)
    ran = [name(each) for each in recording.of("process")]
    assert ran == [each[0] for each in recording.said["runs"]]
    first, second, private = sends(recording, "order.placed")
    assert runs_of(recording, first) == [("charge", "ok"), ("only_web", "ok")]
    assert runs_of(recording, second) == [("charge", "ok")]
    assert runs_of(recording, private) == []  # of another namespace, in which nobody listens
    assert (first["data"], first["settings"]) == ({"order": {"id": 0}}, {"sender": "web"})
    charged = [each for each in sends(recording, "order.paid") if each["settings"]["sender"] == "till"]
    assert [cause(recording, each) for each in charged] == ["charge", "charge"]
    assert {each["handler"]["doc"] for each in recording.of("process") if name(each) == "charge"} == {
        "Takes the money."
    }


def test_senders(python: str) -> None:
    recording = run(python, "plain.py")
    senders = [each["settings"]["sender"] for each in sends(recording, "order.paid")]
    assert senders == ["till", "till", "<__main__.Shop>", "<__main__.Shop>", None, "asker", "before", "after"]


def test_asking_who_would_be_called_is_not_calling(python: str) -> None:
    recording = run(python, "plain.py")
    assert recording.said["asked"] == [["charge", "only_web"], ["charge"]]
    (questions,) = [each for each in sends(recording, "anonymous signal") if each["data"] == {"what": "questions"}]
    assert runs_of(recording, questions) == [("asks", "ok")]
    (paid,) = [each for each in sends(recording, "order.paid") if each["settings"]["sender"] == "asker"]
    assert cause(recording, paid) == "asks"  # and not one of those that it asked for


def test_receivers_that_come_and_go(python: str) -> None:
    """Connected for a while, weakly held and collected, muted, disconnected: as the program has them."""
    recording = run(python, "plain.py")
    by_number = {each["data"].get("number"): each for each in recording.of("send")}
    assert runs_of(recording, by_number[5])[-1] == ("passing.<locals>.forgotten".rpartition(".")[2], "ok")
    assert [each for each, _ in runs_of(recording, by_number[6])] == ["Shop.on_paid", "Shop.__call__"]
    assert len(sends(recording, "order.placed")) == 3  # the muted one reached nobody
    assert recording.said["left"] == [False, 0, True]
    assert recording.said["identity"] == [True, True]


def test_receivers_that_raise(python: str) -> None:
    recording = run(python, "plain.py")
    (failed,) = [each for each in recording.of("send") if each.outcome == "raised"]
    assert runs_of(recording, failed) == [("failing", "raised")]  # the one after it was not called
    assert failed.error_type == "LookupError"
    following = next(each for each in recording.of("send") if each["data"].get("number") == 8)
    assert (following.causes, runs_of(recording, following)) == ((), [("never", "ok")])


def test_asynchronous(python: str) -> None:
    recording = run(python, "asynchronous.py")
    check_sends(recording)
    by_channel = {channel: sends(recording, channel) for channel in ("ready", "mixed", "failing", "slow")}
    assert [runs_of(recording, each) for each in by_channel["ready"]] == [
        [("on_ready", "ok")],
        [("on_ready", "ok")],
        [("on_ready", "raised")],  # refused: it is a coroutine function, and nothing makes it one that can be called
    ]
    assert [runs_of(recording, each) for each in by_channel["failing"]] == [[("fails", "raised")]]
    assert runs_of(recording, by_channel["slow"][0]) == [("waits", "cancelled")]
    numbers = [(each["data"]["number"], cause(recording, each)) for each in by_channel["mixed"]]
    assert numbers == [(1, "on_ready"), (3, None), (1, "waits"), (2, "waits"), (3, "waits"), (9, "on_ready")]


def test_receivers_that_run_at_the_same_time(python: str) -> None:
    """What each sends follows from its own signal, whichever ends first."""
    recording = run(python, "asynchronous.py")
    found = {each.sequence: each for each in recording.operations}
    for each in sends(recording, "mixed"):
        if each["settings"]["sender"] == "waits":
            receiver = found[each.causes[0]]
            assert found[receiver["link"]]["data"]["number"] == each["data"]["number"]


def test_methods_look_as_before_and_are_put_back(python: str) -> None:
    ended = record([str(Path(__file__).parent / "restored.py"), "blinker"], python=python)
    assert (ended.exit_code, ended.stderr, ended.losses) == (0, "", [])
    points = [each for each in ended.said if each["target"].startswith("blinker.")]
    assert [each["status"] for each in points] == ["wrapped"] * 3
    assert [each["target"] for each in points if not each["alike"] or not each["restored"]] == []
