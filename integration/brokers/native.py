"""How each broker is started from its packages, in a folder and on ports of its own. Starts nothing."""

import os
import random
import shutil
import socket
import subprocess
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from integration.brokers import kafka_jars
from integration.brokers.address import Address, Kafka, Rabbitmq, Redis

# The one in /usr/sbin switches to another user and refuses a folder of ours.
RABBITMQ_SERVER = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
# Below the range from which the kernel hands out ports, so no client's socket takes one before the broker.
PORTS = range(20_000, 32_000)


@dataclass(frozen=True, slots=True)
class Command:
    """One process of a broker, to be started in a session of its own.

    Attributes:
        argv: Program and arguments.
        environment: Added to the environment of the starter.
    """

    argv: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Launch:
    """A broker about to be started: its processes in order, and where it will be.

    Attributes:
        commands: Started one after the other, without waiting.
        address: Where the broker will answer.
        limit_s: How long it may take until it does.
        undo: Run at the very end, for what outlives the processes.
    """

    commands: tuple[Command, ...]
    address: Address
    limit_s: float
    undo: Command | None = None


def run(command: Command, limit_s: float = 60.0) -> None:
    """Runs a command to its end, whatever that is; what it says goes nowhere.

    Raises:
        subprocess.TimeoutExpired: It took longer than `limit_s`.
    """
    environment = {**os.environ, **command.environment}
    subprocess.run(command.argv, env=environment, capture_output=True, timeout=limit_s, check=False)


def free_ports(count: int) -> list[int]:
    """Finds `count` distinct loopback TCP ports that nobody listens on.

    Raises:
        OSError: None was free in a thousand attempts.
    """
    ports: list[int] = []
    with ExitStack() as held:
        for _ in range(1000):
            if len(ports) == count:
                return ports
            port = random.SystemRandom().choice(PORTS)
            probe = held.enter_context(socket.socket())
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            ports.append(port)
    raise OSError(f"no {count} free ports between {PORTS.start} and {PORTS.stop}")


def missing(name: str) -> str | None:
    """Says what keeps broker `name` from starting natively, or None when nothing does."""
    if name == "rabbitmq":
        present = RABBITMQ_SERVER.exists() and shutil.which("epmd")
        return None if present else "Debian's package rabbitmq-server is not installed"
    if name == "redis":
        return None if shutil.which("redis-server") else "Debian's package redis-server is not installed"
    return kafka_jars.missing()


def launch(name: str, folder: Path) -> Launch:
    """Writes the configuration of broker `name` into `folder` (absolute, empty) and says how to start it."""
    return {"rabbitmq": _rabbitmq, "redis": _redis, "kafka": _kafka}[name](folder)


def _redis(folder: Path) -> Launch:
    (port,) = free_ports(1)
    argv = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder)]
    argv += ["--save", "", "--appendonly", "no", "--daemonize", "no"]
    return Launch((Command(tuple(argv)),), Redis.at(f"redis://127.0.0.1:{port}/0"), limit_s=20)


def _rabbitmq(folder: Path) -> Launch:
    port, management_port, epmd_port, distribution_port = free_ports(4)
    # A nearly full disk would block publishers, which tests would see as a hang.
    (folder / "rabbitmq.conf").write_text(
        f"management.tcp.ip = 127.0.0.1\nmanagement.tcp.port = {management_port}\ndisk_free_limit.absolute = 1MB\n"
    )
    (folder / "enabled_plugins").write_text("[rabbitmq_management].\n")
    commands = (
        # The node would start `epmd -daemon`, which outlives it: one in the foreground is ours to stop.
        Command(("epmd", "-port", str(epmd_port), "-address", "127.0.0.1")),
        Command((str(RABBITMQ_SERVER),), _rabbitmq_environment(folder, port, distribution_port, epmd_port)),
    )
    address = Rabbitmq.at(f"amqp://guest:guest@127.0.0.1:{port}/", f"http://guest:guest@127.0.0.1:{management_port}")
    return Launch(commands, address, limit_s=120)


def _rabbitmq_environment(folder: Path, port: int, distribution_port: int, epmd_port: int) -> dict[str, str]:
    """Keeps every file, port and cookie of the node to this folder and loopback (rabbitmq-env.conf(5))."""
    environment: dict[str, object] = {
        "HOME": folder,
        "TMPDIR": folder,
        "RABBITMQ_NODENAME": f"test{port}@localhost",
        "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODE_PORT": port,
        "RABBITMQ_DIST_PORT": distribution_port,
        "ERL_EPMD_PORT": epmd_port,
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "RABBITMQ_CONF_ENV_FILE": os.devnull,
        "RABBITMQ_BASE": folder,
        "RABBITMQ_MNESIA_BASE": folder / "mnesia",
        "RABBITMQ_LOG_BASE": folder / "logs",
        "RABBITMQ_LOGS": "-",
        "RABBITMQ_PID_FILE": folder / "pid",
        "RABBITMQ_CONFIG_FILE": folder / "rabbitmq.conf",
        "RABBITMQ_ADVANCED_CONFIG_FILE": folder / "advanced.config",
        "RABBITMQ_GENERATED_CONFIG_DIR": folder / "generated",
        "RABBITMQ_ENABLED_PLUGINS_FILE": folder / "enabled_plugins",
        "RABBITMQ_FEATURE_FLAGS_FILE": folder / "feature_flags",
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": ("-kernel inet_dist_use_interface {127,0,0,1} +S 2:2 +sbwt none"),
    }
    return {name: str(value) for name, value in environment.items()}


def _kafka(folder: Path) -> Launch:
    port, proxied_port, proxy_port, controller_port = free_ports(4)
    properties = folder / "server.properties"
    ports = {"port": port, "proxied_port": proxied_port, "proxy_port": proxy_port}
    properties.write_text(KAFKA_PROPERTIES.format(folder=folder, controller_port=controller_port, **ports))
    java = ["java", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
    # Without these a killed broker leaves /tmp/hsperfdata_* and unpacked compression libraries behind.
    java += ["-XX:-UsePerfData", f"-Djava.io.tmpdir={folder}"]
    java += ["-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp", f"{kafka_jars.folder()}/*"]
    format_storage = [*java, "kafka.tools.StorageTool", "format", "--ignore-formatted", "-t", CLUSTER_ID]
    format_storage += ["-c", str(properties)]  # formatted already where the broker is started again
    # Two commands in one process: the words are split by number, so that no path needs quoting.
    script = f'"${{@:1:{len(format_storage)}}}" && exec "${{@:{len(format_storage) + 1}}}"'
    argv = ("bash", "-c", script, "kafka", *format_storage, *java, "kafka.Kafka", str(properties))
    address = Kafka.at(f"127.0.0.1:{port}", f"{proxied_port}:{proxy_port}")
    return Launch((Command(argv),), address, limit_s=120)


CLUSTER_ID = "MkU3OEVBNTcwNTJENDM2Qk"
# One node is broker and controller; internal topics ask for no second one; groups start without a pause.
KAFKA_PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller_port}
listeners=PLAINTEXT://127.0.0.1:{port},PROXIED://127.0.0.1:{proxied_port},CONTROLLER://127.0.0.1:{controller_port}
advertised.listeners=PLAINTEXT://127.0.0.1:{port},PROXIED://127.0.0.1:{proxy_port}
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,PROXIED:PLAINTEXT
log.dirs={folder}/data
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=1
group.initial.rebalance.delay.ms=0
"""
