"""Takes OTLP over gRPC and over HTTP, each in threads of its own, and hands it to the source."""

from __future__ import annotations

import base64
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Final

import grpc
from google.protobuf import json_format
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2_grpc
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2_grpc
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2_grpc
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from msgtrace_collectors.decoders.compression import inflate
from msgtrace_collectors.decoders.limits import Malformed, TooMuch
from msgtrace_collectors.otlp.admission import Admission, AskingToken
from msgtrace_collectors.otlp.source import BusyError, OtlpSource

if TYPE_CHECKING:
    from collections.abc import Callable

    from msgtrace_collectors.collector import Collector, Source

MAX_BYTES: Final = 16 << 20
WORKERS: Final = 16
SILENT_S: Final = 20.0
PATH: Final = "/v1/traces"
IGNORED: Final = ("/v1/metrics", "/v1/logs")


class _Traces(trace_service_pb2_grpc.TraceServiceServicer):
    def __init__(self, source: OtlpSource) -> None:
        self._source = source

    def Export(self, request: ExportTraceServiceRequest, context: grpc.ServicerContext) -> ExportTraceServiceResponse:  # noqa: N802 - grpc's
        try:
            self._source.take(request)
        except BusyError:
            context.abort(grpc.StatusCode.UNAVAILABLE, "the collector has too much waiting; come again")
        return ExportTraceServiceResponse()


class _Metrics(metrics_service_pb2_grpc.MetricsServiceServicer):
    """Services send everything to one place: what holds no message is taken and thrown away, so that they don't complain."""

    def Export(self, request: Any, context: Any) -> ExportMetricsServiceResponse:  # noqa: ARG002, N802 - grpc's
        return ExportMetricsServiceResponse()


class _Logs(logs_service_pb2_grpc.LogsServiceServicer):
    """As `_Metrics`."""

    def Export(self, request: Any, context: Any) -> ExportLogsServiceResponse:  # noqa: ARG002, N802 - grpc's
        return ExportLogsServiceResponse()


EVERYBODY: Final = Admission()


def serve_grpc(
    source: OtlpSource, host: str, port: int, admission: Admission = EVERYBODY
) -> tuple[int, Callable[[], None]]:
    """Listen for gRPC.

    Returns:
        The port, and what ends it.

    Raises:
        OSError: the address can't be had.
    """
    server = grpc.server(
        ThreadPoolExecutor(WORKERS, "msgtrace-otlp"), interceptors=[AskingToken(admission)], maximum_concurrent_rpcs=WORKERS * 4,
        options=[("grpc.max_receive_message_length", MAX_BYTES), ("grpc.so_reuseport", 0)],
    )  # fmt: skip
    trace_service_pb2_grpc.add_TraceServiceServicer_to_server(_Traces(source), server)  # type: ignore[no-untyped-call]
    metrics_service_pb2_grpc.add_MetricsServiceServicer_to_server(_Metrics(), server)  # type: ignore[no-untyped-call]
    logs_service_pb2_grpc.add_LogsServiceServicer_to_server(_Logs(), server)  # type: ignore[no-untyped-call]
    address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    credentials = admission.grpc_credentials()
    try:
        bound = (
            server.add_insecure_port(address) if credentials is None else server.add_secure_port(address, credentials)
        )
    except RuntimeError:
        bound = 0
    if not bound:
        raise OSError(0, "the address can't be had", f"{host}:{port}")
    server.start()
    return bound, lambda: server.stop(None) and None


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = SILENT_S
    source: OtlpSource
    admission: Admission

    def do_POST(self) -> None:
        if not self.admission.admits(self.headers.get("Authorization")):
            self.close_connection = True
            return self._answer(401, b"", ("WWW-Authenticate", "Bearer"))
        if self.path not in {PATH, *IGNORED}:
            return self._answer(404, b"")
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > MAX_BYTES:
            self.close_connection = True
            return self._answer(413, b"")
        body = self.rfile.read(int(length))
        if self.path != PATH:
            return self._answer(200, b"")
        as_json = self.headers.get_content_type() == "application/json"
        try:
            request = _parsed(body, self.headers.get("Content-Encoding", ""), as_json=as_json)
        except (DecodeError, json_format.ParseError, Malformed, TooMuch, ValueError, RecursionError):
            return self._answer(400, b"")
        try:
            self.source.take(request)
        except BusyError:
            return self._answer(503, b"", ("Retry-After", "5"))
        kind = "application/json" if as_json else "application/x-protobuf"
        return self._answer(200, b"{}" if as_json else b"", ("Content-Type", kind))

    def _answer(self, status: int, body: bytes, *headers: tuple[str, str]) -> None:
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name there
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Whoever breaks off, or speaks no TLS, is nobody's news."""


def _parsed(body: bytes, coding: str, *, as_json: bool) -> ExportTraceServiceRequest:
    if coding in {"gzip", "deflate"}:
        body = inflate(body)
    elif coding not in {"", "identity"}:
        raise ValueError(coding)
    request = ExportTraceServiceRequest()
    if as_json:
        json_format.Parse(_hexadecimal(body), request, ignore_unknown_fields=True)
    else:
        request.ParseFromString(body)
    return request


def _hexadecimal(body: bytes) -> bytes:
    """OTLP's JSON has ids in hexadecimal where Protobuf's has base64: https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding."""

    def coded(match: re.Match[bytes]) -> bytes:
        return match[1] + base64.b64encode(bytes.fromhex(match[2].decode())) + b'"'

    return re.sub(rb'("(?:traceId|spanId|parentSpanId)"\s*:\s*")((?:[0-9a-fA-F]{2})*)"', coded, body)


def serving(
    host: str, grpc_port: int, http_port: int | None, admission: Admission = EVERYBODY
) -> Callable[[Collector], Source]:
    """What makes a collector take spans over gRPC, and over HTTP where a port is given."""

    def begin(collector: Collector) -> Source:
        source = OtlpSource(collector.registry)
        source.stop.append(serve_grpc(source, host, grpc_port, admission)[1])
        if http_port is not None:
            try:
                source.stop.append(serve_http(source, host, http_port, admission)[1])
            except OSError as error:
                source.close()
                raise OSError(error.errno, error.strerror, f"{host}:{http_port}") from None
        return source

    return begin


def serve_http(
    source: OtlpSource, host: str, port: int, admission: Admission = EVERYBODY
) -> tuple[int, Callable[[], None]]:
    """Listen for HTTP.

    Returns:
        The port, and what ends it.

    Raises:
        OSError: the address can't be had.
    """
    handler = type("Handler", (_Handler,), {"source": source, "admission": admission})
    context = admission.context()
    server = _Server((host, port), handler)
    if context is not None:
        # The handshake is each connection's own thread's: nobody who is silent holds up others.
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, name="msgtrace-otlp-http", daemon=True)
    thread.start()

    def end() -> None:
        server.shutdown()
        server.server_close()
        thread.join(5)

    return server.server_address[1], end
