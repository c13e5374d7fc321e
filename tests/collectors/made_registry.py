"""A schema registry's HTTP interface on a port of this machine, and servers that only pretend to be one."""

from __future__ import annotations

import base64
import contextlib
import json
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(slots=True)
class Registered:
    """What a registry holds.

    Attributes:
        schemas: by id: kind, text, references, and for Protobuf the descriptor in bytes.
        subjects: id by subject; every subject has one version.
        how: `answer`, or a way not to: `hang`, `drip`, `garbage`, `redirect`, `refuse`, `large`.
        asked: paths, in order.
    """

    schemas: dict[int, dict[str, Any]] = field(default_factory=dict)
    subjects: dict[str, int] = field(default_factory=dict)
    how: str = "answer"
    password: str | None = None
    asked: list[str] = field(default_factory=list)
    url: str = ""

    def add(
        self, number: int, subject: str, kind: str, text: str, *references: tuple[str, str], descriptor: bytes = b""
    ) -> None:
        """Register a schema; references are name and subject."""
        told = [{"name": name, "subject": other, "version": 1} for name, other in references]
        self.schemas[number] = {"schemaType": kind, "schema": text, "references": told, "descriptor": descriptor}
        self.subjects[subject] = number

    def answer(self, path: str) -> Any:
        """What the interface says, None for 404. The form follows Confluent's documentation of it."""
        path, _, query = path.partition("?")
        match path.strip("/").split("/"):
            case ["schemas", "ids", number]:
                return self._shown(int(number), query)
            case ["schemas", "ids", number, "versions"]:
                found = [{"subject": s, "version": 1} for s, n in self.subjects.items() if n == int(number)]
                return found or None
            case ["subjects", subject, "versions", "1"]:
                found_id = self.subjects.get(unquote(subject))
                told = None if found_id is None else self._shown(found_id, query)
                return told and {"subject": unquote(subject), "version": 1, "id": found_id, **told}
            case _:
                return None

    def _shown(self, number: int, query: str) -> Any:
        if number not in self.schemas:
            return None
        told = dict(self.schemas[number])
        descriptor = told.pop("descriptor")
        if query == "format=serialized" and descriptor:
            told["schema"] = base64.b64encode(descriptor).decode()
        if told["schemaType"] == "AVRO":
            del told["schemaType"]  # as Confluent's does
        return told


@contextlib.contextmanager
def registry(registered: Registered) -> Iterator[Registered]:
    """Serve it."""
    over = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            registered.asked.append(self.path)
            with contextlib.suppress(OSError):
                self._answer()

        def _answer(self) -> None:
            expected = registered.password and "Basic " + base64.b64encode(registered.password.encode()).decode()
            if expected and self.headers.get("Authorization") != expected:
                self.send_error(401)
                return
            match registered.how:
                case "hang":
                    over.wait(20)
                case "drip":
                    self.send_response(200)
                    self.end_headers()
                    while not over.wait(0.2):
                        self.wfile.write(b" ")
                case "garbage":
                    self.wfile.write(b"\xff\x00 this is no HTTP \r\n\r\n")
                case "redirect":
                    self.send_response(302)
                    self.send_header("Location", "file:///etc/passwd")
                    self.end_headers()
                case "large":
                    self.send_response(200)
                    self.end_headers()
                    self.wfile.write(b'{"schema": "' + b"x" * (4 << 20))
                case _:
                    told = registered.answer(self.path)
                    self.send_response(404 if told is None else 200)
                    self.end_headers()
                    self.wfile.write(json.dumps(told if told is not None else {"error_code": 40403}).encode())

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    registered.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield registered
    finally:
        over.set()
        server.shutdown()
        server.server_close()
        thread.join()
        time.sleep(0.05)
