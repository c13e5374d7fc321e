"""Whether a broker answers its own protocol: one bounded question each; an open port is no answer."""

import base64
import http.client
import socket
import struct
import urllib.error
import urllib.request
from urllib.parse import urlsplit

from integration.brokers.address import Address, Kafka, Rabbitmq

TIMEOUT_S = 2.0


def answers(address: Address) -> bool:
    """Asks the broker one question; False for anything but the right answer within a few seconds."""
    try:
        if isinstance(address, Rabbitmq):
            return _amqp_answers(address) and _management_answers(address)
        return _kafka_answers(address) if isinstance(address, Kafka) else _redis_answers(address)
    except (OSError, http.client.HTTPException, struct.error):
        return False


def _ask(address: Address, question: bytes, enough_bytes: int) -> bytes:
    with socket.create_connection((address.host, address.port), TIMEOUT_S) as connection:
        connection.settimeout(TIMEOUT_S)
        connection.sendall(question)
        answer = b""
        while len(answer) < enough_bytes and (part := connection.recv(4096)):
            answer += part
        return answer


def _amqp_answers(address: Rabbitmq) -> bool:
    # A method frame (type 1, channel 0) is Connection.Start; anything else starts with "A".
    return _ask(address, b"AMQP\x00\x00\x09\x01", 3).startswith(b"\x01\x00\x00")


def _management_answers(address: Rabbitmq) -> bool:
    parts = urlsplit(address.management_url)
    credentials = base64.b64encode(f"{parts.username}:{parts.password}".encode()).decode()
    request = urllib.request.Request(
        f"http://{parts.hostname}:{parts.port}/api/overview",
        headers={"Authorization": f"Basic {credentials}"},
    )
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as response:
            return bool(response.status == 200)
    except urllib.error.URLError:
        return False


def _redis_answers(address: Address) -> bool:
    # A Redis that wants a password is there too: it says -NOAUTH, and the url is the caller's business.
    return _ask(address, b"PING\r\n", 5).startswith((b"+PONG", b"-NOAUTH"))


def _kafka_answers(address: Kafka) -> bool:
    """Metadata v1 for no topic: a broker lists itself only once the controller has let it in."""
    body = struct.pack(">hhihi", 3, 1, 1, -1, 0)
    answer = _ask(address, struct.pack(">i", len(body)) + body, 12)
    _size, _correlation_id, brokers = struct.unpack_from(">iii", answer)
    return bool(brokers > 0)
