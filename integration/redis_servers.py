"""Redis servers of a test's own, where the shared one won't do: with other settings, as a cluster, watched by a Sentinel."""

import functools
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pytest
import redis

from integration.brokers.native import free_ports

LIMIT_S = 30.0


def until(what: str, ready: Callable[[], Any]) -> Any:
    """Wait until a question to a server is answered with something true.

    Raises:
        TimeoutError: that took longer than LIMIT_S.
    """
    end = time.monotonic() + LIMIT_S
    while time.monotonic() < end:
        with suppress(redis.RedisError):
            answer = ready()
            if answer:
                return answer
        time.sleep(0.02)
    raise TimeoutError(f"{what} after {LIMIT_S} s")


@contextmanager
def _servers(*options: list[str]) -> Iterator[list[int]]:
    """One server for each list of options, on loopback and on ports of their own; the ports."""
    if shutil.which("redis-server") is None:
        pytest.skip("Debian's package redis-server is not installed")
    ports = free_ports(2 * len(options))
    started = []
    folder = Path(mkdtemp(prefix="msgtrace-redis-"))
    try:
        for number, given in enumerate(options):
            place = folder / str(number)
            place.mkdir()
            argv = ["redis-server", "--port", str(ports[number]), "--bind", "127.0.0.1", "--dir", str(place)]
            argv += ["--save", "", "--appendonly", "no", "--daemonize", "no", "--logfile", str(place / "log")]
            argv += [each.format(bus=ports[len(options) + number]) for each in given]
            started.append(subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        for port in ports[: len(options)]:
            with redis.Redis(port=port) as client:
                until(f"no redis-server answers on port {port}", client.ping)
        yield ports[: len(options)]
    finally:
        for process in started:
            process.kill()
        for process in started:
            process.wait(10)
        shutil.rmtree(folder)


@contextmanager
def server(*options: str) -> Iterator[int]:
    """A server; its port."""
    with _servers(list(options)) as (port,):
        yield port


def _is_whole(client: Any) -> bool:
    state: str = client.cluster("info")["cluster_state"]
    return state == "ok"


@contextmanager
def cluster() -> Iterator[list[int]]:
    """A cluster of three masters; their ports."""
    options = ["--cluster-enabled", "yes", "--cluster-port", "{bus}", "--cluster-node-timeout", "5000"]
    with _servers(options, options, options) as ports:
        addresses = [f"127.0.0.1:{port}" for port in ports]
        command = ["redis-cli", "--cluster", "create", *addresses, "--cluster-yes"]
        subprocess.run(command, check=True, capture_output=True, timeout=LIMIT_S)
        for port in ports:
            with redis.Redis(port=port) as client:
                until("no whole cluster", functools.partial(_is_whole, client))
        yield ports


@contextmanager
def watched(service: str) -> Iterator[tuple[int, int, int]]:
    """A master with a replica, watched by one Sentinel; the ports of the three."""
    with _servers([], []) as (master, replica), redis.Redis(port=replica) as second:
        second.replicaof("127.0.0.1", str(master))
        until("no replica", lambda: second.info("replication")["master_link_status"] == "up")
        (port,) = free_ports(1)
        folder = Path(mkdtemp(prefix="msgtrace-sentinel-"))
        configuration = folder / "sentinel.conf"
        configuration.write_text(
            f"port {port}\nbind 127.0.0.1\ndir {folder}\nlogfile {folder}/log\n"
            f"sentinel monitor {service} 127.0.0.1 {master} 1\nsentinel down-after-milliseconds {service} 1000\n"
        )
        sentinel = subprocess.Popen(
            ["redis-server", str(configuration), "--sentinel"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            with redis.Redis(port=port) as client:
                until("no replica known", lambda: client.execute_command("SENTINEL REPLICAS", service))
            yield master, replica, port
        finally:
            sentinel.kill()
            sentinel.wait(10)
            shutil.rmtree(folder)
