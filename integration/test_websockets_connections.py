"""WebSocket connections: handshakes, refusals, closings, pings, and the names that both ends give to a message."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from integration.interpreters import needs
from integration.recorded import Recording
from integration.websocket_ends import EVERY_VERSION, check_messages, events, of_role, run

pytestmark = EVERY_VERSION


def connects(recording: Recording, path: str, role: str) -> list[dict[str, Any]]:
    """What is told of the connections on a path at one end, in order."""
    return [
        each["settings"]
        for each in recording.of("connect", channel=path)
        if (each["connection"] or {"role": "client"})["role"] == role
    ]


def test_handshakes(python: str) -> None:
    recording = run(python, "asyncio_opening.py")
    told = {each["name"]: each for each in recording.said["outcomes"]}
    for path, outcome in (("/chosen", ("opened", 101)), ("/health", ("refused", 200))):
        for role in ("client", "server"):
            first = connects(recording, path, role)[0]
            assert (first["event"], first["status"]) == outcome
    assert told["subprotocol"]["subprotocol"] == "v1"
    for role in ("client", "server"):
        chosen = connects(recording, "/chosen", role)[0]
        assert (chosen["subprotocol"], chosen["offered_subprotocols"]) == ("v1", "v0, v1")
        opened = [
            (each["event"], each["status"], each.get("origin"), each.get("query"))
            for each in connects(recording, "/open", role)
            if each["event"] in {"opened", "refused"}
        ]
        assert opened == [
            ("opened", 101, None, ["room", "token"]),
            ("refused", 401, None, None),
            ("refused", 403, "http://evil.example", None),
        ]
    assert [told[name]["status"] for name in ("unauthorized", "health", "origin")] == [401, 200, 403]


def test_handshakes_without_an_answer(python: str) -> None:
    recording = run(python, "asyncio_opening.py")
    told = {each["name"]: each.get("error") for each in recording.said["outcomes"]}
    assert (told["silent"], told["nobody"]) == ("TimeoutError", "ConnectionRefusedError")
    failures = {
        each["channel"]: (each["settings"]["event"], each.outcome, (each.error_type or "").rpartition(".")[2])
        for each in recording.of("connect")
        if each["settings"]["event"] in {"failed", "unreachable"}
    }
    assert failures == {
        "/garbage": ("failed", "raised", told["garbage"]),
        "/silent": ("failed", "cancelled", "CancelledError"),
        "/nobody": ("unreachable", "raised", "ConnectionRefusedError"),
    }


@pytest.mark.parametrize("program", ["asyncio_opening.py", "asyncio_echo.py", "sansio_echo.py", "legacy_echo.py"])
def test_no_secret_of_a_handshake_is_recorded(python: str, program: str) -> None:
    recording = run(python, program)
    assert "s3cret" not in repr([(each.message, each.error_message) for each in recording.operations])
    assert any("Sec-WebSocket-Key" in each["headers"] for each in events(recording, "server", "opened"))


def test_closings(python: str) -> None:
    """Codes and reasons at both ends are those that the program was told."""
    recording = run(python, "asyncio_closing.py")
    told = recording.said["ends"]
    begun = {"client": ["client-closes", "client-says-why", "client-fails", "bad-fragments", "unread"]}
    begun["server"] = ["server-closes", "server-fails", "too-big", "wrong-frame", "server-stops"]
    assert set(told) == {*begun["client"], *begun["server"], "client-vanishes", "server-vanishes"}
    for name, ends in told.items():
        for role, end in ends.items():
            (closed,) = [each for each in connects(recording, f"/{name}", role) if each["event"] == "closed"]
            by = next((one for one, names in begun.items() if name in names), None)
            assert closed["who"] == ("nobody" if by is None else "local" if by == role else "remote"), (name, role)
            if "raised" in end:
                continue
            assert closed["sent_code"] == (end["sent"] and end["sent"][0]), (name, role)
            assert closed["received_code"] == (end["received"] and end["received"][0]), (name, role)
            first = end["sent"] if closed["who"] == "local" else end["received"]
            assert [closed["code"], closed["reason"]] == (first or [1006, ""]), (name, role)


def test_what_was_under_way_at_the_end(python: str) -> None:
    recording = run(python, "asyncio_closing.py")
    (unread,) = [each for each in connects(recording, "/unread", "server") if each["event"] == "closed"]
    assert unread["unread"] == 3
    # Since version 14 a message may still be taken when the connection is closed.
    assert [each["body"] for each in recording.of("receive", channel="/unread")] == recording.said["taken"]
    (cut,) = [each for each in connects(recording, "/bad-fragments", "client") if each["event"] == "closed"]
    assert cut["unfinished"] == 1
    assert recording.of("send", channel="/bad-fragments") == []


def test_keepalive_is_nobodys_doing(python: str) -> None:
    recording = run(python, "idle.py")
    assert recording.of("call") == []
    assert {each.kind for each in recording.operations} == {"connect"}


def test_two_processes_call_a_message_by_the_same_name(python: str) -> None:
    recording = run(python, "two_processes.py")
    assert len({each.process for each in recording.operations}) == 2
    check_messages(recording)


def test_every_connection_has_names_of_its_own(python: str) -> None:
    recording = run(python, "many.py", alike=False)
    told = recording.said
    for name, account in told.items():
        path = f"/many/{name}"
        for kind, role, messages in (
            ("send", "client", account["sent"]),
            ("receive", "server", account["sent"]),
            ("send", "server", account["received"]),
            ("receive", "client", account["received"]),
        ):
            assert [each["body"] for each in of_role(recording, kind, role) if each["channel"] == path] == messages
    sends = [each["identity"] for each in recording.of("send")]
    receives = [each["identity"] for each in recording.of("receive")]
    assert len(set(sends)) == len(sends)
    assert sorted(sends) == sorted(receives)


def test_a_router_tells_the_handler_and_its_parameters(python: str) -> None:
    needs(python, "websockets.asyncio.router", "werkzeug")
    recording = run(python, "routed.py")
    room, lobby = [
        each
        for each in recording.of("connect")
        if each["connection"]["role"] == "server" and each["settings"]["event"] == "opened"
    ]
    assert (room["channel"], room["settings"]["parameters"]) == ("/rooms/17/ann", {"number": "17", "name": "ann"})
    assert (room["handler"]["name"], room["handler"]["doc"]) == ("room", "Says which room it is.")
    assert (lobby["handler"]["name"], lobby["settings"].get("parameters")) == ("lobby", None)
    assert [each["settings"]["status"] for each in recording.of("connect", channel="/nowhere")] == [404, 404]


def test_addresses(python: str, tmp_path: Path) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("no openssl to make a certificate with")
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"),
            *("-addext", "subjectAltName=DNS:localhost", "-keyout", "key.pem", "-out", "cert.pem"),
        ],
        cwd=tmp_path,
        check=True,
        capture_output=True,
    )
    recording = run(python, "elsewhere.py", str(tmp_path))
    facts = {
        (each["channel"], each["connection"]["role"]): each["connection"]
        for each in recording.of("connect")
        if each["settings"]["event"] == "opened"
    }
    for kind in ("asyncio", "threads"):
        client, server = facts[f"/{kind}/tls", "client"], facts[f"/{kind}/tls", "server"]
        assert client["tls"] is server["tls"] is True
        assert (client["server_address"], server["server_address"]) == ("localhost", "127.0.0.1")
        assert client["server_port"] == server["server_port"]
        client, server = facts[f"/{kind}/unix", "client"], facts[f"/{kind}/unix", "server"]
        assert client["tls"] is server["tls"] is False
        assert server["server_address"] == str(tmp_path / f"{kind}.socket")


def test_a_connection_class_of_the_programs_own(python: str) -> None:
    """What goes over the wire is recorded, once, and nothing of the class is asked."""
    recording = run(python, "subclassed.py")
    wire = '{"type": "greeting", "to": ["all"]}'
    assert recording.said["answer"] == {"type": "greeting", "to": ["all"]}
    assert [(each.kind, each["body"]) for each in recording.operations if each.kind != "connect"] == [
        ("send", wire),
        ("receive", wire),
    ] * 2


def test_an_asgi_application(python: str) -> None:
    needs(python, "uvicorn", "starlette")
    recording = run(python, "asgi.py")
    check_messages(recording)
    (opened,) = events(recording, "server", "opened")
    assert opened["query"] == ["token"]
    assert [each["status"] for each in events(recording, "server", "refused")] == [403]
    for role in ("client", "server"):
        (closed,) = events(recording, role, "closed")
        assert (closed["code"], closed["reason"], closed["who"]) == (
            4001,
            "had enough",
            "local" if role == "server" else "remote",
        )
