"""Two sans-I/O protocols that a program drives by itself, over a socket pair: the server answers each message."""

import socket
from typing import Any

from account import Account
from websockets.client import ClientProtocol
from websockets.exceptions import InvalidState, ProtocolError
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory, ServerPerMessageDeflateFactory
from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.server import ServerProtocol
from websockets.uri import parse_uri

account = Account()
ours, theirs = socket.socketpair()
client = ClientProtocol(
    parse_uri("ws://shop.example:8080/sansio/1?key=s3cret"), extensions=[ClientPerMessageDeflateFactory()]
)
server = ServerProtocol(extensions=[ServerPerMessageDeflateFactory()])
parts: dict[str, list[Any]] = {"client": [], "server": []}


def flush(protocol: Any, sock: socket.socket) -> None:
    for data in protocol.data_to_send():
        if data:
            sock.sendall(data)
        else:
            sock.shutdown(socket.SHUT_WR)


def events(protocol: Any, sock: socket.socket) -> list[Any]:
    data = sock.recv(1 << 20)
    if data:
        protocol.receive_data(data)
    else:
        protocol.receive_eof()
    flush(protocol, sock)
    return protocol.events_received()  # type: ignore[no-any-return]  # of either class


def took(end: str, frame: Frame) -> Any:
    if frame.opcode is Opcode.TEXT or frame.opcode is Opcode.BINARY:
        parts[end] = [frame.opcode is Opcode.TEXT]
    parts[end].append(bytes(frame.data))
    if not frame.fin:
        return None
    text, *pieces = parts[end]
    whole = b"".join(pieces).decode() if text else b"".join(pieces)
    account.received(end, whole)
    return whole


def answer() -> None:
    for event in events(server, theirs):
        if isinstance(event, Frame) and event.opcode in {Opcode.TEXT, Opcode.BINARY, Opcode.CONT}:
            message = took("server", event)
            if isinstance(message, str):
                account.sent("server", message.upper())
                server.send_text(message.upper().encode())
            elif message is not None:
                account.sent("server", message[::-1])
                server.send_binary(message[::-1])
        elif isinstance(event, Request):
            server.send_response(server.accept(event))
    flush(server, theirs)


def listen() -> None:
    for event in events(client, ours):
        if isinstance(event, Frame) and event.opcode in {Opcode.TEXT, Opcode.BINARY, Opcode.CONT}:
            took("client", event)


client.send_request(client.connect())
flush(client, ours)
answer()
listen()
for message in ("plain", "", "zwölf Löwen 🦁"):
    account.sent("client", message)
    client.send_text(message.encode())
    flush(client, ours)
    answer()
    listen()
account.sent("client", b"\x00\xff binary")
client.send_binary(b"\x00\xff binary")
# Two messages in one go, of which one is cut within a character.
account.sent("client", "fragmentäd")
client.send_text("fragmentä".encode()[:-1], fin=False)
client.send_ping(b"between fragments")
client.send_continuation("ä".encode()[-1:], fin=False)
client.send_continuation(b"d", fin=True)
flush(client, ours)
answer()
listen()
try:
    client.send_continuation(b"of nothing", fin=True)
except (InvalidState, ProtocolError) as error:
    account.notes["refused"] = type(error).__name__
client.send_close(4001, "had enough")
flush(client, ours)
answer()
listen()
listen()
answer()
try:
    client.send_text(b"too late")
except (InvalidState, ProtocolError) as error:
    account.notes["too late"] = type(error).__name__
account.tell(closed=[client.close_code, client.close_reason])
