"""redis: clients of clusters and behind Sentinel record as any other, and know which server they talk to."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from integration.recorded import record
from integration.redis_programs import EVERY_VERSION, PROGRAMS, recorded, run, told, version
from integration.redis_servers import cluster, server, watched

pytestmark = [pytest.mark.redis, EVERY_VERSION]


@pytest.fixture(scope="module")
def cluster_ports() -> Iterator[list[int]]:
    """The ports of a cluster of three masters, of this module's own."""
    with cluster() as ports:
        yield ports


def by_kind(operations: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Operations by what they are: a pipeline begins all that it sends before it knows what it gets."""
    kinds = sorted({each["did"] for each in operations})
    return {kind: [each for each in operations if each["did"] == kind] for kind in kinds}


@pytest.mark.parametrize("half", ["sync", "asyncio"])
def test_cluster(python: str, half: str, cluster_ports: list[int], unique: Callable[[str], str]) -> None:
    prefix = unique("cluster")
    recording = run(python, "cluster", f"redis://127.0.0.1:{cluster_ports[0]}", prefix, half)
    seen = recorded(recording)
    for each in seen:
        if each["channel"] == f"{prefix}.{{tag}}.channel" and each["did"] == "send":
            assert each.pop("receivers") in {0, 1}
    assert by_kind(seen) == by_kind(told(recording.said))
    # To whichever node a command went and a subscription was made: the server is the cluster.
    servers = {
        (each["connection"]["server_address"], each["connection"]["server_port"]) for each in recording.operations
    }
    assert servers == {("127.0.0.1", min(cluster_ports))}
    nodes = {tuple(map(tuple, each["connection"]["nodes"])) for each in recording.operations}
    assert nodes == {tuple(("127.0.0.1", port) for port in sorted(cluster_ports))}


@pytest.mark.parametrize("half", ["sync", "asyncio"])
def test_sentinel(python: str, half: str, unique: Callable[[str], str]) -> None:
    """What is sent first is so to the master that was found for it, and what is sent after a failover to the new one."""
    with watched("orders-db") as (master, replica, sentinel):
        recording = run(python, "sentinel", f"redis://127.0.0.1:{sentinel}", unique("sentinel"), half)
    assert recorded(recording) == told(recording.said)
    ports = [each["connection"].get("server_port") for each in recording.operations]
    assert ports == [master, master, master, None, replica]
    assert {each["connection"]["sentinel_service"] for each in recording.operations} == {"orders-db"}
    (receive,) = recording.of("receive")
    assert receive["connection"]["replica"] is True


@pytest.mark.parametrize("half", ["sync", "asyncio"])
def test_connections(python: str, half: str, tmp_path: Path, unique: Callable[[str], str]) -> None:
    socket = tmp_path / "redis.sock"
    with server("--unixsocket", str(socket)) as port:
        url = f"redis://127.0.0.1:{port}/0"
        recording = run(python, "connections", url, unique("x"), half, f'socket="{socket}"')
    default = "RESP3" if version(python) >= (8, 0) else "RESP2"
    here = {"server_address": "127.0.0.1", "server_port": port, "virtual_host": "0", "protocol": default}
    sends = recording.of("send")
    told = [each["connection"].pop("retry") for each in sends]
    assert all(each["is"] == "Retry" for each in told)
    assert [told[4]["_retries"], told[4]["_backoff"]] == [0, {"is": "NoBackoff", "_backoff": 0}]
    others = ("socket_timeout", "socket_connect_timeout")  # the library's own from 8 on
    assert [{name: fact for name, fact in each["connection"].items() if name not in others} for each in sends] == [
        here,
        {**here, "virtual_host": "3", "client_id": "billing", "protocol": "RESP2"},
        {**here, "virtual_host": "1", "user": "default", "protocol": "RESP3"},
        {**here, "user": "someone"},
        {**here, "server_port": 1, "tls": True},
        {"server_address": str(socket), "virtual_host": "0", "protocol": default},
        here,
    ]
    outcomes = [each.outcome for each in sends]
    assert outcomes == ["ok", "ok", "ok", "raised", "raised", "ok", "ok"]
    assert "pass-in" not in str(recording.operations)


@pytest.mark.parametrize("half", ["sync", "asyncio"])
def test_the_same_without_us(python: str, half: str, cluster_ports: list[int], unique: Callable[[str], str]) -> None:
    arguments = [str(PROGRAMS / "cluster.py"), f"redis://127.0.0.1:{cluster_ports[0]}", unique("plain"), half]
    plain = record(arguments, python=python, traced=False)
    assert (plain.exit_code, plain.stderr, plain.operations) == (0, "", [])
