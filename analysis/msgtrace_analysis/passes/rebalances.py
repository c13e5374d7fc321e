"""What consumer groups' members were given and lost, and what came again after it. Folded in order of time, a group at a time."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

from msgtrace_analysis.findings import Rebalance
from msgtrace_analysis.passes.evidence import EVIDENCE, evidence

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from msgtrace_analysis.study import Study

# One row per change of what a member of a group has, in order of time.
CHANGES: Final = """
    select
        system, consumer_group, coalesce(group_member, process_id), coalesce(group_generation, -1), at_ns, service,
        settings ->> '$.action', coalesce(cast(settings -> '$.assigned' as varchar), '{}')
    from timed
    where kind = 'subscribe' and consumer_group is not null and settings ->> '$.action' in ('rebalance', 'revoke', 'lose')
        and outcome not in ('raised', 'cancelled')
    order by system, consumer_group, at_ns, operation_id
"""

# One row per group with such changes.
GROUPS: Final = f"""
    select system, consumer_group, {EVIDENCE}
    from timed
    where kind = 'subscribe' and consumer_group is not null and settings ->> '$.action' in ('rebalance', 'revoke', 'lose')
    group by system, consumer_group
"""

# One row per group: messages that were delivered in a later generation than the time before.
REPEATED: Final = """
    with followed as (
        select
            system, consumer_group, group_generation, turn,
            lag(group_generation) over (partition by system, channel, consumer, message order by turn) as before
        from taken
        where message is not null and consumer_group <> ''
    )
    select system, consumer_group, count(*)
    from followed
    where turn > 1 and group_generation <> before
    group by system, consumer_group
"""


@dataclass(slots=True)
class Folded:
    """What was seen of one group, change by change."""

    owners: dict[tuple[str, int], str] = field(default_factory=dict)
    generations: dict[int, set[str]] = field(default_factory=dict)
    channels: set[str] = field(default_factory=set)
    services: set[str] = field(default_factory=set)
    moved: int = 0
    lost: int = 0
    longest_ns: int | None = None
    _revoked: dict[str, int] = field(default_factory=dict)

    def add(self, member: str, generation: int, at_ns: int, action: str, assigned: Mapping[str, Iterable[int]]) -> None:
        """Take in one change."""
        if action != "rebalance":
            self.lost += action == "lose"
            self._revoked.setdefault(member, at_ns)
            return
        if generation >= 0:
            self.generations.setdefault(generation, set()).add(member)
        begun = self._revoked.pop(member, None)
        if begun is not None:
            self.longest_ns = max(self.longest_ns or 0, at_ns - begun)
        for topic, partitions in assigned.items():
            self.channels.add(topic)
            for partition in partitions:
                self.moved += self.owners.get((topic, partition), member) != member
                self.owners[topic, partition] = member


def rebalances(study: Study) -> tuple[Rebalance, ...]:
    """Find what groups' members were given and lost. Needs the tables of `handling`."""
    repeated = {(system, group): count for system, group, count in study.rows(REPEATED)}
    proven = {(system, group): evidence(rest) for system, group, *rest in study.rows(GROUPS)}
    found = []
    for (system, group), changes in groupby(study.rows(CHANGES), key=lambda row: (row[0], row[1])):
        folded = fold(changes)
        found.append(
            Rebalance(
                system=system or "", group=group, channels=tuple(sorted(folded.channels)),
                services=tuple(sorted(folded.services)),
                rebalances=max(len(folded.generations) - 1, 0),
                members=max((len(members) for members in folded.generations.values()), default=0), moved=folded.moved,
                lost=folded.lost, longest_ms=None if folded.longest_ns is None else round(folded.longest_ns / 1e6, 3),
                repeated=repeated.get((system, group), 0), evidence=proven[system, group],
            )
        )  # fmt: skip
    return tuple(found)


def fold(changes: Iterable[tuple[Any, ...]]) -> Folded:
    """The changes of one group, in order of time. Pure."""
    folded = Folded()
    for _, _, member, generation, at_ns, service, action, assigned in changes:
        folded.services.add(service)
        folded.add(member, generation, at_ns, action, json.loads(assigned) or {})
    return folded
