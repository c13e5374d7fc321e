"""The pytest plugin on a suite with real brokers: without it and with it the same comes out, and tests find their own messages."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

from integration.traced import clean_environment
from msgtrace_collectors.trace import open_trace

if TYPE_CHECKING:
    from integration.brokers import Kafka, Rabbitmq, Redis

pytestmark = [pytest.mark.rabbitmq, pytest.mark.redis, pytest.mark.kafka]
SUITE = Path(__file__).parent / "programs" / "suites" / "shop"


class Suite:
    """The suite, ready to run.

    Args:
        folder: what it writes goes there.
        brokers: variables that say where they are.
    """

    def __init__(self, folder: Path, brokers: dict[str, str]) -> None:
        self.folder = folder
        self._variables = {**clean_environment(), **brokers}
        self.db = folder / "trace.duckdb"

    def run(self, file: str, *options: str) -> tuple[dict[str, str], subprocess.CompletedProcess[str]]:
        """How each test ended."""
        report = self.folder / "junit.xml"
        command = [
            sys.executable,
            "-m",
            "pytest",
            file,
            "-q",
            "-p",
            "no:cacheprovider",
            f"--junit-xml={report}",
            *options,
        ]
        done = subprocess.run(
            command, cwd=SUITE, env=self._variables, check=False, capture_output=True, text=True, timeout=240
        )
        assert report.exists(), done.stdout + done.stderr
        cases = ET.parse(report).getroot().iter("testcase")
        return {case.attrib["name"]: next((each.tag for each in case), "passed") for case in cases}, done


@pytest.fixture
def suite(tmp_path: Path, rabbitmq: Rabbitmq, redis_server: Redis, kafka: Kafka) -> Suite:
    brokers = {"SHOP_RABBITMQ": rabbitmq.url, "SHOP_REDIS": redis_server.url, "SHOP_KAFKA": kafka.bootstrap}
    return Suite(tmp_path, brokers)


def test_the_same_comes_out_with_the_plugin_and_without(suite: Suite) -> None:
    plain, ended = suite.run("orders.py")
    assert ended.returncode == 0, ended.stdout
    traced, ended = suite.run("orders.py", "--msgtrace", f"--msgtrace-db={suite.db}")
    assert ended.returncode == 0, ended.stdout
    assert traced == plain
    assert sorted(plain.values()) == ["passed"] * 6 + ["skipped"] * 2
    with open_trace(suite.db) as trace:
        sends = trace.query(
            "select o.body_json ->> '$.type' as type, count(*) as sends, count(t.test_id) as known, "
            "count(distinct t.test_id) as tests from operations as o left join test_operations as t using (operation_id) "
            "where o.kind = 'send' and o.system <> 'in_process' group by all order by all"
        ).to_pylist()
        losses = trace.query("select reason, detail from losses").to_pylist()
    # 4 + 1 + 20 + 2 orders of seven tests; the one over the limit is refused.
    assert sends == [
        {"type": "customer.notified", "sends": 26, "known": 26, "tests": 7},
        {"type": "order.created", "sends": 27, "known": 27, "tests": 7},
        {"type": "order.paid", "sends": 26, "known": 26, "tests": 7},
        {"type": "order.refused", "sends": 1, "known": 1, "tests": 1},
    ]
    assert losses == []


def test_each_test_finds_its_own_messages(suite: Suite) -> None:
    """Two workers of pytest-xdist beside each other, coroutines, a service that a fixture starts."""
    outcomes, ended = suite.run("messages_of_orders.py", "-n", "2", "--msgtrace", f"--msgtrace-db={suite.db}")
    assert ended.returncode == 0, ended.stdout
    assert list(outcomes.values()) == ["passed"] * 6
    with open_trace(suite.db) as trace:
        processes = trace.query("select service, count(*) as many from processes group by all order by all").to_pylist()
        methods = trace.query("select distinct method, certainty from test_operations order by all").to_pylist()
    assert processes == [{"service": "billing", "many": 2}, {"service": "tests", "many": 3}], processes
    assert {(row["method"], row["certainty"]) for row in methods} >= {("running", "exact"), ("chain", "exact")}
