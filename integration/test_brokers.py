"""The brokers themselves: found in the right order, and gone without a trace however their starter ends."""

import os
import re
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from integration.brokers import Kafka, Rabbitmq, Redis, answering, engine, kafka_jars, kept, native
from integration.brokers.address import from_environment

LIMIT_S = 60.0


@dataclass(frozen=True, slots=True)
class House:
    """A place of its own for brokers: state, temporary folders and a mark that every process below inherits.

    Attributes:
        folder: Holds the state and the temporary folders.
        mark: Name of an environment variable.
    """

    folder: Path
    mark: str

    @property
    def environment(self) -> dict[str, str]:
        environment = {name: value for name, value in os.environ.items() if "MSGTRACE_TEST" not in name}
        environment.pop("CI", None)
        state, temporary = str(self.folder / "state"), str(self.folder / "tmp")
        return {**environment, "MSGTRACE_TEST_BROKERS_STATE": state, "TMPDIR": temporary, self.mark: "1"}

    def command(self, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Runs `python -m integration.brokers WORDS`."""
        return subprocess.run(
            [sys.executable, "-m", "integration.brokers", *words],
            cwd=kept.REPOSITORY,
            env={**self.environment, **environment},
            capture_output=True,
            text=True,
            timeout=LIMIT_S * 3,
            check=False,
        )

    def start(self, argv: Sequence[str]) -> subprocess.Popen[str]:
        return subprocess.Popen(
            argv,
            cwd=kept.REPOSITORY,
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def processes(self) -> dict[int, str]:
        """Living processes that carry the mark, or work in this folder: number and command line."""
        found: dict[int, str] = {}
        for entry in Path("/proc").iterdir():
            # Gone meanwhile, a zombie, or no process at all. Redis writes its title over its environment.
            with suppress(OSError):
                marked = entry.name.isdecimal() and self.mark.encode() in (entry / "environ").read_bytes()
                if entry.name.isdecimal() and (marked or (entry / "cwd").readlink().is_relative_to(self.folder)):
                    found[int(entry.name)] = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        return found

    def remains(self) -> tuple[list[str], list[Path]]:
        """Processes and temporary folders that are there once nothing changes any more."""
        return list(self.processes().values()), list((self.folder / "tmp").iterdir())


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    (tmp_path / "tmp").mkdir()
    made = House(tmp_path, f"MARK_{uuid.uuid4().hex}")
    yield made
    made.command("down")
    for pid in made.processes():
        os.kill(pid, signal.SIGKILL)


def _until(true: Callable[[], object]) -> None:
    until = time.monotonic() + LIMIT_S
    while not true():
        assert time.monotonic() < until, "it did not come true in time"
        time.sleep(0.02)


@pytest.fixture
def native_redis() -> None:
    if why := native.missing("redis"):
        pytest.skip(f"needs a redis-server of its own: {why}")


@pytest.mark.rabbitmq
def test_rabbitmq_answers(rabbitmq: Rabbitmq) -> None:
    assert answering.answers(rabbitmq)


@pytest.mark.redis
def test_redis_answers(redis_server: Redis) -> None:
    assert answering.answers(redis_server)


@pytest.mark.kafka
def test_kafka_answers(kafka: Kafka) -> None:
    assert answering.answers(kafka)


@pytest.mark.rabbitmq
@pytest.mark.redis
@pytest.mark.kafka
def test_the_whole_set_comes_up_and_leaves_nothing(house: House) -> None:
    for name in ("rabbitmq", "redis", "kafka"):
        if why := native.missing(name):
            pytest.skip(f"needs a {name} of its own: {why}")
    up = house.command("up", MSGTRACE_TEST_MEANS="native")
    assert up.returncode == 0, up.stderr
    exports = dict(re.findall(r"^export (\w+)=(\S+)$", up.stdout, re.MULTILINE))
    for name in ("rabbitmq", "redis", "kafka"):
        address = from_environment(name, exports)
        assert address is not None
        assert answering.answers(address)
    assert house.command("status").returncode == 0
    assert house.command("up").stdout == up.stdout, "a second `up` shares the first one's brokers"
    running = " ".join(house.processes().values())
    assert all(program in running for program in ("epmd", "beam.smp", "redis-server", "kafka.Kafka"))
    down = house.command("down")
    assert (down.returncode, house.remains()) == (0, ([], [])), down.stderr
    assert house.command("status", MSGTRACE_TEST_MEANS="none").returncode == 1


KEEPS_A_REDIS = """
import sys
from integration.brokers import kept
with kept.brokers(["redis"], "native") as one:
    print(one.reports[0].address["port"], flush=True)
    sys.stdin.read()
"""


@pytest.mark.redis
@pytest.mark.usefixtures("native_redis")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_brokers_end_with_their_starter(house: House, number: signal.Signals) -> None:
    with house.start([sys.executable, "-c", KEEPS_A_REDIS]) as starter:
        assert starter.stdout is not None
        assert starter.stdout.readline().strip().isdecimal()
        assert "redis-server" in " ".join(house.processes().values())
        os.killpg(starter.pid, number)
    _until(lambda: house.remains() == ([], []))


@pytest.mark.rabbitmq
def test_an_interrupted_start_leaves_nothing(house: House) -> None:
    if why := native.missing("rabbitmq"):
        pytest.skip(f"needs a rabbitmq of its own: {why}")
    with house.start([sys.executable, "-m", "integration.brokers", "up", "rabbitmq"]) as up:
        _until(lambda: "beam.smp" in " ".join(house.processes().values()))
        os.killpg(up.pid, signal.SIGINT)
    assert up.returncode != 0
    _until(lambda: house.remains() == ([], []))


@pytest.mark.redis
@pytest.mark.usefixtures("native_redis")
def test_down_finishes_the_work_of_a_killed_keeper(house: House) -> None:
    assert house.command("up", "redis", MSGTRACE_TEST_MEANS="native").returncode == 0
    (keeper,) = (pid for pid, line in house.processes().items() if "brokers.keeper" in line)
    os.kill(keeper, signal.SIGKILL)
    assert house.command("status", MSGTRACE_TEST_MEANS="none").returncode == 1, "its brokers are not to be shared"
    assert "redis-server" in " ".join(house.processes().values())
    assert house.command("down").returncode == 0
    _until(lambda: house.remains() == ([], []))


@pytest.mark.kafka
def test_a_broker_that_fails_says_why_and_leaves_nothing(house: House, tmp_path: Path) -> None:
    if why := native.missing("kafka"):
        pytest.skip(f"needs a Kafka of its own: {why}")
    (tmp_path / "cache" / "msgtrace-tests" / f"kafka-{kafka_jars.version()}").mkdir(parents=True)
    cache = str(tmp_path / "cache")
    up = house.command("up", "kafka", XDG_CACHE_HOME=cache, MSGTRACE_TEST_MEANS="native")
    assert (up.returncode, up.stdout) == (1, "")
    assert "ClassNotFoundException" in up.stderr
    assert "Traceback" not in up.stderr
    assert house.remains() == ([], [])


def test_an_address_in_the_environment_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    from integration.brokers import find

    monkeypatch.setenv("MSGTRACE_TEST_RABBITMQ", "amqp://me:secret@broker.test/")
    monkeypatch.setenv("MSGTRACE_TEST_REDIS", "redis://broker.test:7000/3")
    monkeypatch.setenv("MSGTRACE_TEST_KAFKA", "one.test:9000,two.test:9001")
    assert find.running(["rabbitmq", "redis", "kafka"]) == {
        "rabbitmq": Rabbitmq(
            "amqp://me:secret@broker.test/", "broker.test", 5672, "http://me:secret@broker.test:15672"
        ),
        "redis": Redis("redis://broker.test:7000/3", "broker.test", 7000),
        "kafka": Kafka("kafka://one.test:9000", "one.test", 9000, "one.test:9000"),
    }


@pytest.mark.parametrize("value", ["redis://", "redis://broker.test:port/0"])
def test_an_address_that_is_none_is_said_so_in_one_line(house: House, value: str) -> None:
    status = house.command("status", MSGTRACE_TEST_REDIS=value)
    assert status.returncode == 1
    (line,) = status.stderr.splitlines()
    assert "MSGTRACE_TEST_REDIS is no address" in line


@pytest.mark.parametrize(
    ("environment", "outcome"),
    [({}, "1 skipped"), ({"CI": "true"}, "1 error"), ({"CI": "false"}, "1 skipped")],
)
def test_without_a_broker_a_test_is_skipped_by_name_and_fails_in_ci(
    house: House, environment: dict[str, str], outcome: str
) -> None:
    here = f"{Path(__file__).relative_to(kept.REPOSITORY)}::test_kafka_answers"
    inner = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", here],
        cwd=kept.REPOSITORY,
        env={**house.environment, "MSGTRACE_TEST_MEANS": "none", **environment},
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    assert outcome in inner.stdout
    assert "no kafka to test with" in inner.stdout


def test_compose_and_maven_name_the_same_kafka() -> None:
    assert f"image: apache/kafka:{kafka_jars.version()}\n" in engine.COMPOSE_FILE.read_text()


def test_free_ports_are_distinct() -> None:
    assert len(set(native.free_ports(20))) == 20
