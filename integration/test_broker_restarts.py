"""RabbitMQ and Kafka killed and started again in mid-stream: the program goes on, and every call's outcome is recorded."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from integration.restarting import through_restarts

if TYPE_CHECKING:
    from integration.recorded import Operation, Recording


def ended(operation: Operation) -> str:
    """How an operation ended, as the programs say it."""
    return "ok" if operation.error_type is None else operation.error_type.rpartition(".")[2]


def rabbitmq_is_recorded(account: dict[str, list[Any]], _plain: Any, recording: Recording) -> dict[str, list[Any]]:
    """Hold what was recorded against the program's account."""
    sends = recording.of("send")
    # What aio-pika refuses was never sent (docs/hooks/aio_pika.md).
    happened = [[number, outcome] for number, outcome in enumerate(account["sent"]) if outcome != "refused"]
    assert [[int(send["body"]), ended(send)] for send in sends] == happened
    assert all(send.outcome != "unknown" for send in sends)
    assert [int(receive["body"]) for receive in recording.of("receive")] == account["received"]
    settles = recording.of("settle")
    assert [ended(settle) for settle in settles] == account["settled"]
    assert recording.losses == []
    assert recording.dropped == 0
    return account


def kafka_is_recorded(account: dict[str, list[Any]], _plain: Any, recording: Recording) -> dict[str, list[Any]]:
    """Hold what was recorded against the program's account."""
    sends = recording.of("send")
    assert [int(send["body"]) for send in sends] == list(range(len(account["sent"])))
    recorded = [send["log_offset"] if send.outcome == "ok" else ended(send) for send in sends]
    assert recorded == account["sent"]
    receives = [[receive["log_offset"], int(receive["body"])] for receive in recording.of("receive")]
    assert receives == account["received"]
    assert recording.losses == []
    assert recording.dropped == 0
    return account


@pytest.mark.rabbitmq
@pytest.mark.soak
def test_rabbitmq_restarted_in_mid_stream() -> None:
    account = rabbitmq_is_recorded(*through_restarts("rabbitmq", "rabbitmq_outage", (0.5,)))
    assert account["sent"][-1] == "ok"
    assert set(account["sent"]) - {"ok"}, "no publish failed: the broker was not missed"


@pytest.mark.soak
@pytest.mark.kafka
def test_kafka_restarted_in_mid_stream() -> None:
    account = kafka_is_recorded(*through_restarts("kafka", "kafka_outage", (0.5,)))
    errors = [outcome for outcome in account["sent"] if isinstance(outcome, str)]
    assert errors, "no record was given up: the broker was not missed"
    assert isinstance(account["sent"][0], int)
    print(f"kafka: {len(account['sent'])} sent, {len(errors)} given up, {len(account['received'])} received")


@pytest.mark.soak
@pytest.mark.rabbitmq
def test_rabbitmq_restarted_five_times() -> None:
    account = rabbitmq_is_recorded(*through_restarts("rabbitmq", "rabbitmq_outage", (1,) * 5))
    print(f"rabbitmq: {Counter(account['sent'])}, {len(account['received'])} received, {Counter(account['settled'])}")
