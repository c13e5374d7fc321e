"""What `msgtrace run` says at its end: a dozen lines on what was recorded, and what to type next.

`python -m msgtrace_analysis.summary DB [--verbose]` writes them to standard output; `run` sends that to standard error.
"""

from __future__ import annotations

import shlex
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from msgtrace_analysis.commands.opening import DEFAULT_TRACE, studied
from msgtrace_analysis.commands.writing import say
from msgtrace_analysis.passes import span_ns
from msgtrace_analysis.passes.completeness import completeness
from msgtrace_analysis.passes.events import catalogue
from msgtrace_analysis.passes.practices import recording
from msgtrace_analysis.passes.stack import stack
from msgtrace_analysis.renderers.markdown import visible
from msgtrace_analysis.renderers.sample_lines import part

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from msgtrace_analysis.findings import Completeness, Event, Recording, Stack

NAMED_LOSSES: Final = 3
PARTS: Final = 8


def lines(
    db: Path, extent: Recording, system: Stack, events: tuple[Event, ...], known: Completeness, *, verbose: bool
) -> Iterator[str]:
    """The summary.

    Args:
        db: as the user would name it.
        extent: the trace as a whole.
        system: its processes and libraries.
        events: its event types.
        known: what is known and what is not.
        verbose: say more than a dozen lines.
    """
    option = "" if db == DEFAULT_TRACE else f" --db {shlex.quote(str(db))}"
    processes = sum(each.processes for each in system.services)
    where = f"{_of(processes, 'process', 'processes')} of {_of(len(system.services), 'service')}"
    yield f"msgtrace: {_of(extent.operations, 'operation')} in {where}: {db}"
    if not events:
        yield from _nothing(extent, processes)
    else:
        yield f"  operations      {_counts(_largest(extent.kinds))}"
        yield f"  event types     {len(events)}: {_counts(_largest(Counter(each.system for each in events).items()))}"
        channels = Counter(system for system, _, _ in {(e.system, e.channel_kind, e.address) for e in events})
        yield f"  channels        {channels.total()}: {_counts(_largest(channels.items()))}"
        yield f"  receives        {_found(known, 'receive', known.links, 'matched to their sends')}"
        yield f"  sends           {_found(known, 'send', (), '')}{_caused(known)}"
    if extent.sample is not None:
        yield f"  sample          {part(extent.sample)} conversations, or whole channels; the rest is counted as losses"
    yield f"  losses          {_losses(known, option)}"
    if verbose:
        yield from _more(system, known)
    if events:
        yield f"  next            msgtrace report{option}    (also: events, flows, queues, follow ID, sql)"


def _nothing(extent: Recording, processes: int) -> Iterator[str]:
    if not processes:
        yield "  nothing         no Python process of the program was recorded: is it started by another interpreter?"
    elif extent.operations:
        yield f"  operations      {_counts(_largest(extent.kinds))}: no message among them"
    else:
        yield "  nothing         the program sent and received no message through a library that msgtrace knows"
    yield "  find out        msgtrace doctor (what can be recorded), msgtrace run --verbose -- ... (what was hooked)"


def _found(known: Completeness, side: str, found: Iterable[tuple[str, int]], what: str) -> str:
    missing = sum(each.evidence.operations for each in known.unlinked if each.side == side)
    other = "send" if side == "receive" else "receive"
    matched = f"{_counts(found)} {what}; " if what and found else ""
    return f"{matched}{missing:,} without a {other} in the trace"


def _caused(known: Completeness) -> str:
    return (
        f"; cause found for {sum(count for _, count in known.causes):,} ({_counts(known.causes)})"
        if known.causes
        else ""
    )


def _losses(known: Completeness, option: str) -> str:
    if not known.losses:
        return "none counted"
    sums: Counter[str] = Counter()
    for each in known.losses:
        sums[each.reason] += each.lost
    more = f", {len(sums) - NAMED_LOSSES} more reasons" if len(sums) > NAMED_LOSSES else ""
    return f"{_counts(_largest(sums.items())[:NAMED_LOSSES])}{more}: msgtrace losses{option}"


def _more(system: Stack, known: Completeness) -> Iterator[str]:
    for client in system.clients:
        yield f"  {client.system}: {client.client} in {', '.join(client.services)}, {client.evidence.operations:,}"
    for each in known.unlinked:
        channel = visible(each.channel, 80)
        count = each.evidence.operations
        yield f"  {each.side} without its other end: {each.system} {channel}, {count:,}: {each.reason}"
    for loss in known.losses:
        yield f"  lost: {loss.service}: {loss.reason}, {loss.lost:,}: {visible(loss.detail)}"


def _of(count: int, one: str, many: str = "") -> str:
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def _largest(counts: Iterable[tuple[str, int]]) -> list[tuple[str, int]]:
    return sorted(counts, key=lambda each: (-each[1], each[0]))


def _counts(counts: Iterable[tuple[str, int]]) -> str:
    known = list(counts)
    more = f", {len(known) - PARTS} more" if len(known) > PARTS else ""
    return ", ".join(f"{name} {count:,}" for name, count in known[:PARTS]) + more


def main(arguments: list[str]) -> int:
    """Write the summary of a trace.

    Args:
        arguments: the trace file, and perhaps `--verbose`.

    Returns:
        the exit code: 0, or 1 when the trace could not be read, which a line says.
    """
    db = Path(arguments[0])
    try:
        with studied(db) as study:
            extent = recording(study)
            written = list(lines(
                db, extent, stack(study), catalogue(study, span_ns(extent)), completeness(study),
                verbose="--verbose" in arguments[1:],
            ))  # fmt: skip
    except click.ClickException as error:
        say(f"msgtrace: no summary: {error.message}\n")
        return 1
    say("\n".join(written) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
