"""Sends OTLP requests to an endpoint, over gRPC or HTTP, again where the endpoint asks for it."""

from __future__ import annotations

import gzip
import time
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Self

import grpc
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2_grpc import MetricsServiceStub
from opentelemetry.proto.collector.trace.v1.trace_service_pb2_grpc import TraceServiceStub

if TYPE_CHECKING:
    from types import TracebackType

    from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

GRPC: Final = "grpc"
HTTP: Final = "http/protobuf"
ANSWER_S: Final = 15.0
TRIES: Final = 5
_AGAIN: Final = frozenset({429, 502, 503, 504})
_GRPC_AGAIN: Final = frozenset({
    grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.RESOURCE_EXHAUSTED,
    grpc.StatusCode.ABORTED,
})  # fmt: skip


class EndpointError(Exception):
    """It could not be sent; the text is for the user."""


@dataclass(slots=True)
class Endpoint:
    """Where requests go. A context manager: its connection is closed at the end.

    Attributes:
        address: host and port.
        encrypted: TLS, by the system's authorities.
        protocol: GRPC or HTTP.
        path: before `/v1/traces`, over HTTP.
        headers: of every request.
    """

    address: str
    encrypted: bool
    protocol: str
    path: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    _channel: grpc.Channel | None = None

    @classmethod
    def parse(cls, url: str, protocol: str | None, headers: str) -> Endpoint:
        """From what users write.

        Args:
            url: `http://HOST:PORT`.
            protocol: as in OTEL_EXPORTER_OTLP_PROTOCOL; by the port when None.
            headers: `name=value,name=value`, percent-encoded.

        Raises:
            EndpointError: not such an address.
        """
        parts = urllib.parse.urlsplit(url if "//" in url else f"http://{url}")
        try:
            port = parts.port
        except ValueError:
            port = None
        if parts.scheme not in {"http", "https"} or not parts.hostname or port is None or parts.username:
            raise EndpointError("--endpoint: not an address such as http://localhost:4317")
        pairs = [pair.partition("=") for pair in headers.split(",") if "=" in pair]
        host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
        return cls(
            address=f"{host}:{port}",
            encrypted=parts.scheme == "https",
            protocol=protocol or (HTTP if port == 4318 else GRPC),
            path=parts.path.rstrip("/"),
            headers={name.strip().lower(): urllib.parse.unquote(value.strip()) for name, _, value in pairs},
        )

    @property
    def shown(self) -> str:
        """For the user."""
        return f"{self.address} ({self.protocol})"

    def __enter__(self) -> Self:
        if self.protocol == GRPC:
            credentials = grpc.ssl_channel_credentials() if self.encrypted else None
            self._channel = (
                grpc.secure_channel(self.address, credentials) if credentials else grpc.insecure_channel(self.address)
            )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None, /
    ) -> None:
        if self._channel is not None:
            self._channel.close()

    def send_spans(self, request: ExportTraceServiceRequest) -> None:
        """Send spans.

        Raises:
            EndpointError: they were not taken.
        """
        self._send(request, "traces", TraceServiceStub)

    def send_metrics(self, request: ExportMetricsServiceRequest) -> None:
        """Send metrics.

        Raises:
            EndpointError: they were not taken.
        """
        self._send(request, "metrics", MetricsServiceStub)

    def _send(self, request: Any, what: str, stub: Any) -> None:
        problem = ""
        for attempt in range(TRIES):
            if attempt:
                time.sleep(0.5 * 2**attempt)
            problem, again = self._call(request, stub) if self._channel is not None else self._post(request, what)
            if not problem:
                return
            if not again:
                break
        raise EndpointError(f"{self.shown}: {what} were not taken: {problem}")

    def _call(self, request: Any, stub: Any) -> tuple[str, bool]:
        try:
            stub(self._channel).Export(request, timeout=ANSWER_S, metadata=tuple(self.headers.items()))
        except grpc.RpcError as error:
            code = error.code() if isinstance(error, grpc.Call) else None
            text = (error.details() if isinstance(error, grpc.Call) else None) or str(code)
            return text.partition("\n")[0][:200], code in _GRPC_AGAIN
        return "", False

    def _post(self, request: Any, what: str) -> tuple[str, bool]:
        url = f"{'https' if self.encrypted else 'http'}://{self.address}{self.path}/v1/{what}"
        headers = self.headers | {"content-type": "application/x-protobuf", "content-encoding": "gzip"}
        post = urllib.request.Request(url, gzip.compress(request.SerializeToString()), headers, method="POST")  # noqa: S310 - http(s), checked
        try:
            with urllib.request.urlopen(post, timeout=ANSWER_S) as answer:  # noqa: S310 - as above
                answer.read()
        except urllib.error.HTTPError as error:
            error.close()
            return f"HTTP {error.code}", error.code in _AGAIN
        except OSError as error:
            return str(getattr(error, "reason", None) or error), True
        return "", False
