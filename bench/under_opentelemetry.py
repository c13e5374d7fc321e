"""Runs a program under OpenTelemetry's instrumentations, exporting over OTLP as its documentation has it.

    OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318 python bench/under_opentelemetry.py LIBRARY PROGRAM [ARGUMENT...]

What `opentelemetry-instrument` sets up, without its metrics and logs: a batch processor at its defaults, the HTTP exporter,
and the instrumentation of the library that is measured. Everything is sampled.
"""

from __future__ import annotations

import importlib
import runpy
import sys
from pathlib import Path

from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

INSTRUMENTORS = {
    "aio_pika": "opentelemetry.instrumentation.aio_pika:AioPikaInstrumentor",
    "kafka": "opentelemetry.instrumentation.kafka:KafkaInstrumentor",
    "redis": "opentelemetry.instrumentation.redis:RedisInstrumentor",
}


def main() -> None:
    """Set up, then be the program."""
    library, program = sys.argv[1], sys.argv[2]
    # By name, as the instrumentor is: only the benchmark's own environment has them.
    exporter = importlib.import_module("opentelemetry.exporter.otlp.proto.http.trace_exporter").OTLPSpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    module, _, name = INSTRUMENTORS[library].partition(":")
    instrumentor = getattr(importlib.import_module(module), name)()
    instrumentor.instrument()
    if not instrumentor.is_instrumented_by_opentelemetry:
        raise SystemExit(f"OpenTelemetry does not instrument the installed {library}")
    sys.argv = sys.argv[2:]
    sys.path[0] = str(Path(program).parent)
    runpy.run_path(program, run_name="__main__")


if __name__ == "__main__":
    main()
