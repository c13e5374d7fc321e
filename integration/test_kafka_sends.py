"""kafka-python's sends: what is recorded is what the programs say, and what the broker acknowledged."""

import json
import signal
import sys
from collections.abc import Callable, Iterator

import pytest

from integration.brokers import Kafka
from integration.kafka_programs import INTERPRETERS, Programs, cut, encoded, record_of, said

pytestmark = pytest.mark.kafka


@pytest.fixture(params=INTERPRETERS)
def programs(request: pytest.FixtureRequest, kafka: Kafka, unique: Callable[[str], str]) -> Iterator[Programs]:
    """Runs programs with some kafka-python."""
    with Programs(str(request.param), kafka, unique) as programs:
        yield programs


@pytest.mark.parametrize(
    "settings", ['{"linger_ms": 20, "batch_size": 2000}', '{"acks": 1, "compression_type": "gzip"}']
)
@pytest.mark.parametrize("time", ["CreateTime", "LogAppendTime"])
def test_sends_are_recorded_as_they_went_over_the_wire_and_were_acknowledged(
    programs: Programs, settings: str, time: str
) -> None:
    recording = programs.run("sends", programs.topic(3, message_timestamp_type=time), settings)
    sent = recording.of("send")
    assert [record_of(each) for each in sent] == [cut(each) for each in said(recording, "send")]
    assert {each.outcome for each in sent} == {"ok"}
    assert {each["body_size"] for each in sent if each["body_size"]} == {70_000}
    assert len({each.site for each in sent}) == 2
    assert ("broker_time_ms" in sent[0].message) == (time == "LogAppendTime")
    assert all("producer_time_ms" in each.message for each in sent)


def test_a_connection_says_who_speaks_to_whom(programs: Programs, kafka: Kafka) -> None:
    (connection,) = {
        json.dumps(each["connection"], sort_keys=True)
        for each in programs.run("unanswered", programs.topic(), "acks").of("send")
    }
    facts = json.loads(connection)
    assert facts["server_address"], facts["server_port"] == (kafka.host, kafka.port)
    assert facts["cluster_id"]
    assert (facts["security_protocol"], facts["tls"], facts["acks"]) == ("PLAINTEXT", False, 0)


def test_what_is_refused_has_raised(programs: Programs) -> None:
    recording = programs.run("refusals", programs.topic(), programs.topic(max_message_bytes="1000"))
    account = said(recording, "sent", "refused", "failed")
    sent = recording.of("send")
    assert len(sent) == len(account)
    for each, entry in zip(sent, account, strict=True):
        assert each["channel"] == entry["topic"]
        assert each["log_offset"] == entry.get("offset")
        assert each.outcome == ("ok" if entry["did"] == "sent" else "raised")
        assert (each.error_type or "").rpartition(".")[2] == entry.get("error", "")
        if entry["did"] != "refused":
            assert encoded(each["body"]) == entry["value"]
    assert sent[1]["data"] == 1
    assert "body" not in sent[1].message


def test_sends_without_an_answer_stay_unknown(programs: Programs) -> None:
    recording = programs.run("unanswered", programs.topic(), "acks")
    sent = recording.of("send")
    assert [record_of(each)["value"] for each in sent] == [each["value"] for each in said(recording, "send")]
    assert {(each.outcome, each["log_offset"]) for each in sent} == {("unknown", None)}


def test_sends_of_a_killed_program_are_there(programs: Programs) -> None:
    recording = programs.run("unanswered", programs.topic(), "killed", exit_code=-signal.SIGKILL)
    sent = recording.of("send")
    assert [record_of(each)["value"] for each in sent] == [each["value"] for each in said(recording, "send")]
    assert {(each.outcome, each["log_offset"]) for each in sent} == {("unknown", None)}


def test_split_batches_keep_their_records(kafka: Kafka, unique: Callable[[str], str]) -> None:
    """Since kafka-python 3.0; before it, such a batch fails."""
    with Programs(sys.executable, kafka, unique) as programs:
        recording = programs.run("splits", programs.topic(max_message_bytes="2000"))
    sent = recording.of("send")
    entries = [{k: v for k, v in each.items() if k not in {"timestamp", "key"}} for each in map(record_of, sent)]
    assert entries == said(recording, "sent")
    assert {each.outcome for each in sent} == {"ok"}
    assert [each["log_offset"] for each in sent] == list(range(20))
