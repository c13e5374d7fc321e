"""Holds a recording of WebSocket programs against what the programs say that they did."""

import base64
import functools
from pathlib import Path
from typing import Any

from integration.interpreters import evaluated, every_version
from integration.recorded import Operation, Recording, record

PROGRAMS = Path(__file__).parent / "programs" / "websockets"
KEPT = 64 * 1024

EVERY_VERSION = every_version("websockets")


def version(python: str) -> int:
    """The major version of an interpreter's websockets."""
    return int(evaluated(python, "__import__('websockets').__version__").split(".")[0])


@functools.cache
def run(python: str, program: str, *arguments: str, alike: bool = True) -> Recording:
    """Record a program, and hold its output and exit code against those that it has when it is not recorded.

    Once in a session: tests that ask different questions share the answer.

    Args:
        python: the interpreter.
        program: its file.
        arguments: its arguments.
        alike: what it prints does not depend on timing.
    """
    command = [str(PROGRAMS / program), *arguments]
    recording = record(command, python=python)
    plain = record(command, python=python, traced=False)
    assert (recording.exit_code, recording.stderr) == (plain.exit_code, plain.stderr) == (0, "")
    assert recording.losses == []
    if alike:
        assert plain.said == recording.said
    return recording


def of_role(recording: Recording, kind: str, role: str) -> list[Operation]:
    """The operations of a kind at the client's end, or the server's, that went well."""
    return [
        each
        for each in recording.of(kind)
        if each.library == "websockets" and each["connection"]["role"] == role and each.outcome == "ok"
    ]


def written(operation: Operation) -> list[Any]:
    """A recorded message as the programs write theirs, with the size of all of it."""
    body = operation["body"]
    size = len(body.encode()) if isinstance(body, str) else len(body)
    kept = ["text", body] if isinstance(body, str) else ["binary", base64.b64encode(body).decode()]
    return [*kept, operation["body_size"] or size]


def expected(message: list[str]) -> list[Any]:
    """The same of a message that a program says it sent or received: what of it is kept."""
    kind, text = message
    payload = text.encode() if kind == "text" else base64.b64decode(text)
    kept = payload[:KEPT]
    return [kind, kept.decode() if kind == "text" else base64.b64encode(kept).decode(), len(payload)]


def check_messages(recording: Recording) -> None:
    """Every message of the one connection, in order, to the byte, under the same name at both of its ends."""
    names: dict[tuple[str, str], list[str]] = {}
    for role, ours, theirs in (("client", "c2s", "s2c"), ("server", "s2c", "c2s")):
        for kind, told, direction in (("send", "sent", ours), ("receive", "received", theirs)):
            operations = of_role(recording, kind, role)
            messages = recording.said["ends"][role][told]
            assert [written(each) for each in operations] == [expected(each) for each in messages], (role, kind)
            identities = [each["identity"] for each in operations]
            names[kind, direction] = identities
            prefix = identities[0].rsplit(":", 1)[0] if identities else ""
            assert identities == [f"{prefix}:{number}" for number in range(1, len(messages) + 1)]
            assert all(each.endswith(f":{direction}") for each in {prefix} if prefix)
    for direction in ("c2s", "s2c"):
        assert names["receive", direction] == names["send", direction][: len(names["receive", direction])]
    assert len({each.split(":")[1] for group in names.values() for each in group}) == 1


def events(recording: Recording, role: str, event: str) -> list[dict[str, Any]]:
    """The settings of the handshakes or closings at one end."""
    return [
        each["settings"]
        for each in recording.of("connect")
        if each["connection"] and each["connection"]["role"] == role and each["settings"]["event"] == event
    ]
