"""RabbitMQ and Kafka killed and started again in mid-stream: programs go on as they do without us, and all is recorded."""

from __future__ import annotations

from typing import Any

import pytest

from integration.restarting import through_restarts


def error_name(operation: Any) -> str:
    return str(operation.error_type).rpartition(".")[2]


@pytest.mark.rabbitmq
def test_rabbitmq_restarted_in_mid_stream() -> None:
    through_rabbitmq_restarts((0.5,))


@pytest.mark.soak
@pytest.mark.rabbitmq
def test_rabbitmq_restarted_five_times() -> None:
    through_rabbitmq_restarts((0, 0.2, 1, 3, 0))


def through_rabbitmq_restarts(down_s: tuple[float, ...]) -> None:
    recorded, plain, recording = through_restarts("rabbitmq", "amqp_restart", down_s)
    for account in (recorded, plain):
        confirmed = {n for n, outcome in enumerate(account["outcomes"]) if outcome == "ok"}
        assert confirmed <= {number for number, _ in account["received"]}
    # What aio-pika refuses while its channel is closed is never sent (docs/hooks/aio_pika.md).
    sends = recording.of("send")
    ended = {int(each["body"]): "ok" if each.outcome == "ack" else error_name(each) for each in sends}
    assert len(ended) == len(sends)
    sent = {n: outcome for n, outcome in enumerate(recorded["outcomes"]) if outcome != "ChannelInvalidStateError"}
    assert {n: outcome for n, outcome in ended.items() if outcome != "ChannelInvalidStateError"} == sent
    receives = recording.of("receive")
    assert [[int(each["body"]), bool(each["redelivered"])] for each in receives] == recorded["received"]
    assert recording.losses == []
    opened = [each for each in recording.of("connect") if each.outcome == "ok"]
    print(
        f"rabbitmq: {len(sends)} sends, {sum(each.outcome != 'ack' for each in sends)} not confirmed, {len(receives)} receives, "
        f"{sum(bool(each['redelivered']) for each in receives)} again, {len(opened)} connections"
    )


@pytest.mark.kafka
def test_kafka_restarted_in_mid_stream() -> None:
    through_kafka_restarts((0,))


@pytest.mark.soak
@pytest.mark.kafka
def test_kafka_restarted_three_times() -> None:
    through_kafka_restarts((0, 5, 0))


def through_kafka_restarts(down_s: tuple[float, ...]) -> None:
    recorded, plain, recording = through_restarts("kafka", "kafka_restart", down_s)
    for account in (recorded, plain):
        acknowledged = {(n, offset) for n, offset in enumerate(account["outcomes"]) if isinstance(offset, int)}
        assert acknowledged <= {(number, offset) for number, offset in account["received"]}
    sends = recording.of("send")
    assert [int(each["body"]) for each in sends] == list(range(len(recorded["outcomes"])))
    assert [each["log_offset"] if each.outcome == "ok" else error_name(each) for each in sends] == recorded["outcomes"]
    receives = recording.of("receive")
    assert [[int(each["body"]), each["log_offset"]] for each in receives] == recorded["received"]
    assert recording.losses == []
    print(f"kafka: {len(sends)} sends, {sum(each.outcome != 'ok' for each in sends)} not ok, {len(receives)} receives")
