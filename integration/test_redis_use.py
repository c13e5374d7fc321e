"""redis: what stays unseen, what is never called, what is put back, and subscribers that run by themselves."""

import base64
from collections.abc import Callable
from pathlib import Path

import pytest

from integration.brokers import Redis
from integration.recorded import read, record
from integration.redis_programs import EVERY_VERSION, PROGRAMS, recorded, run, told, version
from integration.redis_servers import server

pytestmark = [pytest.mark.redis, EVERY_VERSION, pytest.mark.parametrize("half", ["sync", "asyncio"])]

Unique = Callable[[str], str]


def test_caching_is_no_message(python: str, half: str, redis_server: Redis, unique: Unique) -> None:
    recording = run(python, "caching", redis_server.url, unique("caching"), half)
    assert recording.operations == []
    plain = record(
        [str(PROGRAMS / "caching.py"), redis_server.url, unique("caching"), half], python=python, traced=False
    )
    assert plain.said == recording.said


def test_nothing_of_the_programs_is_called(python: str, half: str, redis_server: Redis, unique: Unique) -> None:
    """Also a command that is malformed is none of our failures: the recorder's own errors would be raised here."""
    arguments = (redis_server.url, unique("hostile"), half)
    recording = run(python, "hostile", *arguments)
    plain = record([str(PROGRAMS / "hostile.py"), *arguments], python=python, traced=False)
    assert plain.said == recording.said
    pushes = [each for each in recording.of("send") if each["channel_kind"] == "list"]
    assert [(each["body"], each["data"], each.outcome) for each in pushes] == [
        (None, {"$type": "__main__.Number"}, "ok"),
        (b"text", None, "ok"),
        (b"order", None, "ok"),
        (None, {"$type": "__main__.Thing"}, "raised"),
        (None, {"$type": "builtins.bool"}, "raised"),
        (None, {"$type": "builtins.NoneType"}, "raised"),
    ]
    (publish,) = [each for each in recording.of("send") if each["channel_kind"] == "pubsub"]
    assert (publish["channel"], publish["body"]) == ("order", b"text")


def test_encodings(python: str, half: str, redis_server: Redis, unique: Unique) -> None:
    """Bytes are recorded as they were on the wire, or are said to be only what the client made of them."""
    name = unique("encodings")
    recording = run(python, "encodings", redis_server.url, name, half)
    shown = f"{name}.n\\xe4me"  # that is no UTF-8
    for kind in ("send", "receive"):
        (umlaut,) = recording.of(kind, channel=shown)
        assert umlaut["body"] == "Grüße".encode("latin-1")
    pops = [each for each in recording.of("receive") if each["channel"] != shown]
    popped = [each for each in recording.said if each["did"] == "popped"]
    for pop, said in zip(pops, popped, strict=True):
        sent = base64.b64decode(said["sent"])
        doubt = pop["settings"].get("body_decoded")
        if said["by"] == "latin-1" or (said["by"] == "replacing" and sent.isascii()):
            assert (pop["body"], doubt) == (sent, None)
        else:
            assert pop["body"] == said["seen"].encode()
            assert doubt == {"replacing": "utf-8, replace", "ignoring": "utf-8, ignore"}[said["by"]]
    (refused,) = [each for each in recording.of("send") if each.outcome == "raised"]
    assert refused["body"] is None


def test_subscribers_that_run_by_themselves(python: str, half: str, redis_server: Redis, unique: Unique) -> None:
    recording = run(python, "workers", redis_server.url, unique("workers"), half)
    (taken,) = [each["events"] for each in recording.said]
    assert sorted(taken) == sorted(f"event {number}" for number in range(20))
    processes = {each.sequence: each for each in recording.of("process")}
    receives = {each.sequence: each for each in recording.of("receive")}
    assert [each["body"].decode() for each in receives.values()] == taken
    assert {each.outcome for each in processes.values()} == {"ok"}
    answers = [each for each in recording.of("send") if each["body"].startswith(b"re:")]
    assert len(answers) == 20
    for answer in answers:
        (cause,) = answer.causes
        assert b"re:" + receives[processes[cause]["receipt"]]["body"] == answer["body"]
    if half == "sync":
        assert {each.thread for each in receives.values()} != {"MainThread"}


def test_keyspace_notifications(python: str, half: str, unique: Unique) -> None:
    if version(python) < (8, 0):
        pytest.skip(f"redis {version(python)} has no keyspace_notifications")
    with server("--notify-keyspace-events", "KEA") as port:
        recording = run(python, "keyspace", f"redis://127.0.0.1:{port}/0", unique("keyspace"), half)
    assert recorded(recording) == told(recording.said)


def test_a_consumer_that_was_there_before_is_seen_and_everything_is_put_back(
    python: str, half: str, redis_server: Redis, unique: Unique, tmp_path: Path
) -> None:
    arguments = [redis_server.url, unique("attached"), half, f'spool="{tmp_path}"']
    ended = record([str(PROGRAMS / "attached.py"), *arguments], python=python, traced=False)
    assert (ended.exit_code, ended.stderr) == (0, "")
    placed, restored = ended.said
    absent = {"off"} if version(python) < (8, 0) else set()  # what this version does not have
    assert set(placed["points"].values()) == {"wrapped", *absent}
    assert placed["differing"] == []
    assert restored["changed"] == []
    recording = read(tmp_path)
    assert recording.losses == []
    assert {each["body"] for each in recording.operations if each.kind != "process"} == {b"seen"}
    kinds = [each.kind for each in recording.operations]
    assert kinds == ["send", "receive", "send", "receive", "process", "send", "receive"]


@pytest.mark.parametrize("program", ["pubsub", "streams"])
def test_python_that_is_strict_about_bytes(
    python: str, half: str, program: str, redis_server: Redis, unique: Unique
) -> None:
    """With `python -bb` it is an error to compare text and bytes, which a dictionary of both does by itself."""
    arguments = ["-bb", str(PROGRAMS / f"{program}.py"), redis_server.url, unique("strict"), half]
    recording = record(arguments, python=python)
    assert (recording.exit_code, recording.stderr, recording.losses) == (0, "", [])
    assert recorded(recording) == told(recording.said)
