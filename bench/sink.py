"""Stands in for an OpenTelemetry collector and a Datadog agent: accepts everything, keeps it, counts the spans when asked.

    python -m bench.sink        prints its port; GET /spans answers with the number of spans since the last such question

Counting waits until the measured program has ended: while it runs, this process only copies bytes.
"""

from __future__ import annotations

import gzip
import importlib
import json
import subprocess
import sys
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator

OTLP_PATH: Final = "/v1/traces"
DATADOG_PATHS: Final = ("/v0.4/traces", "/v0.5/traces")

_received: list[tuple[str, bytes]] = []


def spans(path: str, payload: bytes) -> int:
    """How many spans one request carried; 0 for one that carries none.

    Formats: OTLP's ExportTraceServiceRequest; Datadog's MessagePack, v0.4 an array of traces, v0.5 the same after a string
    table.
    """
    if path == OTLP_PATH:
        # Not imported above: only the benchmark's own environment has it.
        service = importlib.import_module("opentelemetry.proto.collector.trace.v1.trace_service_pb2")
        request = service.ExportTraceServiceRequest.FromString(payload)
        return sum(len(scope.spans) for resource in request.resource_spans for scope in resource.scope_spans)
    if path in DATADOG_PATHS:
        traces = msgspec.msgpack.decode(payload)
        return sum(len(trace) for trace in (traces[1] if path == "/v0.5/traces" else traces))
    return 0


class Handler(BaseHTTPRequestHandler):
    """One connection of an exporter."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path == "/spans":
            taken = _received[:]
            del _received[: len(taken)]
            self._answer({"spans": sum(spans(path, payload) for path, payload in taken)})
        else:
            self._answer({"endpoints": [*DATADOG_PATHS], "version": "7.60.0"} if self.path == "/info" else {})

    def do_POST(self) -> None:
        payload = self._body()
        if self.headers.get("Content-Encoding") == "gzip":
            payload = gzip.decompress(payload)
        _received.append((self.path, payload))
        if self.path == OTLP_PATH:
            self._send(b"", "application/x-protobuf")
        else:
            self._answer({"rate_by_service": {}})

    do_PUT = do_POST  # noqa: N815 - the name that the base class looks for

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        pieces = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            pieces.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(pieces)

    def _answer(self, content: object) -> None:
        self._send(json.dumps(content).encode(), "application/json")

    def _send(self, content: bytes, kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's parameter
        """Say nothing."""


@dataclass(frozen=True, slots=True)
class Sink:
    """A running sink.

    Attributes:
        url: `http://127.0.0.1:port`.
    """

    url: str

    def spans(self) -> int:
        """Spans that arrived since this was last asked."""
        with urllib.request.urlopen(f"{self.url}/spans", timeout=60) as answer:
            return int(json.load(answer)["spans"])


@contextmanager
def sink() -> Iterator[Sink]:
    """A sink in a process of its own, for the length of the block."""
    process = subprocess.Popen([sys.executable, "-m", "bench.sink"], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield Sink(f"http://127.0.0.1:{int(process.stdout.readline())}")
    finally:
        process.terminate()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(server.server_address[1], flush=True)
    server.serve_forever()
