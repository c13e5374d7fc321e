"""`msgtrace detach`: end what `msgtrace attach` began, from anywhere; that command then stores the rest and ends."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from msgtrace.attaching import errand, session
from msgtrace.attaching.process import Unreachable, target
from msgtrace.commands.recording import say

if TYPE_CHECKING:
    from msgtrace.attaching.errand import Answer


@click.command()
@click.argument("pids", nargs=-1, required=True, metavar="PID...", type=click.IntRange(1))
@click.option("--patience", default=errand.PATIENCE_S, show_default=True, metavar="SECONDS",
              help="How long a process may take to answer.")  # fmt: skip
def detach(pids: tuple[int, ...], patience: float) -> None:
    """End recording in processes that `msgtrace attach` records, and in what they have forked.

    Every function is again what it was.
    """
    whole = True
    for pid in dict.fromkeys(pids):
        try:
            whole &= _detached(pid, patience)
        except Unreachable as error:
            whole = False
            say(f"not detached: {error}")
    sys.exit(0 if whole else 1)


def _detached(pid: int, patience_s: float) -> bool:
    """Detach from a process and its forks.

    Raises:
        Unreachable: it could not be told.
    """
    target(pid)
    spools = session.spools(pid)
    children = [child for spool in spools for child in session.forked(spool, of=pid)]
    done = True
    for one in (pid, *children):
        answer = session.detach(spools[0] if spools else None, one, patience_s)
        done &= _said(one, answer)
    return done


def _said(pid: int, answer: Answer) -> bool:
    if answer.outcome == "detached":
        say(f"detached from {pid}")
    elif answer.outcome == "absent":
        say(f"nothing records in {pid}")
    elif answer.outcome == "foreign":
        say(f"{pid} is recorded by `msgtrace run` or by its own code, from its start; that ends with it")
    else:
        say(f"not detached from {pid}: {answer.detail}")
    return answer.outcome == "detached"
