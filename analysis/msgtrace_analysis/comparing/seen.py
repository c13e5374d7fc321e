"""What only one of two runs has, and how sure that is. Pure.

Each comparison is written for what vanished; what appeared is what vanished with the runs exchanged.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from msgtrace_analysis.comparing.chance import is_sure, rounded
from msgtrace_analysis.findings.differences import Delta

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from msgtrace_analysis.comparing.run import Run
    from msgtrace_analysis.findings import Verdict
    from msgtrace_analysis.findings.differences import Aspect, How

OTHER_SIDE: Final[dict[How, How]] = {
    "appeared": "vanished",
    "vanished": "appeared",
    "not seen": "not seen before",
    "not seen before": "not seen",
    "changed": "changed",
}
OTHER_VERDICT: Final[dict[Verdict | None, Verdict | None]] = {
    "backward": "forward", "forward": "backward", "full": "full", "none": "none", None: None
}  # fmt: skip


def gone(
    aspect: Aspect,
    subject: str,
    part: str,
    where: str,
    base: str,
    chance: float | None,
    *,
    breaking: str = "",
    head: str = "",
    sure: bool = False,
) -> Delta:
    """What BASE has and HEAD has not; it breaks nothing as long as chance may show as much, or `sure` is not set instead."""
    sure = sure if chance is None else is_sure(chance)
    return Delta(
        aspect=aspect,
        how="vanished" if sure else "not seen",
        subject=subject,
        part=part,
        where=where,
        what="",
        base=base,
        head=head,
        verdict=None,
        breaking=breaking if sure else "",
        certainty="likely" if sure else "guess",
        chance=None if chance is None else rounded(chance),
    )


def both_ways(vanished: Callable[[Run, Run], Iterable[Delta]], base: Run, head: Run) -> Iterator[Delta]:
    """What vanished and what appeared."""
    yield from vanished(base, head)
    yield from map(mirrored, vanished(head, base))


def mirrored(delta: Delta) -> Delta:
    """A difference as it is with the runs exchanged; whether it breaks something is another question there."""
    return replace(
        delta,
        how=OTHER_SIDE[delta.how],
        base=delta.head,
        head=delta.base,
        verdict=OTHER_VERDICT[delta.verdict],
        breaking="",
    )
