"""PromQL over what brokers' standard exporters measure. Pure.

Names of metrics and of labels are those of the exporters' sources:
rabbitmq_prometheus, `/metrics/detailed` (deps/rabbitmq_prometheus/src/collectors/prometheus_rabbitmq_core_metrics_collector.erl,
https://www.rabbitmq.com/docs/prometheus#detailed-endpoint); kafka_exporter (https://github.com/danielqsj/kafka_exporter,
kafka_exporter.go); redis_exporter (https://github.com/oliver006/redis_exporter, exporter/exporter.go and streams.go);
OpenTelemetry (https://opentelemetry.io/docs/specs/semconv/messaging/messaging-metrics/, and how their names become
Prometheus': dots are underscores, the unit and `_total` go to the end).
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Final

RATE_S: Final = 300
"""That rates are taken over."""

RABBITMQ: Final = "rabbitmq_prometheus, with family={} in the address /metrics/detailed"
KAFKA: Final = "kafka_exporter"
STREAMS: Final = "redis_exporter, with the stream among its --check-streams"
KEYS: Final = "redis_exporter, with the list among its --check-keys"
OPENTELEMETRY: Final = "OpenTelemetry's messaging metrics, which an instrumentation of the program has to write"

READY: Final = ("rabbitmq_detailed_queue_messages_ready", RABBITMQ.format("queue_coarse_metrics"))
ALL: Final = ("rabbitmq_detailed_queue_messages", RABBITMQ.format("queue_coarse_metrics"))
QUEUED: Final = ("rabbitmq_detailed_queue_messages_published_total", RABBITMQ.format("channel_queue_exchange_metrics"))
PUBLISHED: Final = ("rabbitmq_detailed_channel_messages_published_total", RABBITMQ.format("channel_exchange_metrics"))
LAG: Final = ("kafka_consumergroup_lag", KAFKA)
OFFSET: Final = ("kafka_topic_partition_current_offset", KAFKA)
STREAM_LAG: Final = ("redis_stream_group_lag", STREAMS)
STREAM_PENDING: Final = ("redis_stream_group_messages_pending", STREAMS)
STREAM_ADDED: Final = ("redis_stream_entries_added_total", STREAMS)
LIST: Final = ("redis_key_size", KEYS)
SENT: Final = ("messaging_client_sent_messages_total", OPENTELEMETRY)
HANDLED: Final = ("messaging_process_duration_seconds_count", OPENTELEMETRY)
HANDLING: Final = ("messaging_process_duration_seconds_bucket", OPENTELEMETRY)


@dataclass(frozen=True, slots=True)
class Spot:
    """What a query is about.

    Attributes:
        channel: a template, with names in braces, where `many` channels are meant.
        group: the consumer group; '' without one.
        virtual_host: of RabbitMQ; '' where it is not known.
    """

    system: str
    kind: str
    channel: str
    group: str = ""
    virtual_host: str = ""
    many: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """PromQL, and the metrics in it with what they come from."""

    promql: str
    metrics: tuple[tuple[str, str], ...]


def waiting(spot: Spot) -> Query | None:
    """How many messages wait; None where nothing standard measures it."""
    match spot:
        case Spot(system="rabbitmq", kind="queue"):
            return _of(READY, "sum({})", _queue(spot))
        case Spot(system="kafka", kind="topic", group=group) if group:
            return _of(LAG, "sum({})", _labels(spot, "topic", consumergroup=group))
        case Spot(system="redis", kind="stream", group=group) if group:
            return _of(STREAM_LAG, "sum({})", _labels(spot, "stream", group=group))
        case Spot(system="redis", kind="list"):
            return _of(LIST, "sum({})", _labels(spot, "key"))
    return None


def waiting_s(spot: Spot) -> Query | None:
    """How long the first of those that wait has waited: as long as it took so many to come (Little's law)."""
    match spot:
        case Spot(system="rabbitmq", kind="queue"):
            come = _of(QUEUED, f"sum(rate({{}}[{span(RATE_S)}]))", _queue(spot, "queue_vhost"))
        case Spot(system="kafka", kind="topic"):
            come = _of(OFFSET, f"sum(rate({{}}[{span(RATE_S)}]))", _labels(spot, "topic"))
        case Spot(system="redis", kind="stream"):
            come = _of(STREAM_ADDED, f"sum(rate({{}}[{span(RATE_S)}]))", _labels(spot, "stream"))
        case _:
            return None
    wait = waiting(spot)
    if wait is None:
        return None
    return Query(f"{wait.promql} / {come.promql}", (*wait.metrics, *come.metrics))


def grown(spot: Spot, window_s: int) -> Query | None:
    """How many messages have come to where dead letters end, in a window."""
    match spot:
        case Spot(system="rabbitmq", kind="queue"):
            # A level, for the counter of what was published leaves out what the broker itself dead-letters.
            return _of(ALL, f"sum({{0}}) - sum(min_over_time({{0}}[{span(window_s)}]))", _queue(spot))
        case Spot(system="kafka", kind="topic"):
            return _of(OFFSET, f"sum(increase({{}}[{span(window_s)}]))", _labels(spot, "topic"))
        case Spot(system="redis", kind="stream", group=""):
            return _of(STREAM_ADDED, f"sum(increase({{}}[{span(window_s)}]))", _labels(spot, "stream"))
        case Spot(system="redis", kind="stream", group=group):
            return _of(
                STREAM_PENDING, f"sum(min_over_time({{}}[{span(window_s)}]))", _labels(spot, "stream", group=group)
            )
        case Spot(system="redis", kind="list"):
            return _of(LIST, f"sum({{0}}) - sum(min_over_time({{0}}[{span(window_s)}]))", _labels(spot, "key"))
    return None


def sent(spot: Spot, window_s: int) -> Query | None:
    """How many messages were sent to a channel in a window."""
    increase = f"sum(increase({{}}[{span(window_s)}]))"
    match spot:
        case Spot(system="rabbitmq", kind="exchange"):
            return _of(PUBLISHED, increase, _labels(spot, "exchange", vhost=spot.virtual_host))
        case Spot(system="rabbitmq", kind="queue"):
            # What is sent to a queue goes through the default exchange; other exchanges may lead there, too.
            return _of(QUEUED, increase, f'{_queue(spot, "queue_vhost")},exchange=""')
        case Spot(system="kafka", kind="topic"):
            return _of(OFFSET, increase, _labels(spot, "topic"))
        case Spot(system="redis", kind="stream"):
            return _of(STREAM_ADDED, increase, _labels(spot, "stream"))
        case Spot(system="redis"):
            return _of(SENT, increase, _labels(spot, "messaging_destination_name", messaging_system="redis"))
    return None


def failing(spot: Spot, window_s: int) -> Query | None:
    """The share of messages whose handling failed."""
    labels = _handled(spot)
    if labels is None:
        return None
    name, _ = HANDLED
    window = span(window_s)
    return Query(
        f'sum(rate({name}{{{labels},error_type!=""}}[{window}])) / sum(rate({name}{{{labels}}}[{window}]))',
        (HANDLED,),
    )


def handling_s(spot: Spot, window_s: int) -> Query | None:
    """The time that 95 of 100 messages are handled within."""
    labels = _handled(spot)
    if labels is None:
        return None
    return _of(HANDLING, f"histogram_quantile(0.95, sum by (le) (rate({{}}[{span(window_s)}])))", labels)


def _handled(spot: Spot) -> str | None:
    if spot.system == "rabbitmq" and spot.kind == "queue":
        # On the consumer's side it is `exchange:routing key:queue`, without what is empty (semconv, docs/messaging/rabbitmq.md).
        return f'messaging_system="rabbitmq",messaging_destination_name=~{quoted(f"(.+:)?{_pattern(spot)}")}'
    if spot.system in {"kafka", "redis"}:
        return _labels(
            spot,
            "messaging_destination_name",
            messaging_system=spot.system,
            messaging_consumer_group_name=spot.group,
        )
    return None


def _of(metric: tuple[str, str], promql: str, labels: str) -> Query:
    return Query(promql.format(f"{metric[0]}{{{labels}}}"), (metric,))


def _queue(spot: Spot, host: str = "vhost") -> str:
    return _labels(spot, "queue", **{host: spot.virtual_host})


def _labels(spot: Spot, label: str, **others: str) -> str:
    """Matchers of the channel, and of others that are known."""
    own = f"{label}=~{quoted(_pattern(spot))}" if spot.many else f"{label}={quoted(spot.channel)}"
    return ",".join([*(f"{name}={quoted(value)}" for name, value in others.items() if value), own])


def _pattern(spot: Spot) -> str:
    """An RE2 expression that channels fit."""
    parts = re.split(r"\{[^{}]*\}", spot.channel) if spot.many else [spot.channel]
    return ".+".join(re.escape(part) for part in parts)


def quoted(text: str) -> str:
    r"""A string of PromQL, whose escapes JSON's are.

    >>> quoted('a"b')
    '"a\\"b"'
    """
    return json.dumps(text, ensure_ascii=False)


def span(seconds: int) -> str:
    """A length of time as Prometheus writes it.

    >>> span(300), span(90), span(7200)
    ('5m', '90s', '2h')
    """
    for unit, length in (("h", 3600), ("m", 60)):
        if seconds and seconds % length == 0:
            return f"{seconds // length}{unit}"
    return f"{seconds}s"
