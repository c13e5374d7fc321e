"""Who shows no token gets nothing stored, over gRPC and HTTP, with TLS and without; and nobody is let in from elsewhere without one."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click
import grpc
import pytest
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.trace import SpanKind

from msgtrace_collectors.commands import taking_spans
from msgtrace_collectors.forwarding.certificates import make
from msgtrace_collectors.otlp.admission import Admission
from msgtrace_collectors.trace import open_trace
from tests.collectors.otlp.taking import taking

if TYPE_CHECKING:
    from pathlib import Path

    from opentelemetry.sdk.trace.export import SpanExporter

TOKEN = "long and secret"


def send(exporter: SpanExporter, channel: str) -> None:
    """One message's span."""
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    attributes = {
        "messaging.system": "kafka",
        "messaging.destination.name": channel,
        "messaging.operation.type": "send",
    }
    with provider.get_tracer("test").start_as_current_span("send", kind=SpanKind.PRODUCER, attributes=attributes):
        pass
    provider.shutdown()


@pytest.mark.parametrize("encrypted", [False, True], ids=["plain", "TLS"])
def test_only_who_shows_the_token_is_let_in(
    tmp_path: Path, spool: Path, monkeypatch: pytest.MonkeyPatch, *, encrypted: bool
) -> None:
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):  # which go before the exporter's own
        monkeypatch.delenv(name, raising=False)
    certificate = key = authority = None
    if encrypted:
        make(tmp_path / "certs", ("localhost",), 1)
        certificate, key = tmp_path / "certs" / "localhost.pem", tmp_path / "certs" / "localhost.key"
        authority = (tmp_path / "certs" / "ca.pem").read_bytes()
    scheme = "https" if encrypted else "http"
    db = tmp_path / "trace.duckdb"
    with taking(db, spool, Admission(TOKEN, certificate, key)) as place:
        for number, shown in enumerate(
            ("", "Bearer", f"Bearer {TOKEN}x", f"Basic {TOKEN}", f"Bearer {TOKEN}", f"bearer {TOKEN}")
        ):
            headers = {"authorization": shown} if shown else {}
            credentials = grpc.ssl_channel_credentials(authority) if authority else None
            send(
                GrpcExporter(
                    endpoint=f"{scheme}://localhost:{place.grpc}", insecure=not encrypted, headers=headers, credentials=credentials,
                    timeout=2,
                ),
                f"grpc {number}",
            )  # fmt: skip
            send(
                HttpExporter(
                    endpoint=f"{scheme}://localhost:{place.http}/v1/traces", headers=headers, timeout=2,
                    certificate_file=str(tmp_path / "certs" / "ca.pem") if encrypted else None,
                ),
                f"http {number}",
            )  # fmt: skip
        time.sleep(0.2)
    with open_trace(db) as trace:
        channels = {row["channel"] for row in trace.query("select channel from operations").to_pylist()}
    assert channels == {"grpc 4", "grpc 5", "http 4", "http 5"}


@pytest.mark.parametrize("address", ["0.0.0.0:4317", ":4317", "[::]:4317/4318", "central.example:4317"])
def test_nobody_is_let_in_from_elsewhere_without_a_token(address: str, tmp_path: Path) -> None:
    with pytest.raises(click.ClickException, match="--token-file"):
        taking_spans(address)
    (tmp_path / "token").write_text(TOKEN + "0123456789abcdef")
    taking_spans(address, tmp_path / "token")
    taking_spans("127.0.0.1:4317/4318")
