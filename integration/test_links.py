"""Links against the truth: which send each receive really came from is known to the programs and hidden from the recorder.

Bodies are recorded up to 64 bytes; which message one is stands behind them. Three producers, competing consumers, fan-out,
redelivery, and one body in five the same as others. On in-process buses the hidden part is an object of the program's own.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from msgtrace_collectors.trace import open_trace

if TYPE_CHECKING:
    from collections.abc import Callable

PROGRAMS = Path(__file__).parent / "programs" / "links"
PRODUCERS = 3


@dataclass(slots=True)
class Verdict:
    """Links of one run, held against the truth.

    Attributes:
        right: by certainty, links to a send of the same message.
        wrong: by certainty, links to another's.
        receives: receives whose send was recorded.
        linked: those of them that have a right link.
    """

    receives: int = 0
    linked: int = 0
    right: Counter[str] = field(default_factory=Counter)
    wrong: Counter[str] = field(default_factory=Counter)

    @property
    def recall(self) -> float:
        return self.linked / self.receives

    @property
    def precision(self) -> float:
        return self.right.total() / (self.right.total() + self.wrong.total())

    def __str__(self) -> str:
        return (
            f"{self.receives} receives, recall {self.recall:.4%}, precision {self.precision:.4%}, "
            f"right {dict(self.right)}, wrong {dict(self.wrong)}"
        )


BUSES = ["pyee", "pyee-asyncio", "pyee-executor", "blinker", "blinker-asyncio"]


def run(system: str, url: str, channel: str, folder: Path, count: int, *options: str) -> Path:
    """Record the system's parties; the trace file."""
    trace = folder / "trace.duckdb"
    ledgers = folder / "ledgers"
    ledgers.mkdir()
    command = [
        *(sys.executable, "-m", "msgtrace", "run", "--db", str(trace), "--body-limit", "64", *options, "--"),
        *(sys.executable, str(PROGRAMS / "driver.py"), system, url, channel, str(ledgers), str(count)),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, done.stderr
    return trace


def truth_of(trace_path: Path, party: str, receives: str) -> tuple[dict[int, str], dict[str, list[int]], set[str]]:
    """Which message each operation was, by the ledgers beside the trace.

    Args:
        trace_path: the trace file.
        party: the column that says whose ledger an operation is in.
        receives: the kind of those that the ledgers call received.

    Returns:
        message by operation, operations by kind, and all messages that were sent.
    """
    with open_trace(trace_path) as trace:
        operations = trace.query(
            f"select operation_id, kind, {party} as party from operations where kind in ('send', '{receives}') "
            "order by party, process_id, sequence"
        ).to_pylist()
    recorded: dict[tuple[str, str], list[int]] = defaultdict(list)
    by_kind: dict[str, list[int]] = defaultdict(list)
    for operation in operations:
        recorded[operation["party"], operation["kind"]].append(operation["operation_id"])
        by_kind[operation["kind"]].append(operation["operation_id"])
    truth: dict[int, str] = {}
    sent = set()
    for path in sorted((trace_path.parent / "ledgers").glob("*.json")):
        ledger = json.loads(path.read_text())
        for kind, identities in (("send", ledger["sent"]), (receives, ledger["received"])):
            ids = recorded[path.stem, kind]
            assert len(ids) == len(identities), f"{path.stem} {kind}: {len(ids)} recorded, {len(identities)} happened"
            truth.update(zip(ids, identities, strict=True))
        sent.update(ledger["sent"])
    return truth, by_kind, sent


def verdict(trace_path: Path, party: str = "service", receives: str = "receive") -> Verdict:
    """Hold a trace's links against the ledgers beside it."""
    truth, recorded, sent = truth_of(trace_path, party, receives)
    with open_trace(trace_path) as trace:
        links = trace.query("select send_id, receive_id, certainty from links").to_pylist()
        losses = trace.query("select reason, lost from losses where reason not in ('truncated', 'cause')").to_pylist()
    assert losses == []
    found = Verdict()
    rightly: set[int] = set()
    for link in links:
        same = truth[link["send_id"]] == truth[link["receive_id"]]
        (found.right if same else found.wrong)[link["certainty"]] += 1
        if same:
            rightly.add(link["receive_id"])
    linkable = [i for i in recorded[receives] if truth[i] in sent]
    found.receives = len(linkable)
    found.linked = sum(i in rightly for i in linkable)
    return found


SYSTEMS: list[Any] = [
    pytest.param("kafka", 0.999, marks=pytest.mark.kafka),
    pytest.param("streams", 0.999, marks=pytest.mark.redis),
    pytest.param("amqp", 0.999, marks=pytest.mark.rabbitmq),
    pytest.param("websocket", 0.999),
    pytest.param("pubsub", 0.99, marks=pytest.mark.redis),
    pytest.param("lists", 0.99, marks=pytest.mark.redis),
]


@pytest.fixture
def address(request: pytest.FixtureRequest) -> Callable[[str], str]:
    """The url of the broker that a system needs."""

    def of(system: str) -> str:
        fixture = {"kafka": "kafka", "amqp": "rabbitmq", "websocket": None}.get(system, "redis_server")
        return "-" if fixture is None else str(request.getfixturevalue(fixture).url)

    return of


@pytest.mark.parametrize(("system", "wanted"), SYSTEMS)
def test_links_are_right(
    system: str, wanted: float, address: Callable[[str], str], unique: Callable[[str], str], tmp_path: Path
) -> None:
    found = verdict(run(system, address(system), unique("links"), tmp_path, count=400))
    print(f"{system}: {found}")
    assert found.wrong["exact"] == 0
    # Where only order tells equal messages apart, a thousand of them are too few to hold to one in a hundred.
    slack = 0.03 if wanted < 0.999 else 0
    assert found.recall >= wanted - slack
    assert found.precision >= 0.99 - slack


@pytest.mark.soak
@pytest.mark.parametrize(("system", "wanted"), SYSTEMS)
def test_links_of_10_000_messages_are_right(
    system: str, wanted: float, address: Callable[[str], str], unique: Callable[[str], str], tmp_path: Path
) -> None:
    found = verdict(run(system, address(system), unique("links"), tmp_path, count=3_334))
    print(f"{system}: {found}")
    assert found.wrong["exact"] == 0
    assert found.recall >= wanted
    assert found.precision >= 0.99


PROPAGATING: list[Any] = [
    pytest.param("kafka", marks=pytest.mark.kafka),
    pytest.param("amqp", marks=pytest.mark.rabbitmq),
]


@pytest.mark.parametrize("system", PROPAGATING)
def test_propagated_links_are_all_exact_and_right(
    system: str, address: Callable[[str], str], unique: Callable[[str], str], tmp_path: Path
) -> None:
    found = verdict(run(system, address(system), unique("links"), tmp_path, 400, "--propagate"))
    print(f"{system}: {found}")
    assert found.wrong.total() == 0
    assert found.recall == 1
    assert set(found.right) == {"exact"}


@pytest.mark.soak
@pytest.mark.parametrize("system", PROPAGATING)
def test_propagated_links_of_10_000_messages_are_all_exact_and_right(
    system: str, address: Callable[[str], str], unique: Callable[[str], str], tmp_path: Path
) -> None:
    found = verdict(run(system, address(system), unique("links"), tmp_path, 3_334, "--propagate"))
    print(f"{system} --propagate: {found}")
    assert found.wrong.total() == 0
    assert found.recall == 1
    assert set(found.right) == {"exact"}


def on_a_bus(kind: str, folder: Path, count: int) -> None:
    """Record a bus's program, and hold its links, and the causes of what its listeners send, against the truth."""
    trace_path = folder / "trace.duckdb"
    ledgers = folder / "ledgers"
    ledgers.mkdir()
    command = [
        *(sys.executable, "-m", "msgtrace", "run", "--db", str(trace_path), "--"),
        *(sys.executable, str(PROGRAMS / "bus_party.py"), kind, str(ledgers), str(count)),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, done.stderr
    found = verdict(trace_path, "thread", "process")
    print(f"{kind}: {found}")
    # Three listeners each, the last of which sends on to two.
    assert found.receives == PRODUCERS * count * 5
    assert found.recall == found.precision == 1
    assert set(found.right) == {"exact"}
    truth, recorded, _ = truth_of(trace_path, "thread", "process")
    with open_trace(trace_path) as trace:
        causes = trace.query("select cause_id, effect_id, certainty from causes").to_pylist()
    sent_on = {i: truth[i].removesuffix("+") for i in recorded["send"] if truth[i].endswith("+")}
    caused = [
        (truth[c["cause_id"]], sent_on[c["effect_id"]], c["certainty"]) for c in causes if c["effect_id"] in sent_on
    ]
    assert len(caused) == len(sent_on) == PRODUCERS * count
    assert all(cause == effect for cause, effect, _ in caused)
    assert {certainty for _, _, certainty in caused} == {"exact"}


@pytest.mark.parametrize("kind", BUSES)
def test_links_and_causes_on_a_bus_are_all_exact_and_right(kind: str, tmp_path: Path) -> None:
    on_a_bus(kind, tmp_path, 200)


@pytest.mark.soak
@pytest.mark.parametrize("kind", BUSES)
def test_links_and_causes_of_10_000_messages_on_a_bus_are_all_exact_and_right(kind: str, tmp_path: Path) -> None:
    on_a_bus(kind, tmp_path, 3_334)
