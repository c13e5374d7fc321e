"""Installs what brokers need to start natively, and tools: Debian's packages as root, Kafka's jars for the user."""

import os
import shutil
import subprocess
from collections.abc import Iterable

import click

from integration.brokers import kafka_jars, native, tools


def packages(names: Iterable[str]) -> list[str]:
    """Debian packages that are missing for `names`."""
    wanted: list[str] = []
    for name in names:
        if name == "kafka":
            wanted += [] if shutil.which("java") else ["openjdk-17-jre-headless"]
            wanted += [] if kafka_jars.folder().is_dir() or shutil.which("mvn") else ["maven"]
        elif name in tools.TOOLS:
            wanted += [] if tools.find(name) else [tools.TOOLS[name].package]
        elif native.missing(name):
            wanted.append({"rabbitmq": "rabbitmq-server", "redis": "redis-server"}[name])
    return wanted


def install_packages(wanted: list[str]) -> int:
    """Installs Debian packages, says what it did, and returns the exit code."""
    argv = ["apt-get", "install", "-y", "--no-install-recommends", *wanted]
    if not shutil.which("apt-get") or os.geteuid() != 0:
        click.echo(f"not allowed to install packages here; run this as root: {' '.join(argv)}", err=True)
        return 1
    if (code := subprocess.run(argv, check=False).returncode) != 0:
        click.echo(f"apt-get ended with {code}; `apt-get update` first may help", err=True)
    return code


def install(names: Iterable[str]) -> int:
    """Installs what is missing, says what it did, and returns the exit code."""
    names = tuple(names)
    if (wanted := packages(names)) and install_packages(wanted) != 0:
        return 1
    if "kafka" in names:
        try:
            click.echo(f"kafka: jars of {kafka_jars.version()} are in {kafka_jars.fetch()}")
        except RuntimeError as error:
            click.echo(str(error), err=True)
            return 1
    still = {name: why for name in names if (why := _missing(name))}
    for name, why in still.items():
        click.echo(f"{name}: {why}", err=True)
    return 1 if still else 0


def _missing(name: str) -> str | None:
    return tools.missing(name) if name in tools.TOOLS else native.missing(name)
