"""Where redis-py's clients are connected to: standalone servers, masters that Sentinel names, clusters.

One number a pool, because a command takes any connection of it; one for each PubSub, whose connection is its own and
whose messages are in order. A cluster is one server, named by the lowest of its nodes' addresses, which all its clients
know: a message published at one node is received at another.
"""

from __future__ import annotations

import sys
from typing import Any, Final
from weakref import WeakKeyDictionary

from msgtrace import interning
from msgtrace.hooks.redis_policies import promised

_numbers: Final = interning.connections
_addresses: WeakKeyDictionary[Any, tuple[str, int]] = WeakKeyDictionary()
"""The master that a Sentinel-backed pool led to."""
unknown: set[str] = set()
"""Not empty once there was a client that can't tell its server before its first command."""
_clusters: dict[tuple[str, int], dict[str, Any]] = {}
"""Address of a cluster's node -> the cluster's facts."""
MAX_NODES: Final = 10_000
_ATTRIBUTES: Final = ("path", "host", "port", "db", "username", "client_name", "protocol")


def connection(client: Any) -> int:
    """The number of the connection that a client or pipeline sends its commands on.

    Where all clients know their servers, a number once given is right.
    """
    try:
        pool = client.connection_pool
    except AttributeError:
        return _cluster(client)
    known = _numbers.get(id(pool))
    if known is not None and known[0]() is pool and not unknown:
        return known[1]
    if pool is None:
        return _cluster(client)
    return pooled(pool)


def pooled(pool: Any) -> int:
    """The number of what is sent on any connection of a pool."""
    if "service_name" in pool.__dict__:
        return _sentinel(pool)
    return interning.connection(pool, _pool_facts)


def learn(client: Any) -> None:
    """After a command: what is known only once the client is connected. To be called where `unknown` is not empty."""
    connection(client)


def subscription(pubsub: Any) -> int:
    """The number of a PubSub's own connection."""
    connected = pubsub.connection
    cluster = pubsub.__dict__.get("cluster")
    if connected is None:  # it gets one with its first subscription
        return connection(pubsub) if cluster is None else _cluster(cluster)
    if cluster is not None:
        note_cluster(cluster)
    return own(connected)


def own(connected: Any) -> int:
    """The number of a single connection."""
    return interning.connection(connected, _connection_facts)


def note_cluster(cluster: Any) -> None:
    """Know a cluster's nodes as its own, so that connections to them are connections to it."""
    facts = _cluster_facts(_owner(cluster))
    if facts is not None and len(_clusters) < MAX_NODES:
        for address, port in facts["nodes"]:
            _clusters[address, port] = facts


def _pool_facts(pool: Any) -> dict[str, Any]:
    known = pool.connection_kwargs
    facts = _facts(known, getattr(pool, "connection_class", None)) | promised(known)
    return _at(known.get("path"), known.get("host"), known.get("port"), facts)


def _connection_facts(connected: Any) -> dict[str, Any]:
    # Some are properties, depending on the version and on the kind of connection.
    known = {name: getattr(connected, name, None) for name in _ATTRIBUTES}
    return _at(known.get("path"), known.get("host"), known.get("port"), _facts(known, type(connected)))


def _at(path: Any, host: Any, port: Any, facts: dict[str, Any]) -> dict[str, Any]:
    if type(path) is str:
        return {"server_address": path, **facts}
    address = _plain(host, "localhost"), _port(port)
    cluster = _clusters.get(address)
    if cluster is not None:
        return {**facts, **cluster, "node": f"{address[0]}:{address[1]}"}
    return {"server_address": address[0], "server_port": address[1], **facts}


def _facts(known: dict[str, Any], kind: Any) -> dict[str, Any]:
    """What a connection is made with: a pool's arguments or the connection's own attributes. Never the password."""
    database = known.get("db")
    facts: dict[str, Any] = {"virtual_host": str(database) if type(database) in {int, str} else "0"}
    for name, ours in (("username", "user"), ("client_name", "client_id")):
        if type(known.get(name)) is str:
            facts[ours] = known[name]
    kinds = getattr(kind or known.get("connection_class"), "__mro__", ())
    if known.get("ssl") is True or any(each.__name__ == "SSLConnection" for each in kinds):
        facts["tls"] = True
    protocol = known.get("protocol")
    if protocol is None:
        protocol = getattr(sys.modules.get("redis.connection"), "DEFAULT_RESP_VERSION", None)
    if protocol is not None:
        facts["protocol"] = f"RESP{protocol}"
    return facts


def _plain(value: Any, otherwise: str) -> str:
    return value if type(value) is str else otherwise


def _port(value: Any) -> int:
    if type(value) is int:
        return value
    return int(value) if type(value) is str and value.isdecimal() else 6379


# ---- Sentinel ------------------------------------------------------------------------------------------------


def _sentinel(pool: Any) -> int:
    address = pool.master_address
    if address is not None:
        before = _addresses.get(pool)
        if before is not None and before != address:
            interning.forget(pool)  # the master is another one
        _addresses[pool] = address
        interning.fulfil(pool, _sentinel_facts)
    return interning.connection(pool, _sentinel_facts)


def _sentinel_facts(pool: Any) -> dict[str, Any] | None:
    facts = _facts(pool.connection_kwargs, pool.connection_class) | promised(pool.connection_kwargs)
    facts["sentinel_service"] = _plain(pool.service_name, "")
    if not pool.is_master:
        return {**facts, "replica": True}  # each connection leads to another one
    address = pool.master_address
    if address is None:
        unknown.add("master")
        return None
    return {"server_address": _plain(address[0], ""), "server_port": _port(address[1]), **facts}


# ---- cluster -------------------------------------------------------------------------------------------------


def _owner(client: Any) -> Any:
    """What lives as long as a cluster's client: in asyncio the client, else the nodes manager, its pipelines' too."""
    manager = client.nodes_manager
    return manager if hasattr(type(manager), "__weakref__") else client


def _cluster(client: Any) -> int:
    owner = _owner(client)
    number = interning.connection(owner, _cluster_facts)
    interning.fulfil(owner, _cluster_facts)
    return number


def _cluster_facts(owner: Any) -> dict[str, Any] | None:
    manager = getattr(owner, "nodes_manager", owner)
    nodes = sorted((_plain(node.host, ""), _port(node.port)) for node in tuple(manager.nodes_cache.values()))
    if not nodes:
        unknown.add("nodes")
        return None  # an asyncio client asks for them with its first command
    facts = _facts(manager.connection_kwargs, getattr(manager, "connection_class", None))
    address, port = nodes[0]
    return {"server_address": address, "server_port": port, **facts, "cluster": True, "nodes": nodes}
