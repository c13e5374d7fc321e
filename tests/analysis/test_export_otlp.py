"""What is exported is what the trace says: taken by OpenTelemetry's own types, and by a collector of ours."""

from __future__ import annotations

import contextlib
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import grpc
from click.testing import CliRunner
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2_grpc
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2_grpc
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from msgtrace.command_line import cli
from msgtrace_collectors.otlp.spans import plain
from tests.collectors.conftest import collected, rows, spool
from tests.collectors.made_segments import MadeProcess, begun, completed, introduced, observed
from tests.collectors.otlp.taking import taking

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from opentelemetry.proto.trace.v1.trace_pb2 import Span

__all__ = ["spool"]
MESSAGES = """
    select service, kind, system, channel, message_id, partition_id, log_offset, consumer_group, outcome
    from operations where kind in ('send', 'receive', 'process') order by all
"""


class _Taken(trace_service_pb2_grpc.TraceServiceServicer, metrics_service_pb2_grpc.MetricsServiceServicer):
    """Both services, which keep what came; the first call is asked to come again."""

    def __init__(self) -> None:
        self.requests: list[Any] = []
        self.refused = False

    def Export(self, request: Any, context: Any) -> Any:  # noqa: N802 - grpc's
        if not self.refused:
            self.refused = True
            context.abort(grpc.StatusCode.UNAVAILABLE, "later")
        self.requests.append(request)
        return ExportTraceServiceResponse() if hasattr(request, "resource_spans") else ExportMetricsServiceResponse()


@contextlib.contextmanager
def backend() -> Iterator[tuple[_Taken, int]]:
    """What takes OTLP."""
    taken, server = _Taken(), grpc.server(ThreadPoolExecutor(2))
    trace_service_pb2_grpc.add_TraceServiceServicer_to_server(taken, server)  # type: ignore[no-untyped-call]
    metrics_service_pb2_grpc.add_MetricsServiceServicer_to_server(taken, server)  # type: ignore[no-untyped-call]
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield taken, port
    server.stop(None).wait()


def shop_and_billing(db: Path, spool: Path) -> None:
    """A send, its receive and handling by another service, and the send that comes of it."""
    shop, billing = MadeProcess(spool), MadeProcess(spool)
    introduced(shop, system="kafka", service="shop")
    shop.write(
        begun(1, 1_000, channel="orders", channel_kind="topic", message_id="mail ada@example.org"),
        completed(1, 3_000, partition_id=0, log_offset=7),
    )
    introduced(billing, kind="receive", system="kafka", service="billing")
    billing.record(3, 0, 7, ["kafka-python", "3", "kafka", "process", "x"])
    billing.record(3, 0, 8, ["kafka-python", "3", "kafka", "send", "x"])
    where: dict[str, Any] = {
        "channel": "orders",
        "channel_kind": "topic",
        "partition_id": 0,
        "log_offset": 7,
        "consumer_group": "g",
    }
    billing.write(
        observed(1, 5_000, **where),
        begun(2, 6_000, 7, causes=1, receipt=1, **where),
        observed(3, 7_000, 8, outcome="raised", causes=2, channel="bills", channel_kind="topic"),
        completed(2, 9_000),
    )
    collected(db, spool, linked=True)


def exported(db: Path, port: int, *more: str) -> str:
    done = CliRunner().invoke(cli, ["export", "otlp", "--db", str(db), "--endpoint", f"http://127.0.0.1:{port}", *more])
    assert done.exit_code == 0, done.output
    return done.output


def test_spans_and_metrics(tmp_path: Path, spool: Path) -> None:
    db = tmp_path / "t.duckdb"
    shop_and_billing(db, spool)
    with backend() as (taken, port):
        assert "4 spans" in exported(db, port)
    spans: dict[tuple[str, str], Span] = {}
    for request in taken.requests:
        for each in getattr(request, "resource_spans", ()):
            service = plain(each.resource.attributes)["service.name"]
            spans |= {(service, span.name): span for span in each.scope_spans[0].spans}
    assert sorted(spans) == [
        ("billing", "process orders"),
        ("billing", "receive orders"),
        ("billing", "send bills"),
        ("shop", "send orders"),
    ]
    sent, received = spans["shop", "send orders"], spans["billing", "receive orders"]
    handled, bill = spans["billing", "process orders"], spans["billing", "send bills"]
    assert [span.kind for span in (sent, received, handled, bill)] == [4, 3, 5, 4]
    assert {span.trace_id for span in (sent, received, handled, bill)} == {sent.trace_id}
    assert [(link.span_id, plain(link.attributes)["msgtrace.certainty"]) for link in received.links] == [
        (sent.span_id, "likely")
    ]
    assert (received.parent_span_id, handled.parent_span_id, bill.parent_span_id) == (
        b"",
        received.span_id,
        handled.span_id,
    )
    assert (bill.status.code, sent.status.code) == (2, 0)
    assert handled.end_time_unix_nano - handled.start_time_unix_nano == 3_000
    said = plain(sent.attributes)
    expected = {
        "messaging.system": "kafka", "messaging.destination.name": "orders", "messaging.operation.type": "send",
        "messaging.kafka.offset": 7, "messaging.destination.partition.id": "0", "messaging.message.id": "mail [email]",
    }  # fmt: skip
    assert {name: said[name] for name in expected} == expected
    (metrics,) = [request for request in taken.requests if hasattr(request, "resource_metrics")]
    found = {
        (plain(each.resource.attributes)["service.name"], metric.name): metric
        for each in metrics.resource_metrics
        for metric in each.scope_metrics[0].metrics
    }
    assert [point.as_int for point in found["shop", "messaging.client.sent.messages"].sum.data_points] == [1]
    (duration,) = found["billing", "messaging.process.duration"].histogram.data_points
    assert (duration.count, sum(duration.bucket_counts), len(duration.bucket_counts)) == (
        1,
        1,
        len(duration.explicit_bounds) + 1,
    )


def test_there_and_back(tmp_path: Path, spool: Path) -> None:
    """A collector of ours makes the same messages of what was exported, and links them by the spans alone."""
    db = tmp_path / "t.duckdb"
    shop_and_billing(db, spool)
    for form in ("grpc", "http"):
        with taking(tmp_path / f"{form}.duckdb", spool) as to:
            exported(
                db, to.grpc if form == "grpc" else to.http, "--protocol", "grpc" if form == "grpc" else "http/protobuf"
            )
        assert rows(to.db, MESSAGES) == [
            row | ({"message_id": "mail [email]"} if row["message_id"] else {}) for row in rows(db, MESSAGES)
        ]
        question = "select s.service as a, r.service as b from links as l join operations as s on s.operation_id = send_id join operations as r on r.operation_id = receive_id"
        assert rows(to.db, question) == [{"a": "shop", "b": "billing"}]


def test_what_can_not_be_reached(tmp_path: Path, spool: Path) -> None:
    db = tmp_path / "t.duckdb"
    shop_and_billing(db, spool)
    for endpoint in ("http://", "ftp://h:1", "http://user:pw@h:1"):
        done = CliRunner().invoke(cli, ["export", "otlp", "--db", str(db), "--endpoint", endpoint])
        assert (done.exit_code, len(done.output.splitlines())) == (1, 1), done.output
        assert "pw" not in done.output
