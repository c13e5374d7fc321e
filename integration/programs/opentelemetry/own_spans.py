"""A program that makes spans of its own with OpenTelemetry's SDK, around what it emits; says which."""

import json

from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from pyee.base import EventEmitter

exporter = InMemorySpanExporter()
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(exporter))
trace.set_tracer_provider(provider)
tracer = trace.get_tracer("shop")
bus = EventEmitter()
emitted = []


def emit(event: str) -> None:
    span = trace.get_current_span().get_span_context()
    ids = [f"{span.trace_id:032x}", f"{span.span_id:016x}"] if span.is_valid else [None, None]
    emitted.append([event, *ids])
    bus.emit(event)


@bus.on("order")
def handle() -> None:
    with tracer.start_as_current_span("handling"):
        emit("charged")


emit("outside")
with tracer.start_as_current_span("request"):
    emit("order")
emit("outside")
spans = exporter.get_finished_spans()
print(json.dumps({"emitted": emitted, "spans": [[s.name, s.parent is not None] for s in spans]}))
