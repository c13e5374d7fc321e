"""`msgtrace run` and the processes that a program makes: what each of them sent is recorded, as its own, to the last one."""

from __future__ import annotations

import sys
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from integration.traced import PROGRAMS, run

if TYPE_CHECKING:
    from pathlib import Path

SENT = """
select p.pid, cast(o.body_json as integer) as number
from operations as o
join processes as p using (process_id)
where o.kind = 'send' and o.routing_key = 'work'
"""
EMITS = {
    "fork": 6,
    "fork_without_handlers": 9,
    "first_in_the_child": 1,
    "ends_at_once": 1,
    "replaced": 2,
    "fork_method": 10,
    "spawn": 10,
    "forkserver": 10,
    "one_task_a_child": 4,
    "tree": 11,
}


@pytest.mark.parametrize("way", EMITS)
def test_what_each_process_sent(way: str, tmp_path: Path) -> None:
    ended = run([sys.executable, str(PROGRAMS / "run" / "processes.py"), way], tmp_path)
    assert (ended.code, ended.stderr) == (0, "")
    told = Counter(tuple(map(int, line.split())) for line in ended.stdout.splitlines())
    assert Counter((row["pid"], row["number"]) for row in ended.rows(SENT)) == told
    assert told.total() == EMITS[way]
    assert ended.values("select coalesce(sum(lost), 0) from losses") == [0]
    # A child is told of as one: its process is its own, and says of whom it was forked.
    pids = {pid for pid, _ in told}
    assert pids <= set(ended.values("select pid from processes"))
