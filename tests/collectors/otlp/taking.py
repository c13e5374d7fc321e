"""A collector that takes OpenTelemetry's spans, in a thread; and services that send some with the SDK."""

from __future__ import annotations

import contextlib
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from msgtrace.redaction import Redactor
from msgtrace_collectors.collector import Collector, Stop
from msgtrace_collectors.linking import link
from msgtrace_collectors.otlp.servers import EVERYBODY, serve_grpc, serve_http
from msgtrace_collectors.otlp.source import OtlpSource

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from opentelemetry.sdk.trace.export import SpanExporter

    from msgtrace_collectors.otlp.admission import Admission


@dataclass(slots=True)
class Taking:
    """Where spans go."""

    db: Path
    grpc: int
    http: int

    def exporter(self, form: str) -> SpanExporter:
        """The SDK's own, over gRPC or HTTP."""
        if form == "grpc":
            return GrpcExporter(endpoint=f"http://127.0.0.1:{self.grpc}", insecure=True)
        return HttpExporter(endpoint=f"http://127.0.0.1:{self.http}/v1/traces")

    @contextlib.contextmanager
    def service(self, name: str, form: str = "grpc") -> Iterator[TracerProvider]:
        """A service that sends its spans when it ends."""
        provider = TracerProvider(resource=Resource.create({"service.name": name, "host.name": f"{name}-host"}))
        provider.add_span_processor(BatchSpanProcessor(self.exporter(form)))
        yield provider
        provider.shutdown()


@contextlib.contextmanager
def taking(db: Path, spool: Path, admission: Admission = EVERYBODY) -> Iterator[Taking]:
    """A collector that ends with the context, everything stored and linked."""
    ready, stop, found = threading.Event(), Stop(), Taking(db, 0, 0)
    errors: list[BaseException] = []

    def run() -> None:
        try:
            collector = Collector(db, spool, Redactor(), lambda _: None)
            source = OtlpSource(collector.registry)
            found.grpc, end = serve_grpc(source, "127.0.0.1", 0, admission)
            source.stop.append(end)
            found.http, end = serve_http(source, "127.0.0.1", 0, admission)
            source.stop.append(end)
            collector.sources.append(source)
            ready.set()
            collector.run(stop, until_idle_s=lambda: None, every=lambda: None)
            link(collector.store.cursor(), db)
            collector.close()
        except BaseException as error:
            errors.append(error)
            raise
        finally:
            ready.set()

    thread = threading.Thread(target=run)
    thread.start()
    assert ready.wait(60)
    try:
        yield found
    finally:
        stop.requested = True
        thread.join(60)
        assert not errors
