"""kafka-python's groups, commits, transactions and topics; and a program that must not notice being recorded."""

from collections.abc import Callable, Iterator

import pytest

from integration.brokers import Kafka
from integration.kafka_programs import INTERPRETERS, Programs, accounted, encoded, receives, said

pytestmark = pytest.mark.kafka


@pytest.fixture(params=INTERPRETERS)
def programs(request: pytest.FixtureRequest, kafka: Kafka, unique: Callable[[str], str]) -> Iterator[Programs]:
    """Runs programs with some kafka-python."""
    with Programs(str(request.param), kafka, unique) as programs:
        yield programs


@pytest.fixture
def ten(programs: Programs) -> str:
    """A topic with ten records."""
    topic = programs.topic()
    programs.filled(topic, *(b"%d" % number for number in range(10)))
    return topic


def test_commits_settle_up_to_an_offset(programs: Programs, ten: str) -> None:
    group = programs.unique("group")
    recording = programs.run("commits", ten, group, "explicit")
    commits = recording.of("settle")
    assert [(each["log_offset"], (each["settings"] or {}).get("metadata", "")) for each in commits] == [
        (each["offset"], each["metadata"]) for each in said(recording, "commit")
    ]
    for each in commits:
        assert (each["channel"], each["partition_id"], each["multiple"]) == (ten, 0, True)
        assert each["consumer_group"] == group
        assert each["group_member"]
        assert each.outcome == "commit"
        assert each.site is not None
    assert len({each.site for each in commits}) == 3
    assert programs.committed(group) == {(ten, 0): commits[-1]["log_offset"]}


def test_automatic_commits_are_seen(programs: Programs, ten: str) -> None:
    group = programs.unique("group")
    recording = programs.run("commits", ten, group, "auto")
    commits = recording.of("settle")
    assert {each.outcome for each in commits} == {"commit"}
    assert 8 in {each["log_offset"] for each in commits}
    assert said(recording, "committed") == [{"offset": 8}]
    assert commits[-1]["log_offset"] == 10
    assert programs.committed(group) == {(ten, 0): 10}
    offsets = [each["log_offset"] for each in commits]
    assert offsets == sorted(offsets)


def test_a_commit_that_fails_has_raised(programs: Programs, ten: str) -> None:
    recording = programs.run("commits", ten, programs.unique("group"), "never joined")
    (commit,) = recording.of("settle")
    (failed,) = said(recording, "commit failed")
    assert (commit["log_offset"], commit.outcome, commit.error_type) == (1, "raised", f"kafka.errors.{failed['error']}")


def test_rebalances_say_what_was_given_and_taken(programs: Programs) -> None:
    topic, group = programs.topic(2), programs.unique("group")
    recording = programs.run("groups", topic, group)
    subscriptions = [each for each in recording.of("subscribe") if each["settings"]["action"] == "subscribe"]
    assert [(each["channel"], each["consumer_group"]) for each in subscriptions] == [(topic, group)] * 2
    rebalances = [each for each in recording.of("subscribe") if each["settings"]["action"] == "rebalance"]
    told = said(recording, "assigned")
    assert [each["connection"]["client_id"] for each in rebalances] == [each["member"] for each in told]
    owned: dict[str, list[int]] = {}
    for each, entry in zip(rebalances, told, strict=True):
        member = entry["member"]
        assert each["consumer_group"] == group
        assert each["group_member"].startswith(member)
        assert each["group_generation"] > 0
        assert each.outcome == "ok"
        assert each["settings"]["assigned"].get(topic, []) == entry["partitions"]
        assert each["settings"]["owned"].get(topic, []) == owned.get(member, [])
        owned[member] = entry["partitions"]
    generations = [each["group_generation"] for each in rebalances]
    assert generations == sorted(generations)
    revoked = [each for each in recording.of("subscribe") if each["settings"]["action"] == "revoke"]
    assert [(each["connection"]["client_id"], each["settings"]["revoked"][topic]) for each in revoked] == [
        (each["member"], each["partitions"]) for each in said(recording, "revoked") if each["partitions"]
    ]
    assert revoked


def test_transactions_are_told_by_their_sends(programs: Programs) -> None:
    topic, group = programs.topic(), programs.unique("group")
    recording = programs.run("transactions", topic, group)
    writer = f"{topic}-writer"
    sent = recording.of("send")
    assert [(encoded(each["body"]), each["log_offset"]) for each in sent] == [
        (each["value"], each["offset"]) for each in said(recording, "send")
    ]
    assert {(each.outcome, each["settings"]["transactional_id"]) for each in sent} == {("ok", writer)}
    calls = [each for each in recording.of("call") if "transaction" in each["settings"]["action"]]
    assert [each["settings"]["action"] for each in calls] == [each["action"] for each in said(recording, "call")]
    assert {each["settings"]["transactional_id"] for each in calls} == {writer}
    (settled,) = recording.of("settle")
    assert (settled["log_offset"], settled["consumer_group"], settled.outcome) == (2, group, "commit")
    assert settled["settings"] == {"transactional_id": writer}
    assert receives(recording) == accounted(recording)


def test_what_is_done_to_topics_is_recorded(programs: Programs) -> None:
    recording = programs.run("topics", programs.unique("made"))
    declared = recording.of("declare")
    assert len(declared) == len(recording.said)
    for each, entry in zip(declared, recording.said, strict=True):
        assert (each["channel"], each["settings"]["action"]) == (entry["topic"], entry["did"])
        assert (each.error_type or "").rpartition(".")[2] == entry.get("error", "")
        assert each.outcome == ("raised" if "error" in entry else "ok")
        for setting in ("partitions", "replication_factor", "configs"):
            assert each["settings"].get(setting) == entry.get(setting)


def test_a_program_says_and_does_the_same(programs: Programs) -> None:
    runs = {traced: programs.run("talks", programs.topic(), traced=traced, exit_code=3) for traced in (True, False)}
    assert runs[True].stdout == runs[False].stdout
    assert runs[True].stderr == runs[False].stderr
    assert len(runs[True].of("send")) == 2
    assert len(runs[True].of("receive")) == 1
