"""The hook itself: what a program can see of the methods that it replaces, that they come back, and what it adds to."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integration.brokers import Kafka
from integration.kafka_programs import INTERPRETERS, Programs, encoded, said
from integration.recorded import read, record
from msgtrace.hooks.kafka import injected
from msgtrace.hooks.kafka_clients import DEFAULT_PORT, addresses, described, split

MODULES = ("kafka", "kafka.admin")
SINCE_3 = ("kafka.admin._", "kafka.net.")
FIELDS = {"traceparent": "00-1-2-01", "baggage": "a=b"}
ADDED = [("traceparent", b"00-1-2-01"), ("baggage", b"a=b")]
HEADERS = st.lists(st.tuples(st.sampled_from(["a", "b", "trace"]), st.binary(max_size=4)), max_size=4)
NAMES = st.from_regex(r"[a-z][a-z0-9.-]{0,20}", fullmatch=True)


@pytest.fixture(params=INTERPRETERS)
def python(request: pytest.FixtureRequest) -> str:
    """An interpreter with some kafka-python."""
    return str(request.param)


def test_methods_look_as_before_and_are_put_back(python: str) -> None:
    ended = record(["-W", "ignore", str(Path(__file__).parent / "restored.py"), *MODULES], python=python)
    assert (ended.exit_code, ended.stderr) == (0, "")
    assert ended.losses == []
    # kafka-python 2.3 has no such modules to wait for.
    points = [each for each in ended.said if each["status"] != "waiting" or not each["target"].startswith(SINCE_3)]
    assert [each for each in points if each["status"] not in {"wrapped", "off"}] == []
    wrapped = [each for each in ended.said if each["status"] == "wrapped"]
    assert len(wrapped) >= 30
    assert [each["target"] for each in wrapped if not each["alike"] or not each["restored"]] == []
    # Every target is wrapped, in this version under one of its names.
    methods = {each["target"].rpartition(".")[2].removesuffix("_async") for each in ended.said}
    since_3 = {"split_and_reenqueue", "_commit_offsets_sync", "_on_close_prepare", "run_forever", "update_backoff"}
    assert methods - {each["target"].rpartition(".")[2].removesuffix("_async") for each in wrapped} <= since_3


def producer(version: Any = (2, 6)) -> Any:
    return SimpleNamespace(config={"api_version": version})


@given(HEADERS | st.none(), st.booleans())
def test_headers_are_added_to_a_copy(headers: list[tuple[str, bytes]] | None, named: bool) -> None:
    own = None if headers is None else list(headers)
    given_args: tuple[Any, ...] = (producer(), "topic", b"value", None)
    given_kwargs: dict[str, Any] = {"headers": headers, "partition": 1} if named else {}
    if not named:
        given_args = (*given_args, headers, 1)
    args, kwargs = injected(FIELDS, given_args, given_kwargs)
    assert (kwargs["headers"] if named else args[4]) == [*(headers or []), *ADDED]
    assert (kwargs["partition"] if named else args[5]) == 1
    assert args[:4] == given_args[:4]
    assert headers == own


def test_headers_are_added_where_none_were_given() -> None:
    args = (producer(), "topic", b"value")
    assert injected(FIELDS, args, {}) == (args, {"headers": ADDED})


@pytest.mark.parametrize(
    ("version", "headers"),
    [
        ((0, 10, 2), None),  # whose records have no headers: the broker would refuse them
        ((0, 9), []),
        (None, None),
        ("2.6", None),
        ((2, 6), [("traceparent", b"the program's own")]),
        ((2, 6), [("TraceParent", b"the program's own")]),
        ((2, 6), (("a", b"1"),)),  # which kafka-python refuses, and not for our sake
        ((2, 6), [["a", b"1"]]),
        ((2, 6), [()]),
        ((2, 6), "text"),
    ],
)
def test_headers_are_left_alone(version: Any, headers: Any) -> None:
    args, kwargs = (producer(version), "topic", b"value"), {"headers": headers}
    changed = injected(FIELDS, args, kwargs)
    assert changed[0] is args
    assert changed[1] is kwargs


def test_a_connection_tells_no_secret() -> None:
    own = {
        "bootstrap_servers": ["one:9093", "two:9093"],
        "client_id": "shop",
        "security_protocol": "SASL_SSL",
        "sasl_mechanism": "PLAIN",
        "sasl_plain_username": "alice",
        "sasl_plain_password": "hunter2",
        "ssl_password": "hunter3",
    }
    client = SimpleNamespace(config=own, cluster=SimpleNamespace(cluster_id="c1"))
    facts = described(client, {**own, "acks": -1, "retries": float("inf"), "group_id": None})
    assert facts == {
        "bootstrap_servers": ["one:9093", "two:9093"],
        "server_address": "one",
        "server_port": 9093,
        "client_id": "shop",
        "security_protocol": "SASL_SSL",
        "tls": True,
        "sasl_mechanism": "PLAIN",
        "user": "alice",
        "cluster_id": "c1",
        "acks": -1,
    }


@given(NAMES | st.ip_addresses(v=4).map(str), st.integers(1, 65_535))
def test_an_address_is_a_host_and_a_port(host: str, port: int) -> None:
    assert split(f"{host}:{port}") == (host, port)
    assert split(host) == (host, DEFAULT_PORT)


@given(st.ip_addresses(v=6).map(str), st.integers(1, 65_535))
def test_an_address_of_six_is_in_brackets(host: str, port: int) -> None:
    assert split(f"[{host}]:{port}") == (host, port)
    assert split(host) == split(f"[{host}]") == (host, DEFAULT_PORT)


@given(st.lists(NAMES, min_size=1, max_size=4))
def test_addresses_are_text_or_a_list(hosts: list[str]) -> None:
    assert addresses(",".join(hosts)) == addresses(hosts) == addresses(tuple(hosts)) == hosts
    assert addresses(None) == addresses(object()) == []


@pytest.mark.kafka
def test_an_open_batch_and_an_iteration_are_taken_up_and_left(
    python: str, kafka: Kafka, unique: Callable[[str], str], tmp_path: Path
) -> None:
    with Programs(python, kafka, unique) as programs:
        ended = programs.run("attached", programs.topic(2), str(tmp_path), traced=False)
    recording = read(tmp_path)
    assert recording.losses == []
    told = said(ended, "send")
    # The first record of the batch was not seen; the last was not seen to be acknowledged.
    assert [(encoded(each["body"]), each["log_offset"], each.outcome) for each in recording.of("send")] == [
        (told[0]["value"], told[0]["offset"], "ok"),
        (told[1]["value"], None, "unknown"),
    ]
    assert [each["offset"] for each in told[:1]] == [1]
    (received,) = recording.of("receive")
    (entry,) = said(ended, "receive")
    # Its bytes were gone before: what it was made into is not what came over the wire.
    assert (received["log_offset"], received["body_size"]) == (entry["offset"], entry["size"])
    assert "body" not in received.message
    assert [each.causes for each in recording.of("send")] == [(received.sequence,)] * 2
