"""Threading client and server in one process: every way to send and to take a message; the server answers each."""

import threading
from typing import Any

from account import Account
from websockets.exceptions import ConnectionClosed
from websockets.sync import server as sync_server
from websockets.sync.client import connect
from websockets.sync.server import serve

account = Account()
ROUNDS: list[Any] = [
    "plain",
    "",
    "zwölf Löwen 🦁",
    b"\x00\xff binary",
    b"",
    bytearray(b"an array"),
    memoryview(b"a view"),
    "x" * 70_000,
]


def answering(websocket: Any) -> None:
    for message in websocket:
        account.received("server", message)
        if message == "bye":
            break
        answer = message.upper() if isinstance(message, str) else message[::-1]
        account.sent("server", answer)
        websocket.send(answer)
    if hasattr(sync_server, "broadcast"):
        sync_server.broadcast([websocket], "to all")
        account.sent("server", "to all")
    websocket.close(4001, "had enough")


def streamed(websocket: Any) -> None:
    pieces = list(websocket.recv_streaming())
    account.notes.setdefault("streamed", []).append(len(pieces))
    account.received("client", (b"" if isinstance(pieces[0], bytes) else "").join(pieces))


def talk(port: int) -> None:
    with connect(f"ws://localhost:{port}/threads/1") as websocket:
        for message in ROUNDS:
            account.sent("client", message)
            websocket.send(message)
            account.received("client", websocket.recv(timeout=10))
        for parts, whole in ((["frag", "", "mentäd"], "fragmentäd"), ([b"frag", b"\xffmented"], b"frag\xffmented")):
            account.sent("client", whole)
            websocket.send(parts)
            streamed(websocket)
        try:
            websocket.recv(timeout=0.01)
        except TimeoutError:
            account.notes["timed out"] = True
        account.notes["pong"] = websocket.ping(b"are you there").wait(10)
        websocket.pong(b"unasked")
        account.sent("client", "bye")
        websocket.send("bye")
        try:
            while True:
                account.received("client", websocket.recv())
        except ConnectionClosed as closed:
            account.notes["closed"] = [closed.rcvd.code, closed.rcvd.reason] if closed.rcvd else None
        try:
            websocket.send("too late")
        except ConnectionClosed as closed:
            account.notes["too late"] = type(closed).__name__


def main() -> None:
    with serve(answering, "localhost", 0) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        talk(server.socket.getsockname()[1])
        server.shutdown()
        thread.join()
    account.tell()


main()
