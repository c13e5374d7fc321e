"""Redis by commands that read: INFO, PUBSUB, SCAN, TYPE, XINFO, LLEN, CLIENT LIST.

Keys are looked at by SCAN up to a limit; only streams and lists are named, all others are counted by type.
"""

from __future__ import annotations

from collections import Counter
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

import redis
from redis.exceptions import RedisError, ResponseError

from msgtrace_collectors.inspection.found import Found, InspectionError, Row

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from msgtrace_collectors.inspection.found import Budget
    from msgtrace_collectors.inspection.target import Target

KEYS_FOR_ONE: Final = 10
"""Keys that are looked at for each one that may be named."""
AT_ONCE: Final = 500
"""Answers that are waited for together."""
_STREAM: Final = {"length": "messages", "groups": "groups", "entries-added": "written"}
_GROUP: Final = ("consumers", "pending", "lag", "entries-read")
_BLOCKING: Final = frozenset({"blpop", "brpop", "blmove", "brpoplpush", "blmpop", "xread", "xreadgroup"})


def inspect(target: Target, budget: Budget) -> Found:
    """Read a Redis.

    Raises:
        InspectionError: it can't be reached.
    """
    found = Found("redis", target.server)
    host, port = target.hosts[0]
    number = target.path.strip("/") or "0"
    if target.options or not number.isdecimal():
        raise InspectionError("redis:// has no options, and its path is the number of a database")
    client = redis.Redis(
        host=host, port=port, db=int(number), username=target.user, password=target.password, ssl=target.tls,
        socket_timeout=budget.left_s(), socket_connect_timeout=budget.left_s(), decode_responses=True,
        encoding_errors="backslashreplace", client_name="msgtrace-inspect",
    )  # fmt: skip
    try:
        info: dict[str, Any] = dict(client.info())
        found.version, found.broker_id = str(info.get("redis_version", "")), str(info.get("run_id", ""))
        if info.get("redis_mode") == "cluster":
            found.unreadable["other nodes"] = "only this node of the cluster was read"
        _read(client, found, budget, number, info)
    except RedisError as error:
        raise InspectionError(_plain(error)) from None
    finally:
        client.close()
    return found


def _plain(error: Exception) -> str:
    said = str(error).splitlines()[0] if str(error) else ""
    return said[:200] or type(error).__name__


def _read(client: Any, found: Found, budget: Budget, number: str, info: dict[str, Any]) -> None:
    def guarded(name: str, read: Callable[[], Any]) -> None:
        budget.left_s()
        try:
            read()
        except ResponseError as error:  # NOPERM, or a command that is renamed or too new
            found.unreadable[name] = _plain(error)

    guarded("channels", lambda: _channels(client, found, budget.limit))
    guarded("patterns", lambda: found.facts.update(pattern_subscriptions=int(client.pubsub_numpat())))
    guarded("keys", lambda: _keys(client, found, budget, number))
    guarded("clients", lambda: found.rows.extend(_clients(client)))
    names = ("maxmemory", "maxmemory_policy", "aof_enabled", "role", "connected_slaves")
    found.facts |= {name: info[name] for name in names if name in info}


def _channels(client: Any, found: Found, limit: int) -> None:
    names = sorted(client.pubsub_channels())
    found.left_out.update({"channels": len(names) - limit} if len(names) > limit else {})
    for some in _batches(names[:limit]):
        found.rows += [
            Row("pubsub", name, {"action": "inspect", "state": {"subscribers": int(count)}})
            for name, count in client.pubsub_numsub(*some)
        ]


def _keys(client: Any, found: Found, budget: Budget, number: str) -> None:
    types: Counter[str] = Counter()
    named: list[tuple[str, str]] = []
    looked_at = 0
    for some in _batches(islice(client.scan_iter(count=AT_ONCE), budget.limit * KEYS_FOR_ONE)):
        budget.left_s()
        looked_at += len(some)
        for key, kind in zip(some, _together(client, "type", some), strict=True):
            types[kind] += 1
            if kind in {"stream", "list"}:
                named.append((str(kind), key))
    found.left_out.update({"keys": client.dbsize() - looked_at} if client.dbsize() > looked_at else {})
    found.facts["keys"] = {kind: count for kind, count in sorted(types.items()) if kind != "none"}
    # SCAN may give a key more than once.
    named = sorted(set(named))
    found.left_out.update({"streams and lists": len(named) - budget.limit} if len(named) > budget.limit else {})
    named = named[: budget.limit]
    lists = [key for kind, key in named if kind == "list"]
    for some in _batches(lists):
        budget.left_s()
        for key, length in zip(some, _together(client, "llen", some), strict=True):
            if isinstance(length, int):
                settings = {"action": "inspect", "state": {"messages": length}}
                found.rows.append(Row("list", key, settings, virtual_host=number))
    for kind, key in named:
        if kind == "stream":
            budget.left_s()
            found.rows += _stream(client, key, number)


def _together(client: Any, command: str, keys: list[str]) -> list[Any]:
    pipeline = client.pipeline(transaction=False)
    for key in keys:
        getattr(pipeline, command)(key)
    # A key may be gone, or something else, meanwhile.
    return list(pipeline.execute(raise_on_error=False))


def _stream(client: Any, key: str, number: str) -> Iterator[Row]:
    try:
        about = client.xinfo_stream(key)
        groups = client.xinfo_groups(key)
        consumers = {group["name"]: client.xinfo_consumers(key, group["name"]) for group in groups}
    except ResponseError:
        return  # it is gone
    state = {name: about[key] for key, name in _STREAM.items() if isinstance(about.get(key), int)}
    yield Row("stream", key, {"action": "inspect", "state": state}, virtual_host=number)
    for group in groups:
        state = {name.replace("-", "_"): group[name] for name in _GROUP if isinstance(group.get(name), int)}
        settings = {"action": "lag", "last_delivered_id": group.get("last-delivered-id"), "state": state}
        yield Row("stream", key, settings, virtual_host=number, consumer_group=group["name"])
        for each in consumers[group["name"]]:
            state = {name: each[name] for name in ("pending", "idle") if isinstance(each.get(name), int)}
            yield Row(
                "stream", key, {"action": "consume", "state": state}, virtual_host=number,
                consumer_group=group["name"], consumer_tag=each.get("name"),
            )  # fmt: skip


def _clients(client: Any) -> Iterator[Row]:
    """One row for clients that are alike; where they connect from is not kept."""
    alike: Counter[tuple[str, ...]] = Counter()
    for each in client.client_list():
        if each.get("name") == "msgtrace-inspect":
            continue
        subscribed = str(each.get("sub", "0")) != "0" or str(each.get("psub", "0")) != "0"
        last = str(each.get("cmd", "")).partition("|")[0].lower()
        waits = last if last in _BLOCKING else ""
        names = (each.get("name", ""), each.get("lib-name", ""), each.get("lib-ver", ""), each.get("user", ""))
        alike[*map(str, names), "subscriber" if subscribed else waits] += 1
    for (name, library, version, user, role), count in sorted(alike.items()):
        settings = {
            "action": "inspect", "library": f"{library} {version}".strip(), "user": user, "role": role,
            "state": {"clients": count},
        }  # fmt: skip
        yield Row("client", name, settings)


def _batches(values: Iterable[str]) -> Iterator[list[str]]:
    left = iter(values)
    while some := list(islice(left, AT_ONCE)):
        yield some
