"""The hook itself: what a program can see of the methods that it replaces, and that they come back."""

import os
import subprocess
import sys
from pathlib import Path

from integration.interpreters import has
from integration.recorded import read, record
from integration.websocket_ends import EVERY_VERSION

MODULES = (
    "websockets.asyncio.client",
    "websockets.asyncio.server",
    "websockets.sync.client",
    "websockets.sync.server",
    "websockets.legacy.client",
    "websockets.legacy.server",
)


@EVERY_VERSION
def test_methods_look_as_before_and_are_put_back(python: str) -> None:
    optional = ("websockets.trio.client", "uvicorn.protocols.websockets.websockets_sansio_impl")
    there = [each for each in optional if has(python, each)]
    modules = [*MODULES, *there]
    ended = record(["-W", "ignore", str(Path(__file__).parent / "restored.py"), *modules], python=python)
    assert (ended.exit_code, ended.stderr) == (0, "")
    assert ended.losses == []
    points = [each for each in ended.said if not each["target"].startswith("uvicorn.") or "sansio" in each["target"]]
    assert {each["status"] for each in points if each["detail"] == ""} <= {"wrapped", "waiting"}
    waiting = {each["target"].split(":")[0].split(".")[1] for each in points if each["status"] == "waiting"}
    assert waiting <= {"trio", "protocols"}
    wrapped = [each for each in points if each["status"] == "wrapped"]
    assert len(wrapped) >= 30
    assert [each["target"] for each in wrapped if not each.get("alike")] == []
    assert [each["target"] for each in wrapped if not each["restored"]] == []


IN_MID_CONNECTION = """
import os, sys, threading
from websockets.sync.client import connect
from websockets.sync.server import serve

def echo(websocket):
    for message in websocket:
        websocket.send(message)

with serve(echo, "localhost", 0) as server:
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    with connect(f"ws://localhost:{server.socket.getsockname()[1]}/feed?id=1") as websocket:
        websocket.send("before")
        websocket.recv()
        os.environ["MSGTRACE_SPOOL"] = sys.argv[1]
        from msgtrace.start import start
        start()
        websocket.send("after")
        websocket.recv()
        websocket.send(["af", "ter"])
        list(websocket.recv_streaming())
    server.shutdown()
    thread.join()
"""


def test_a_connection_that_was_there_before(tmp_path: Path) -> None:
    """Its messages have no number: what went before was not counted."""
    environment = {**os.environ, "MSGTRACE_RAISE": "1"}
    subprocess.run([sys.executable, "-c", IN_MID_CONNECTION, str(tmp_path)], env=environment, check=True, timeout=60)
    recording = read(tmp_path)
    messages = [each for each in recording.operations if each.kind in {"send", "receive"}]
    # What waits in `recv` while it is replaced returns unseen: here the server, for one message.
    assert [(each.kind, each["connection"]["role"], each["body"]) for each in messages] == [
        ("send", "client", "after"),
        ("send", "server", "after"),
        ("receive", "client", "after"),
        ("send", "client", "after"),
        ("receive", "server", "after"),
        ("send", "server", "after"),
        ("receive", "client", "after"),
    ]
    assert {each["identity"] for each in messages} == {None}
    assert {each["channel"] for each in messages} == {"/feed"}
    closed = [each["settings"] for each in recording.of("connect") if each["settings"]["event"] == "closed"]
    assert [(each["code"], each["who"]) for each in closed] == [(1000, "remote"), (1000, "local")]
