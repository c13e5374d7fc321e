"""Connections over TLS and over Unix sockets, with asyncio and with threads; prints what was answered.

elsewhere.py FOLDER         a folder with cert.pem and key.pem, and room for sockets
"""

import asyncio
import json
import ssl
import sys
import threading
from pathlib import Path
from typing import Any

from websockets.asyncio.client import connect, unix_connect
from websockets.asyncio.server import serve, unix_serve
from websockets.sync import client as sync_client
from websockets.sync import server as sync_server

folder = Path(sys.argv[1])
ours = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
ours.load_cert_chain(folder / "cert.pem", folder / "key.pem")
theirs = ssl.create_default_context(cafile=str(folder / "cert.pem"))
answers: dict[str, Any] = {}
for left in folder.glob("*.socket"):
    left.unlink()


async def greeting(websocket: Any) -> None:
    await websocket.send("welcome")


async def with_asyncio() -> None:
    async with serve(greeting, "localhost", 0, ssl=ours) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        async with connect(f"wss://localhost:{port}/asyncio/tls", ssl=theirs) as websocket:
            answers["asyncio tls"] = await websocket.recv()
    path = str(folder / "asyncio.socket")
    async with unix_serve(greeting, path), unix_connect(path, uri="ws://localhost/asyncio/unix") as websocket:
        answers["asyncio unix"] = await websocket.recv()


def with_threads() -> None:
    def serving(server: Any) -> threading.Thread:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        return thread

    def greeting(websocket: Any) -> None:
        websocket.send("welcome")

    with sync_server.serve(greeting, "localhost", 0, ssl=ours) as server:
        thread = serving(server)
        port = server.socket.getsockname()[1]
        with sync_client.connect(f"wss://localhost:{port}/threads/tls", ssl=theirs) as websocket:
            answers["threads tls"] = websocket.recv()
        server.shutdown()
        thread.join()
    path = str(folder / "threads.socket")
    with sync_server.unix_serve(greeting, path) as server:
        thread = serving(server)
        with sync_client.unix_connect(path, uri="ws://localhost/threads/unix") as websocket:
            answers["threads unix"] = websocket.recv()
        server.shutdown()
        thread.join()


asyncio.run(with_asyncio())
with_threads()
print(json.dumps(answers))
