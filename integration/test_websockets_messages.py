"""WebSocket messages: all that is sent and taken, through every interface of the library, as the program says it."""

import pytest

from integration.interpreters import needs
from integration.recorded import Recording
from integration.websocket_ends import EVERY_VERSION, check_messages, events, of_role, run, version

pytestmark = EVERY_VERSION

HAD_ENOUGH = {"event": "closed", "code": 4001, "reason": "had enough", "sent_code": 4001, "received_code": 4001}


def check_end(recording: Recording, *, closes: str) -> None:
    """Both ends say the same of the closing; `closes` began it."""
    for role in ("client", "server"):
        (closed,) = events(recording, role, "closed")
        assert HAD_ENOUGH.items() <= closed.items()
        assert closed["who"] == ("local" if role == closes else "remote")
        ends = recording.said["ends"][role]
        assert closed["messages_sent"] == len(ends["sent"])
        assert closed["messages_received"] + closed.get("unread", 0) == len(ends["received"])
    (closing,) = events(recording, closes, "closing")
    assert closing == {"event": "closing", "who": "local", "code": 4001, "reason": "had enough"}


def check_too_late(recording: Recording, error: str) -> None:
    """A message that the program sent on a closed connection has no number, and its error."""
    (late,) = [each for each in recording.of("send") if each.outcome == "raised"]
    assert (late["body"], late["identity"]) == ("too late", None)
    assert late.error_type == f"websockets.exceptions.{error}"


@pytest.mark.parametrize("compression", ["deflate", "plain"])
def test_asyncio(python: str, compression: str) -> None:
    recording = run(python, "asyncio_echo.py", compression)
    check_messages(recording)
    check_end(recording, closes="server")
    check_too_late(recording, recording.said["too late"])
    fragmented = [each["settings"] for each in recording.of("send") if each["settings"]]
    assert fragmented == [{"fragments": count} for count in (4, 3, 3, 3, 2)]
    taken = [each["settings"] for each in of_role(recording, "receive", "server") if each["settings"]]
    assert taken == fragmented
    extensions = {opened.get("extensions", "") != "" for opened in events(recording, "client", "opened")}
    assert extensions == {compression == "deflate"}


def test_threading(python: str) -> None:
    recording = run(python, "threading_echo.py")
    check_messages(recording)
    check_end(recording, closes="server")
    check_too_late(recording, recording.said["too late"])
    ping, pong = of_role(recording, "call", "client")
    assert (ping["settings"], ping["body"]) == ({"event": "ping"}, b"are you there")
    assert (pong["settings"], pong["body"]) == ({"event": "pong"}, b"unasked")


def test_trio(python: str) -> None:
    needs(python, "trio", "websockets.trio")
    recording = run(python, "trio_echo.py")
    check_messages(recording)
    check_end(recording, closes="server")
    check_too_late(recording, recording.said["too late"])
    assert [each["settings"] for each in of_role(recording, "call", "client")] == [{"event": "ping"}]


def test_sansio(python: str) -> None:
    recording = run(python, "sansio_echo.py")
    check_messages(recording)
    check_end(recording, closes="client")
    assert recording.said["closed"] == [4001, "had enough"]
    check_too_late(recording, recording.said["too late"])
    assert recording.said["refused"] == "ProtocolError"


def test_legacy(python: str) -> None:
    recording = run(python, "legacy_echo.py")
    check_messages(recording)
    check_end(recording, closes="server")
    check_too_late(recording, recording.said["too late"])
    assert [each["settings"]["event"] for each in of_role(recording, "call", "client")] == ["ping", "pong"]
    assert of_role(recording, "call", "server") == []  # answering a ping is the library's doing


def test_taken_in_every_way(python: str) -> None:
    recording = run(python, "asyncio_taking.py", *(["decode"] if version(python) >= 14 else []))
    check_messages(recording)
    if version(python) >= 14:
        assert recording.said["types"] == ["bytes", "str"]
