"""kafka-python's retries: behind a line that loses answers, or requests, a send still ends once, as the program was told."""

import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace

import pytest

from integration.brokers import Kafka
from integration.kafka_programs import INTERPRETERS, Programs, encoded, said

pytestmark = pytest.mark.kafka

PRODUCE = 0
"""API key of the request that carries records: kafka.apache.org/protocol#protocol_api_keys"""
LIMIT_S = 20.0


class LossyLine:
    """Carries connections to a broker, and cuts those on which records are sent, so many times.

    Args:
        target: the broker's host and port.
        losses: how many connections are cut.
        after_the_broker_has_it: cut when the broker answers, which the client then doesn't hear; else before it knows.
    """

    def __init__(self, target: tuple[str, int], losses: int, *, after_the_broker_has_it: bool) -> None:
        self._target = target
        self._losses = losses
        self._late = after_the_broker_has_it
        self._lock = threading.Lock()
        self._sockets: list[socket.socket] = []

    def serve(self, listener: socket.socket) -> None:
        """Accept until the listener is closed."""
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                broker = socket.create_connection(self._target, LIMIT_S)
                broker.settimeout(None)
                self._sockets += (client, broker)
                doomed = threading.Event()
                for work in (self._requests, self._answers):
                    threading.Thread(target=work, args=(client, broker, doomed), daemon=True).start()

    def _requests(self, client: socket.socket, broker: socket.socket, doomed: threading.Event) -> None:
        with suppress(OSError, struct.error):
            stream = client.makefile("rb")
            while head := stream.read(4):
                request = stream.read(struct.unpack(">i", head)[0])
                if struct.unpack_from(">h", request)[0] == PRODUCE and self._lose():
                    doomed.set()
                    if not self._late:
                        break
                broker.sendall(head + request)
        self._cut(client, broker)

    def _answers(self, client: socket.socket, broker: socket.socket, doomed: threading.Event) -> None:
        with suppress(OSError):
            while data := broker.recv(1 << 16):
                if doomed.is_set():
                    break
                client.sendall(data)
        self._cut(client, broker)

    def _lose(self) -> bool:
        with self._lock:
            self._losses -= 1
            return self._losses >= 0

    def _cut(self, *ends: socket.socket) -> None:
        for each in ends:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Cut everything."""
        self._cut(*self._sockets)
        for each in self._sockets:
            each.close()


@contextmanager
def lossy(kafka: Kafka, losses: int, *, after_the_broker_has_it: bool) -> Iterator[Kafka]:
    """The broker behind such a line."""
    line = LossyLine((kafka.host, kafka.proxied_port), losses, after_the_broker_has_it=after_the_broker_has_it)
    with ExitStack() as stack:
        listener = stack.enter_context(listening(kafka.proxy_port))
        threading.Thread(target=line.serve, args=(listener,), daemon=True).start()
        stack.callback(line.close)
        stack.callback(listener.shutdown, socket.SHUT_RDWR)  # wakes accept()
        here = f"127.0.0.1:{kafka.proxy_port}"
        yield replace(kafka, host="127.0.0.1", port=kafka.proxy_port, bootstrap=here, url=f"kafka://{here}")


def listening(port: int) -> socket.socket:
    """A listener on the only port that the broker sends its clients to; another session may be about to give it up."""
    until = time.monotonic() + LIMIT_S
    while True:
        try:
            return socket.create_server(("127.0.0.1", port))
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)


@pytest.fixture(params=INTERPRETERS)
def python(request: pytest.FixtureRequest) -> str:
    """An interpreter with some kafka-python."""
    return str(request.param)


@pytest.mark.parametrize("after_the_broker_has_it", [True, False])
def test_a_batch_that_is_sent_again_ends_once(
    python: str, kafka: Kafka, unique: Callable[[str], str], after_the_broker_has_it: bool
) -> None:
    if not kafka.proxied_port:
        pytest.skip(f"{kafka.url} has no listener for clients behind a proxy")
    with (
        Programs(python, kafka, unique) as programs,
        lossy(kafka, 2, after_the_broker_has_it=after_the_broker_has_it) as line,
    ):
        recording = programs.run("retries", programs.topic(), "30", kafka=line)
    sent = recording.of("send")
    assert [(encoded(each["body"]), each["log_offset"]) for each in sent] == [
        (each["value"], each["offset"]) for each in said(recording, "sent")
    ]
    assert len(sent) == 6
    assert {each.outcome for each in sent} == {"ok"}
    assert {each["settings"]["retries"] for each in sent} == {2}


def test_a_batch_that_is_given_up_has_raised(python: str, kafka: Kafka, unique: Callable[[str], str]) -> None:
    if not kafka.proxied_port:
        pytest.skip(f"{kafka.url} has no listener for clients behind a proxy")
    with (
        Programs(python, kafka, unique) as programs,
        lossy(kafka, 1_000, after_the_broker_has_it=False) as line,
    ):
        recording = programs.run("retries", programs.topic(), "2", kafka=line)
    sent = recording.of("send")
    assert [(encoded(each["body"]), each.error_type) for each in sent] == [
        (each["value"], f"kafka.errors.{each['error']}") for each in said(recording, "failed")
    ]
    assert len(sent) == 6
    assert {(each.outcome, each["log_offset"]) for each in sent} == {("raised", None)}
    assert all(each["settings"]["retries"] > 0 for each in sent)
