"""Makes OpenTelemetry metrics of what was counted in a trace: its messaging conventions' instruments. Pure.

https://opentelemetry.io/docs/specs/semconv/messaging/messaging-metrics/
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.metrics.v1.metrics_pb2 import (
    AGGREGATION_TEMPORALITY_CUMULATIVE,
    Histogram,
    HistogramDataPoint,
    Metric,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
    Sum,
)

from msgtrace_analysis.renderers.otlp_spans import SCOPE, attributes, resource
from msgtrace_collectors.otlp import names

if TYPE_CHECKING:
    from collections.abc import Sequence

BOUNDS_S: Final = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)
"""The boundaries that the conventions advise."""
COUNTERS: Final = {"send": "messaging.client.sent.messages", "receive": "messaging.client.consumed.messages"}
DURATIONS: Final = {
    "send": "messaging.client.operation.duration", "receive": "messaging.client.operation.duration",
    "settle": "messaging.client.operation.duration", "process": "messaging.process.duration",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Measured:
    """Operations that are alike: how many, and how long they took.

    Attributes:
        buckets: how many took up to each of `BOUNDS_S`, and longer.
    """

    service: str | None
    host: str | None
    process_id: str | None
    pid: int | None
    kind: str
    system: str | None
    channel: str | None
    server: str | None
    consumer_group: str | None
    error_type: str | None
    count: int
    sum_s: float
    buckets: list[int]
    first_ns: int
    last_ns: int


def metrics(rows: Sequence[Measured]) -> ExportMetricsServiceRequest:
    """What was counted, as one request."""
    by_process: dict[tuple[Any, ...], list[Measured]] = defaultdict(list)
    for row in rows:
        by_process[row.service, row.host, row.process_id, row.pid].append(row)
    return ExportMetricsServiceRequest(
        resource_metrics=[
            ResourceMetrics(resource=resource(*who), scope_metrics=[ScopeMetrics(scope=SCOPE, metrics=_metrics(each))])
            for who, each in by_process.items()
        ]
    )


def _metrics(rows: list[Measured]) -> list[Metric]:
    sums: dict[str, list[NumberDataPoint]] = defaultdict(list)
    histograms: dict[str, list[HistogramDataPoint]] = defaultdict(list)
    begin_ns = min(row.first_ns for row in rows)
    end_ns = max(row.last_ns for row in rows)
    for row in rows:
        own = attributes(_attributes(row))
        if row.kind in COUNTERS:
            point = NumberDataPoint(
                attributes=own, start_time_unix_nano=begin_ns, time_unix_nano=end_ns, as_int=row.count
            )
            sums[COUNTERS[row.kind]].append(point)
        histograms[DURATIONS[row.kind]].append(
            HistogramDataPoint(
                attributes=own, start_time_unix_nano=begin_ns, time_unix_nano=end_ns, count=row.count, sum=row.sum_s,
                bucket_counts=row.buckets, explicit_bounds=BOUNDS_S,
            )
        )  # fmt: skip
    cumulative = AGGREGATION_TEMPORALITY_CUMULATIVE
    return [
        *(Metric(name=name, unit="{message}", sum=Sum(data_points=points, aggregation_temporality=cumulative, is_monotonic=True))
          for name, points in sums.items()),
        *(Metric(name=name, unit="s", histogram=Histogram(data_points=points, aggregation_temporality=cumulative))
          for name, points in histograms.items()),
    ]  # fmt: skip


def _attributes(row: Measured) -> dict[str, Any]:
    address, colon, port = (row.server or "").rpartition(":")
    return {
        names.SYSTEM: row.system,
        names.DESTINATION: row.channel,
        names.OPERATION_NAME: row.kind,
        "messaging.consumer.group.name": row.consumer_group,
        "server.address": (address or row.server or "").strip("[]"),
        "server.port": int(port) if colon and port.isdecimal() else None,
        "error.type": row.error_type,
    }
