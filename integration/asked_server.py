"""An HTTP server that keeps what it was asked, for tests of HTTP clients: a real one, in a thread of the test's process."""

from __future__ import annotations

import contextlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

SLOW_S = 1.5


class AskedServer(ThreadingHTTPServer):
    """Attributes: asked, what was asked since it was last taken: first line, headers in their order, body."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: list[tuple[str, list[tuple[str, str]], bytes]] = []
        self.ended = threading.Event()

    @property
    def place(self) -> str:
        return f"127.0.0.1:{self.server_port}"

    def take(self) -> list[tuple[str, list[tuple[str, str]], bytes]]:
        """What was asked, which is then forgotten."""
        taken, self.asked = self.asked, []
        return taken

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that go away are what is tested."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        server: Any = self.server
        server.asked.append((self.requestline, list(self.headers.items()), body))
        path = self.path.partition("?")[0]
        if path == "/closes":
            self.close_connection = True
            return
        if path == "/slow":
            server.ended.wait(SLOW_S)
        if path == "/moved":
            self.reply(302, b"", Location="/orders/7?from=moved")
        elif path == "/stream":
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for part in (b"one", b"two"):
                self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
            self.wfile.write(b"0\r\n\r\n")
        else:
            self.reply(503 if path in {"/fails", "/charges"} else 200, b'{"ok": true}')

    do_GET = do_POST = do_PUT = do_HEAD = answer  # noqa: N815 - the names that http.server looks for

    def reply(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name there
        """Nothing is written: pytest's output is enough."""


@contextlib.contextmanager
def asked_server() -> Iterator[AskedServer]:
    """A server that listens until the block ends."""
    server = AskedServer()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.ended.set()
        server.shutdown()
        thread.join()
        server.server_close()
