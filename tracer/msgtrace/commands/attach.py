"""`msgtrace attach`: record in processes that run, for as long as this command runs, and leave them as they were.

What is said of an attempt goes to standard error: who was reached, what is hooked there, and what that cost them.
"""

from __future__ import annotations

import re
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from msgtrace.attaching import errand, session
from msgtrace.attaching.process import Target, Unreachable, target
from msgtrace.attaching.workers import called, own_line, running
from msgtrace.commands.recording import collector_of, fail, options, say, settings_of, store, summarise
from msgtrace.commands.supervise import CollectorFailed, Place
from msgtrace.settings import BadSetting

if TYPE_CHECKING:
    from msgtrace.attaching.errand import Answer
    from msgtrace.commands.supervise import Collector
    from msgtrace.settings import Settings

LOOKS_EVERY_S: Final = 0.2
_UNITS: Final = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def _seconds(_context: click.Context, option: click.Parameter, value: str | None) -> float | None:
    if value is None:
        return None
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd]?)", value)
    if match is None:
        raise click.BadParameter(f"{value!r} is not a time such as 60s or 5m", param=option)
    return float(match[1]) * _UNITS[match[2]]


@click.command()
@click.argument("pids", nargs=-1, metavar="PID...", type=click.IntRange(1))
@click.option("--all", "name", metavar="NAME", help="All processes of gunicorn, uvicorn, celery, ...")
@click.option("--for", "for_s", metavar="TIME", callback=_seconds, help="Detach after this time, e.g. 60s or 5m.")
@click.option("--patience", default=errand.PATIENCE_S, show_default=True, metavar="SECONDS",
              help="How long a process may take to answer.")  # fmt: skip
@options
def attach(
    pids: tuple[int, ...],
    name: str | None,
    for_s: float | None,
    patience: float,
    quiet: bool,  # noqa: FBT001 - click passes by name
    verbose: bool,  # noqa: FBT001
    **chosen: Any,
) -> None:
    """Record in running Python processes, until Ctrl-C, `msgtrace detach PID` or their end.

    Example: msgtrace attach 4711 --for 60s
    """
    if bool(pids) == bool(name):
        raise click.UsageError("say which: PIDs, or --all NAME")
    try:
        targets = _named(name) if name else [target(pid) for pid in dict.fromkeys(pids)]
        place = _place(targets)
        settings = settings_of(chosen)
        collector = collector_of(chosen, place)
        collector.start()
    except (Unreachable, BadSetting, CollectorFailed) as error:
        fail(str(error))
    ending = _Ending(for_s)
    reached = [one for one in targets if not ending.asked and _attached(one, collector, settings, patience)]
    if reached and not ending.asked:
        _wait(collector, ending)
    whole = _leave(collector, patience)
    store(collector)
    if not reached:
        sys.exit(1)
    if not quiet:
        summarise(chosen["db"], verbose=verbose)
    sys.exit(0 if whole and len(reached) == len(targets) else 1)


class _Ending:
    """When it is to end: at a time, or when a signal says so."""

    def __init__(self, for_s: float | None) -> None:
        self.asked = False
        self._at = None if for_s is None else time.monotonic() + for_s
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._signalled)

    def _signalled(self, *_: object) -> None:
        self.asked = True

    @property
    def due(self) -> bool:
        return self.asked or (self._at is not None and time.monotonic() >= self._at)


def _named(name: str) -> list[Target]:
    """The processes of a server. Those that can't be reached are said; it goes on without them.

    Raises:
        Unreachable: there is none that can be.
    """
    processes = running()
    found = called(name, processes, own_line(processes))
    targets = []
    for each in found:
        try:
            targets.append(target(each.pid))
        except Unreachable as error:
            say(f"left out: {error}")
    if not targets:
        raise Unreachable(f"no process of {name} can be attached to" if found else f"no process is called {name}")
    say(f"{len(targets)} processes of {name}: {', '.join(str(each.pid) for each in targets)}")
    return targets


def _place(targets: list[Target]) -> Place:
    """Where the targets can record to.

    Raises:
        Unreachable: there is no place for all of them.
    """
    owners = {(each.root, *_owner(each)) for each in targets}
    if len(owners) > 1:
        raise Unreachable("they belong to several users or containers; attach to those of each by themselves")
    ((root, user, group),) = owners
    return Place(Path(root + errand.MEMORY) if root != "/" else Path(errand.MEMORY), user, group)


def _owner(one: Target) -> tuple[int, int]:
    status = Path(f"/proc/{one.pid}").stat()
    return status.st_uid, status.st_gid


def _attached(one: Target, collector: Collector, settings: Settings, patience_s: float) -> bool:
    """Attach to one process and say what became of it; whether it is recorded now."""
    try:
        answer = session.attach(collector.spool, one, settings, patience_s)
    except Unreachable as error:
        say(f"not attached: {error}")
        return False
    if answer.outcome == "attached":
        libraries = answer.detail.replace(",", ", ") or "nothing that it has imported so far"
        say(f"attached to {one.pid}: hooked {libraries}; {_cost(answer)}")
        return True
    why = {"already": f"{one.pid} is being recorded already; end that first: msgtrace detach {one.pid}"}
    say(f"not attached to {one.pid}: {why.get(answer.outcome, answer.detail)}")
    return False


def _cost(answer: Answer) -> str:
    stopped = f"stopped for {answer.stopped_ns / 1e6:.0f} ms, " if answer.stopped_ns else ""
    return f"{stopped}its main thread busy with it for {answer.ran_ns / 1e6:.0f} ms"


def _wait(collector: Collector, ending: _Ending) -> None:
    """Wait until it is to end, or there is nothing left to record."""
    while not ending.due and session.attached(collector.spool):
        collector.keep_alive()
        time.sleep(LOOKS_EVERY_S)


def _leave(collector: Collector, patience_s: float) -> bool:
    """Detach from everything that still records; whether that succeeded."""
    whole = True
    pids = sorted(session.attached(collector.spool)) + session.forked(collector.spool)
    for pid in pids:
        try:
            answer = session.detach(collector.spool, pid, patience_s)
        except Unreachable as error:
            if Path(f"/proc/{pid}").exists():
                whole = False
                say(f"not detached: {error}. It records until its segment is full; then it ends by itself")
        else:
            say(f"detached from {pid}{_left_in_place(answer)}; {_cost(answer)}")
    return whole


def _left_in_place(answer: Answer) -> str:
    """What could not be put back, because somebody else has wrapped it since; what stands there records nothing."""
    return f", but for {answer.detail.replace(',', ', ')}, which others have wrapped since" if answer.detail else ""
