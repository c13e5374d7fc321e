"""The field of a body that a message's key is made of: its value equals the key in nearly all messages of a sample."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from msgtrace_analysis.passes.events import ref

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from msgtrace_analysis.findings import Certainty, Contract
    from msgtrace_analysis.study import Study

ROLE: Final = "partition key"
SAMPLED: Final = 100
"""Messages of each event type."""
LARGEST_BYTES: Final = 65_536
FEW: Final = 5
"""Messages from which on anything is said."""
ENOUGH: Final = 20
DIFFERENT: Final = 3
"""Keys; a field that is always the same equals a key that is always the same."""
NEARLY_ALL: Final = 0.95

# One row per event type on a log with keys, and a sample of its messages. The same trace gives the same sample.
SAMPLES: Final = f"""
    select
        m.system, m.address_kind, m.address, m.name,
        list_transform(
            min({{'place': (o.operation_id % 1000003) * 7919 % 1000003, 'operation': o.operation_id}}, {SAMPLED}),
            lambda each: each.operation
        )
    from messages as m
    inner join operations as o using (operation_id)
    where m.system = 'kafka' and (m.side = 'send' or m.send_id is null) and o.readable
        and coalesce(o.body_size, 0) <= {LARGEST_BYTES}
    group by m.system, m.address_kind, m.address, m.name
    order by all
"""


@dataclass(frozen=True, slots=True)
class Keyed:
    """The path of the field that is the key, and how sure that is."""

    path: str
    certainty: Certainty


def with_keys(study: Study, contracts: Iterable[Contract], only: Collection[str] | None = None) -> tuple[Contract, ...]:
    """Contracts whose fields say which of them is the partition key. Needs the tables of `naming`.

    Raises:
        TraceError: the trace went away meanwhile.
    """
    found = partition_keys(study, only)
    return tuple(_with_key(each, found.get(each.event)) for each in contracts)


def _with_key(contract: Contract, keyed: Keyed | None) -> Contract:
    if keyed is None:
        return contract
    fields = tuple(
        replace(each, role=f"{each.role}, {ROLE}" if each.role else ROLE, role_certainty=keyed.certainty)
        if each.path == keyed.path
        else each
        for each in contract.fields
    )
    return replace(contract, fields=fields)


def partition_keys(study: Study, only: Collection[str] | None = None) -> Mapping[str, Keyed]:
    """Event type -> its key's field, of those that have one; of some event types, or of all."""
    events: dict[int, str] = {}
    for *key, operations in study.rows(SAMPLES):
        if only is None or ref(*key) in only:
            events.update(dict.fromkeys(operations, ref(*key)))
    pairs: defaultdict[str, list[tuple[str, Any]]] = defaultdict(list)
    for operation, text, body in study.keys_and_bodies(list(events)) if events else ():
        try:
            pairs[events[operation]].append((text, json.loads(body)))
        except (ValueError, RecursionError):
            continue
    return {event: keyed for event, of in pairs.items() if (keyed := judged(of)) is not None}


def judged(pairs: Iterable[tuple[str, Any]]) -> Keyed | None:
    """The field that equals the key.

    Args:
        pairs: key and decoded body of each message.
    """
    known = [(frozenset(_meant(key)), body) for key, body in pairs if isinstance(body, dict)]
    if len(known) < FEW or len({meant for meant, _ in known}) < DIFFERENT:
        return None
    equal: Counter[str] = Counter(path for meant, body in known for path, value in _scalars(body) if value in meant)
    fitting = [path for path, count in equal.items() if count >= NEARLY_ALL * len(known)]
    if not fitting:
        return None
    # Where several do, one repeats another; the outermost is the best guess.
    path = min(fitting, key=lambda each: (each.count("."), -equal[each], each))
    return Keyed(path, "likely" if len(known) >= ENOUGH and len(fitting) == 1 else "guess")


def _meant(key: str) -> Iterator[str]:
    """What a key may say: itself, and what it is as JSON, alone or as the one field of an object."""
    yield key
    if key[:1] in {'"', "{"}:
        try:
            value = json.loads(key)
        except (ValueError, RecursionError):
            return
        if isinstance(value, dict) and len(value) == 1:
            (value,) = value.values()
        yield from _text(value)


def _scalars(body: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The texts and whole numbers of an object, and of the objects in it."""
    for name, value in body.items():
        for text in _text(value):
            yield name, text
        if isinstance(value, dict):
            for inner, each in value.items():
                for text in _text(each):
                    yield f"{name}.{inner}", text


def _text(value: Any) -> Iterator[str]:
    if isinstance(value, str) and value:
        yield value
    elif isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**64:
        yield str(value)
