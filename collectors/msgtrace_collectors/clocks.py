"""Aligns the clocks of hosts by the messages between them: a receive is never before its send.

A message from one host to another says how far the second's clock is ahead, at most: by the time that the message seemed to
take. One in the other direction says it at least. Together they leave an interval, as in Cristian's and NTP's
algorithms, with the smallest delays of the whole recording. Bounds through third hosts tighten it.

Clocks are corrected only where the messages show that they can't be right; then to the middle of the interval, which assumes
that the fastest messages took equally long in both directions. What is left of the interval is the uncertainty.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    import duckdb

ROUNDING_NS: Final = 1_000_000
"""Brokers and clients round times to milliseconds."""

# One row per pair of hosts: the shortest time that a message seemed to take. Only links that were not found by time.
_SEEMED: Final = """
    select s.host, r.host, min(r.began_ns - s.began_ns), count(*)
    from links as l
    join linkable as s on s.id = l.send_id
    join linkable as r on r.id = l.receive_id
    where
        s.host <> r.host and s.host <> '' and r.host <> ''
        and (l.method in ('offset', 'identity', 'traceparent') or (l.method = 'message_id' and l.certainty = 'exact'))
    group by all
"""
_WEIGHTS: Final = "select host, count(*) from linkable where host <> '' group by host"
_TABLE: Final = """
    create table if not exists msgtrace_store.clocks (
        host varchar not null, reference varchar not null, shift_ns bigint not null, least_ns bigint, most_ns bigint,
        messages bigint not null, contradicted boolean not null
    );
    delete from msgtrace_store.clocks;
"""
_SHIFT: Final = """
    update linkable set began_ns = began_ns - c.shift_ns from msgtrace_store.clocks as c where c.host = linkable.host;
    update sends set began_ns = began_ns - c.shift_ns from msgtrace_store.clocks as c where c.host = sends.host;
    create or replace temp table unlinked as select * from linkable where kind = 'receive';
"""


@dataclass(frozen=True, slots=True)
class Clock:
    """One host's clock against another's.

    Attributes:
        host: whose.
        reference: the host that it is compared with.
        shift_ns: how far it is taken to be ahead: this is subtracted from its times. 0 where nothing speaks against it.
        least_ns: how far it is ahead at least; None where no message says.
        most_ns: at most.
        contradicted: no one shift is right for all messages: a clock was set, or drifted, during the recording.
    """

    host: str
    reference: str
    shift_ns: int
    least_ns: int | None
    most_ns: int | None
    contradicted: bool = False


def aligned(seemed_ns: Mapping[tuple[str, str], int], weights: Mapping[str, int]) -> list[Clock]:
    """The clocks of all hosts that messages connect.

    Args:
        seemed_ns: by sending and receiving host, the shortest time that a message seemed to take; negative when a clock is off.
        weights: operations of each host: the reference is the one with most.
    """
    hosts = sorted({host for pair in seemed_ns for host in pair})
    place = {host: number for number, host in enumerate(hosts)}
    bound = np.full((len(hosts), len(hosts)), np.inf)
    np.fill_diagonal(bound, 0.0)
    for (a, b), least in seemed_ns.items():
        if a != b:
            bound[place[a], place[b]] = min(bound[place[a], place[b]], least)
    # Shortest paths (Floyd and Warshall): what messages over third hosts say.
    for over in range(len(hosts)):
        np.minimum(bound, bound[:, over, None] + bound[None, over, :], out=bound)
    together = np.isfinite(bound) | np.isfinite(bound.T)
    clocks: list[Clock] = []
    left = set(range(len(hosts)))
    while left:
        reference = max(sorted(left), key=lambda number: weights.get(hosts[number], 0))
        group = {reference}
        # Hosts that both send to a third and hear nothing of each other belong together all the same.
        while more := set(np.flatnonzero(together[sorted(group)].any(axis=0)).tolist()) - group:
            group |= more
        members = [reference, *sorted(group - {reference})]
        clocks += _group([hosts[number] for number in members], bound[np.ix_(members, members)])
        left -= group
    return sorted(clocks, key=lambda clock: clock.host)


def _group(hosts: list[str], bound: np.ndarray[Any, np.dtype[np.float64]]) -> list[Clock]:
    """Hosts that hang together, the reference first."""
    contradicted = bool((np.diagonal(bound) < -ROUNDING_NS).any())
    shifts = np.zeros(len(hosts))
    if not contradicted and bool((bound < -ROUNDING_NS).any()):
        shifts = np.array([_middle(-bound[n, 0], bound[0, n]) for n in range(len(hosts))])
        # Where one of two bounds is not known, there is no middle: what all others say must hold as well.
        shifts = (shifts[:, None] + bound).min(axis=0)
        shifts -= shifts[0]
    return [
        Clock(host, hosts[0], round(shifts[n]), _known(-bound[n, 0]), _known(bound[0, n]), contradicted)
        for n, host in enumerate(hosts)
        if n
    ]


def _middle(least: float, most: float) -> float:
    if math.isfinite(least) and math.isfinite(most):
        return (least + most) / 2
    # The smallest correction that the messages ask for.
    return max(least, 0.0) if math.isfinite(least) else min(most, 0.0)


def _known(bound: float) -> int | None:
    return round(bound) if math.isfinite(bound) else None


def align(connection: duckdb.DuckDBPyConnection) -> bool:
    """Store how the clocks of the trace's hosts stand, and shift the times that links are made by.

    Args:
        connection: after a first linking, in its transaction: with its tables `linkable`, `sends` and `links`.

    Returns:
        Whether a time was shifted, so that links are to be made again.
    """
    connection.execute(_TABLE)
    seen = connection.execute(_SEEMED).fetchall()
    if not seen:
        return False
    counts: dict[str, int] = {}
    for a, b, _, count in seen:
        counts[a] = counts.get(a, 0) + count
        counts[b] = counts.get(b, 0) + count
    weights = dict(connection.execute(_WEIGHTS).fetchall())
    clocks = aligned({(a, b): least for a, b, least, _ in seen}, weights)
    for clock in clocks:
        connection.execute(
            "insert into msgtrace_store.clocks values (?, ?, ?, ?, ?, ?, ?)",
            [clock.host, clock.reference, clock.shift_ns, clock.least_ns, clock.most_ns, counts[clock.host],
             clock.contradicted],
        )  # fmt: skip
    if not any(clock.shift_ns for clock in clocks):
        return False
    connection.execute(_SHIFT)
    return True
