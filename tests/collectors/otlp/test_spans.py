"""Spans that the SDK's exporters send become operations, linked across services, with what follows from what inside them."""

from __future__ import annotations

import http.client
import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span, Status
from opentelemetry.trace import Link, SpanKind, StatusCode

from msgtrace_analysis.renderers.otlp_spans import attributes
from tests.collectors.conftest import collected, rows
from tests.collectors.made_segments import MadeProcess, introduced, observed
from tests.collectors.otlp.taking import taking

if TYPE_CHECKING:
    from pathlib import Path

KAFKA: dict[str, Any] = {
    "messaging.system": "kafka",
    "messaging.destination.name": "orders",
    "server.address": "broker",
    "server.port": 9092,
}
SEND: dict[str, Any] = KAFKA | {
    "messaging.operation.type": "send",
    "messaging.kafka.offset": 7,
    "messaging.destination.partition.id": "3",
}
PROCESS: dict[str, Any] = KAFKA | {"messaging.operation.type": "process", "messaging.consumer.group.name": "g"}
OPERATIONS = """
    select service, host, kind, system, channel, channel_kind, partition_id, log_offset, server, consumer_group, outcome, error_type
    from operations order by service, kind
"""
LINKS = """
    select s.service as sender, r.service as receiver, l.method, l.certainty
    from links as l join operations as s on s.operation_id = send_id join operations as r on r.operation_id = receive_id
"""
CAUSES = """
    select c.kind as cause, e.kind as effect, e.channel, x.method, x.certainty
    from causes as x join operations as c on c.operation_id = cause_id join operations as e on e.operation_id = effect_id
    order by all
"""


@pytest.mark.parametrize("form", ["grpc", "http"])
def test_two_services(tmp_path: Path, spool: Path, form: str) -> None:
    with taking(tmp_path / "t.duckdb", spool) as to:
        with to.service("shop", form) as shop:
            tracer = shop.get_tracer("kafka-clients", "4.1")
            with (
                tracer.start_as_current_span(
                    "POST /orders",
                    kind=SpanKind.SERVER,
                    attributes={"http.request.method": "POST", "http.route": "/orders"},
                ),
                tracer.start_as_current_span("business"),
            ):
                with tracer.start_as_current_span("send orders", kind=SpanKind.PRODUCER, attributes=SEND) as sent:
                    pass
        with to.service("billing", form) as billing:
            tracer = billing.get_tracer("kafka-clients", "4.1")
            with (
                tracer.start_as_current_span(
                    "process orders", kind=SpanKind.CONSUMER, attributes=PROCESS, links=[Link(sent.get_span_context())]
                ),
                tracer.start_as_current_span("business"),
                tracer.start_as_current_span("deeper"),
                tracer.start_as_current_span(
                    "send bills",
                    kind=SpanKind.PRODUCER,
                    attributes=SEND | {"messaging.destination.name": "bills"},
                ) as failed,
            ):
                failed.set_attribute("error.type", "TimeoutError")
                failed.set_status(StatusCode.ERROR, "took too long, password=hunter2hunter2")
    nothing = dict.fromkeys(("partition_id", "log_offset", "consumer_group", "error_type"))
    kafka = {"system": "kafka", "channel_kind": "topic", "server": "broker:9092", "outcome": "ok"} | nothing
    orders = kafka | {"service": "billing", "host": "billing-host", "channel": "orders", "consumer_group": "g"}
    shop_rows = {"service": "shop", "host": "shop-host"}
    assert rows(to.db, OPERATIONS) == [
        orders | {"kind": "process"},
        orders | {"kind": "receive"},
        orders | {"kind": "send", "channel": "bills", "partition_id": 3, "log_offset": 7, "consumer_group": None,
                  "outcome": "raised", "error_type": "TimeoutError"},
        kafka | shop_rows | {"kind": "send", "channel": "orders", "partition_id": 3, "log_offset": 7},
        kafka | shop_rows | {"kind": "trigger", "system": "http", "channel": "/orders", "channel_kind": "route", "server": None},
    ]  # fmt: skip
    assert rows(to.db, LINKS) == [
        {"sender": "shop", "receiver": "billing", "method": "traceparent", "certainty": "exact"}
    ]
    assert rows(to.db, CAUSES) == [
        {"cause": "process", "effect": "send", "channel": "bills", "method": "span", "certainty": "exact"},
        {"cause": "receive", "effect": "process", "channel": "orders", "method": "context", "certainty": "exact"},
        {"cause": "trigger", "effect": "send", "channel": "orders", "method": "span", "certainty": "exact"},
    ]
    assert b"hunter2" not in to.db.read_bytes()


def test_a_python_service_and_another(tmp_path: Path, spool: Path) -> None:
    """Ours receives what another's span sent, by the header on the message; and the other way round, by our own span id."""
    db = tmp_path / "t.duckdb"
    with taking(db, spool) as to, to.service("java") as java:
        tracer = java.get_tracer("spring-rabbit")
        rabbit: dict[str, Any] = {
            "messaging.system": "rabbitmq",
            "messaging.operation": "publish",
            "messaging.destination.name": "x:a.b",
        }
        with tracer.start_as_current_span("x publish", kind=SpanKind.PRODUCER, attributes=rabbit) as sent:
            context = sent.get_span_context()
        ours: dict[str, Any] = {"trace_id": f"{context.trace_id:032x}", "span_id": f"{context.span_id:016x}"}
        process = MadeProcess(spool)
        introduced(process, kind="receive", service="python")
        process.write(
            observed(1, 10**12, channel="q", channel_kind="queue", settings={"exchange": "x"}, routing_key="a.b", **ours,
                     headers=[("traceparent", f"00-{ours['trace_id']}-{ours['span_id']}-01")]),
        )  # fmt: skip
    collected(db, spool, linked=True)
    assert rows(db, LINKS) == [{"sender": "java", "receiver": "python", "method": "traceparent", "certainty": "exact"}]
    (send,) = rows(db, "select channel, routing_key, channel_kind from operations where kind = 'send'")
    assert send == {"channel": "x", "routing_key": "a.b", "channel_kind": "exchange"}


def test_a_batch_is_a_receive_for_each_message(tmp_path: Path, spool: Path) -> None:
    with taking(tmp_path / "t.duckdb", spool) as to:
        contexts = []
        with to.service("shop") as shop:
            for _ in range(3):
                with shop.get_tracer("k").start_as_current_span(
                    "send", kind=SpanKind.PRODUCER, attributes=SEND
                ) as sent:
                    contexts.append(sent.get_span_context())
        with to.service("billing") as billing:
            receive: dict[str, Any] = KAFKA | {
                "messaging.operation.type": "receive",
                "messaging.batch.message_count": 3,
            }
            with billing.get_tracer("k").start_as_current_span(
                "poll", kind=SpanKind.CLIENT, attributes=receive, links=[Link(c) for c in contexts]
            ):
                pass
    assert len(rows(to.db, LINKS)) == 3
    assert rows(
        to.db, "select count(*) as n, count(distinct batch_id) as b from operations where kind = 'receive'"
    ) == [{"n": 3, "b": 1}]


def _post(port: int, path: str, body: bytes, **headers: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("POST", path, body, {name.replace("_", "-"): value for name, value in headers.items()})
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status


def test_json_and_what_is_no_request(tmp_path: Path, spool: Path) -> None:
    span = {
        "traceId": "5b8efff798038103d269b633813fc60c", "spanId": "eee19b7ec3c1b174", "name": "send", "kind": 4,
        "startTimeUnixNano": "1700000000000000000", "endTimeUnixNano": "1700000000000001000",
        "attributes": [{"key": "messaging.system", "value": {"stringValue": "kafka"}}, {"key": "messaging.destination.name", "value": {"stringValue": "t"}}],
    }  # fmt: skip
    text = json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}).encode()
    with taking(tmp_path / "t.duckdb", spool) as to:
        as_json = {"Content_Type": "application/json"}
        assert _post(to.http, "/v1/traces", text, **as_json) == 200
        assert _post(to.http, "/v1/traces", b"{", **as_json) == 400
        assert _post(to.http, "/v1/traces", b"\xff\xff\xff") == 400
        assert _post(to.http, "/v1/traces", b"no gzip", Content_Encoding="gzip") == 400
        assert _post(to.http, "/v1/logs", b"") == 200
        assert _post(to.http, "/../../etc/passwd", b"") == 404
    assert rows(to.db, "select trace_id, span_id, epoch_ns(observed_at) as began, duration_ns from operations") == [
        {"trace_id": span["traceId"], "span_id": span["spanId"], "began": 1_700_000_000_000_000_000, "duration_ns": 1000}
    ]  # fmt: skip


VALUES = st.text(max_size=30) | st.integers(-(2**63), 2**63 - 1) | st.booleans() | st.floats()
NAMES = st.sampled_from([
    "messaging.system", "messaging.operation.type", "messaging.operation", "messaging.destination.name",
    "messaging.kafka.offset", "messaging.message.body.size", "messaging.destination.partition.id", "server.address",
    "server.port", "http.method", "http.route", "error.type", "messaging.message.id", "messaging.rabbitmq.message.delivery_tag",
])  # fmt: skip
OPERATION = st.sampled_from(["send", "receive", "process", "settle", "publish", "other"])


@st.composite
def hostile_spans(draw: st.DrawFn) -> Span:
    ids = st.binary(max_size=20)
    said: dict[str, Any] = draw(st.dictionaries(NAMES, VALUES, max_size=6))
    if draw(st.booleans()):
        said |= {
            "messaging.operation.type": draw(OPERATION),
            "messaging.system": draw(st.sampled_from(["kafka", "rabbitmq", ""])),
        }
    return Span(
        trace_id=draw(ids), span_id=draw(ids), parent_span_id=draw(ids), name=draw(st.text(max_size=20)), kind=draw(st.sampled_from(Span.SpanKind.values())),
        start_time_unix_nano=draw(st.integers(0, 2**64 - 1)), end_time_unix_nano=draw(st.integers(0, 2**64 - 1)),
        attributes=attributes(said), status=Status(code=draw(st.sampled_from(Status.StatusCode.values())), message=draw(st.text(max_size=10))),
        links=[Span.Link(trace_id=draw(ids), span_id=draw(ids)) for _ in range(draw(st.integers(0, 3)))],
    )  # fmt: skip


def test_whatever_a_span_says(tmp_path: Path, spool: Path) -> None:
    """It is stored, or counted; and so is what comes after it."""
    named = {"messaging.system": "kafka", "messaging.destination.name": "good"}
    good = Span(name="send", kind=Span.SPAN_KIND_PRODUCER, span_id=b"12345678", attributes=attributes(named))
    with taking(tmp_path / "t.duckdb", spool) as to:

        @settings(
            max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
        )
        @given(st.lists(hostile_spans(), max_size=8))
        def any_spans(spans: list[Span]) -> None:
            resource = ResourceSpans(scope_spans=[ScopeSpans(spans=spans)])
            request = ExportTraceServiceRequest(resource_spans=[resource])
            assert _post(to.http, "/v1/traces", request.SerializeToString()) == 200

        any_spans()
        request = ExportTraceServiceRequest(resource_spans=[ResourceSpans(scope_spans=[ScopeSpans(spans=[good])])])
        assert _post(to.http, "/v1/traces", request.SerializeToString()) == 200
    assert rows(to.db, "select count(*) as n from operations where channel = 'good'") == [{"n": 1}]
