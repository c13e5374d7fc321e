"""kafka-python's receives: once each, with the bytes that came, and the cause of what a program sends because of them."""

from collections.abc import Callable, Iterator

import pytest

from integration.brokers import Kafka
from integration.kafka_programs import INTERPRETERS, Programs, accounted, encoded, receives, said
from msgtrace.records import CAUSE_BATCH, CAUSE_LIVE

pytestmark = pytest.mark.kafka


@pytest.fixture(params=INTERPRETERS)
def programs(request: pytest.FixtureRequest, kafka: Kafka, unique: Callable[[str], str]) -> Iterator[Programs]:
    """Runs programs with some kafka-python."""
    with Programs(str(request.param), kafka, unique) as programs:
        yield programs


@pytest.mark.parametrize("how", ["iterate", "poll"])
def test_a_record_is_received_once_with_the_bytes_that_came(programs: Programs, how: str) -> None:
    recording = programs.run("relays", programs.topic(3), programs.topic(), programs.unique("group"), how)
    assert receives(recording) == accounted(recording)
    received = recording.of("receive")
    assert len(received) == 12
    (group,) = {(each["consumer_group"], each["group_member"], each["group_generation"]) for each in received}
    assert group[0].startswith("group-")
    assert group[1]
    assert group[2] > 0
    assert {each["settings"]["leader_epoch"] for each in received} == {0}
    (facts,) = {
        (each["connection"]["enable_auto_commit"], each["connection"]["auto_offset_reset"]) for each in received
    }
    assert facts == (False, "earliest")


def test_what_an_iterating_program_sends_has_its_record_as_cause(programs: Programs) -> None:
    results = programs.topic()
    recording = programs.run("relays", programs.topic(3), results, programs.unique("group"), "iterate")
    bodies = {each.sequence: each["body"].decode().upper() for each in recording.of("receive")}
    relayed = recording.of("send", channel=results)
    assert len(relayed) == 12
    for each in relayed:
        assert [bodies[cause] for cause in each.causes] == [each["body"].decode().removeprefix("after ")]
        assert each.cause_state == CAUSE_LIVE


def test_what_a_batch_causes_has_its_records_as_candidates(programs: Programs) -> None:
    results = programs.topic()
    recording = programs.run("relays", programs.topic(3), results, programs.unique("group"), "poll")
    received = {each.sequence: each for each in recording.of("receive")}
    relayed = recording.of("send", channel=results)
    batches = [each for each in relayed if each["body"].startswith(b"after a batch")]
    singles = [each for each in relayed if each["body"].startswith(b"after BODY")]
    assert batches
    for each in batches:
        assert len(each.causes) == int(each["body"].split()[-1])
        assert each.cause_state == CAUSE_BATCH
        assert len({received[cause]["batch_id"] for cause in each.causes}) == 1
    assert len(singles) == 3
    for each in singles:
        (cause,) = each.causes
        assert received[cause]["body"].decode().upper() == each["body"].decode().removeprefix("after ")
        assert (each.cause_state, received[cause]["batch_id"]) == (CAUSE_LIVE, None)
    assert relayed[-1]["body"] == b"after nothing"
    assert relayed[-1].causes == ()


def test_what_a_callback_sends_has_no_cause(programs: Programs) -> None:
    """Although the producer's thread was started while a record was being handled."""
    topic, results = programs.topic(), programs.topic()
    programs.filled(topic, b"0", b"1", b"2")
    recording = programs.run("callbacks", topic, results)
    received = {each["body"]: each.sequence for each in recording.of("receive")}
    sent = recording.of("send", channel=results)
    assert {each["body"]: each.causes for each in sent if each["body"].startswith(b"after")} == {
        b"after " + body: (sequence,) for body, sequence in received.items()
    }
    heard = [each for each in sent if each["body"].startswith(b"heard")]
    assert [each.causes for each in heard] == [()] * 3
    assert len({each.thread for each in heard}) == 1
    assert heard[0].thread != "MainThread"


def test_positions_are_recorded_as_they_were_chosen(programs: Programs) -> None:
    name = programs.topic(2)
    for partition in (0, 1):
        programs.filled(name, *(b"%d" % number for number in range(5)), partition=partition)
    recording = programs.run("positions", name)
    assert receives(recording) == accounted(recording)
    told = [each for each in recording.said if each["did"] != "receive"]
    seen = [each for each in recording.operations if each.kind in {"call", "subscribe"}]
    assert [each["settings"]["action"] for each in seen] == [
        "seek" if each["did"] == "refused" else each["did"] for each in told
    ]
    for each, entry in zip(seen, told, strict=True):
        assert each["channel"] == entry.get("topic")
        assert each["partition_id"] == entry.get("partition")
        assert each["log_offset"] == entry.get("offset", 0 if "error" in entry else None)
        assert (each.error_type or "") == entry.get("error", "")
        assert each["settings"].get("partitions") == entry.get("partitions")


@pytest.mark.parametrize("how", ["iterate", "poll"])
def test_a_record_that_cannot_be_read_is_received_with_an_error(programs: Programs, how: str) -> None:
    name = programs.topic()
    programs.filled(name, b"1", b"{poison", b"3", b"4", b"{again", b"6")
    recording = programs.run("poison", name, how)
    assert [encoded(each["body"]) for each in recording.of("receive")] == [
        each["value"] for each in said(recording, "receive", "poisoned")
    ]
    poisoned = [each for each in recording.of("receive") if each.outcome == "raised"]
    assert [(each["settings"]["offset_from"], each.error_type) for each in poisoned] == [
        (1, "json.decoder.JSONDecodeError"),
        (4, "json.decoder.JSONDecodeError"),
    ]
    assert len(said(recording, "poisoned")) == 2


def test_propagation_adds_a_header_that_names_the_send(programs: Programs) -> None:
    recording = programs.run(
        "relays", programs.topic(3), programs.topic(), programs.unique("group"), "iterate", propagate=True
    )
    assert receives(recording) == accounted(recording)
    sent = {(each["channel"], each["partition_id"], each["log_offset"]): each for each in recording.of("send")}
    for each in recording.of("receive"):
        send = sent[each["channel"], each["partition_id"], each["log_offset"]]
        (own, (name, value)) = each["headers"]
        assert own == ["from", b"here"]
        assert name == "traceparent"
        assert value.decode().split("-")[1:3] == [send["trace_id"], send["span_id"]]
        assert send["headers"] == each["headers"]
    assert len({each["span_id"] for each in sent.values()}) == len(sent) == 24
