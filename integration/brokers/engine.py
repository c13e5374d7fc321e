"""How each broker is started by a Docker engine from docker-compose.yml. Starts nothing itself."""

import shutil
import subprocess
from functools import cache
from pathlib import Path

from integration.brokers.address import Address, Kafka, Rabbitmq, Redis
from integration.brokers.native import Command, Launch, free_ports

COMPOSE_FILE = Path(__file__).parents[2] / "docker-compose.yml"
# Long enough for the images to be pulled the first time.
LIMIT_S = 600.0


@cache
def missing() -> str | None:
    """Says what keeps docker-compose.yml from being used, or None when engine and plugin are there."""
    if not shutil.which("docker"):
        return "the docker client is not installed"
    for argv, what in (
        (["docker", "compose", "version"], "the docker client has no compose plugin"),
        (["docker", "version", "--format", "{{.Server.Version}}"], "no Docker engine is running"),
    ):
        try:
            done = subprocess.run(argv, capture_output=True, timeout=10, check=False)
        except (OSError, subprocess.TimeoutExpired):
            return what
        if done.returncode != 0:
            return what
    return None


def launch(name: str, folder: Path) -> Launch:
    """Says how to start broker `name` in a compose project of its own, named after its temporary folder."""
    ports = free_ports(3)
    address, environment = _address(name, ports)
    project = f"{folder.parent.name}-{name}".lower()
    compose = ("docker", "compose", "--project-name", project, "--file", str(COMPOSE_FILE))
    # In the foreground, so that the end of the container is the end of the process.
    up = Command((*compose, "up", "--no-color", name), environment)
    down = Command((*compose, "down", "--volumes", "--timeout", "0"), environment)
    return Launch((up,), address, LIMIT_S, undo=down)


def _address(name: str, ports: list[int]) -> tuple[Address, dict[str, str]]:
    port, second_port, third_port = ports
    if name == "rabbitmq":
        return (
            Rabbitmq.at(f"amqp://guest:guest@127.0.0.1:{port}/", f"http://guest:guest@127.0.0.1:{second_port}"),
            {"MSGTRACE_RABBITMQ_PORT": str(port), "MSGTRACE_RABBITMQ_MANAGEMENT_PORT": str(second_port)},
        )
    if name == "redis":
        return Redis.at(f"redis://127.0.0.1:{port}/0"), {"MSGTRACE_REDIS_PORT": str(port)}
    return (
        Kafka.at(f"127.0.0.1:{port}", f"{second_port}:{third_port}"),
        {
            "MSGTRACE_KAFKA_PORT": str(port),
            "MSGTRACE_KAFKA_PROXIED_PORT": str(second_port),
            "MSGTRACE_KAFKA_PROXY_PORT": str(third_port),
        },
    )
