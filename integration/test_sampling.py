"""`--sample`: conversations are recorded whole or not at all, in every process; channels without ids, too; the rest is counted."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from integration.traced import PROGRAMS, run
from msgtrace.sampling import chosen
from msgtrace_collectors.left_out import FOLLOWS, REASONS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from integration.brokers import Rabbitmq

COUNT = 60
SAMPLE = 0.3
# One row per conversation: what of it there is.
WHOLE = """
    select
        correlation_id,
        count(*) filter (kind = 'send') as sends, count(*) filter (kind = 'receive') as receives,
        count(distinct process_id) as processes
    from operations where correlation_id is not null group by all
"""
# One row per service's queue without ids: how many of its messages there are.
PLAIN = """
    select
        regexp_extract(coalesce(nullif(routing_key, ''), channel), 'plain\\.(\\d+)$', 1) as place,
        count(*) filter (kind = 'send') as sends, count(*) filter (kind = 'receive') as receives
    from operations where kind in ('send', 'receive') and place <> '' group by all
"""
# One row: what follows from messages of the sample, and all there is of its kinds.
FOLLOWING = """
    select
        count(*) filter (kind = 'process' and system = 'rabbitmq') as handled,
        count(*) filter (kind = 'settle') as settled,
        count(*) filter (kind = 'send' and system = 'pyee') as emitted,
        count(*) filter (kind = 'process' and system = 'pyee') as heard,
        count(*) filter (kind = 'declare') as declared
    from operations
"""


@pytest.mark.rabbitmq
@pytest.mark.parametrize("native", ["1", "0"], ids=["compiled", "python"])
def test_conversations_are_whole(rabbitmq: Rabbitmq, unique: Callable[[str], str], native: str, tmp_path: Path) -> None:
    prefix = unique("sample")
    command = [sys.executable, str(PROGRAMS / "sampling" / "chain.py"), rabbitmq.url, prefix, str(COUNT)]
    options = ["--sample", str(SAMPLE)]
    done = run(command, tmp_path, options=options, env={"MSGTRACE_NATIVE": native})
    assert done.code == 0, done.stderr
    wanted = {name for name in (f"conversation-{n}" for n in range(COUNT)) if chosen(name.encode(), SAMPLE)}
    assert 0 < len(wanted) < COUNT
    rows = {row.pop("correlation_id"): row for row in done.rows(WHOLE)}
    assert set(rows) == wanted
    assert all(row == {"sends": 2, "receives": 2, "processes": 2} for row in rows.values()), rows
    plain = {row["place"]: (row["sends"], row["receives"]) for row in done.rows(PLAIN)}
    assert 0 < len(plain) < 20
    assert set(plain.values()) == {(3, 3)}
    (following,) = done.rows(FOLLOWING)
    both = 2 * len(wanted)
    assert following.pop("declared") >= 22
    assert following == {"handled": both, "settled": both + 3 * len(plain), "emitted": both, "heard": both}
    lost = {
        (row["reason"]): row["lost"] for row in done.rows("select reason, sum(lost) as lost from losses group by all")
    }
    left_out, channels_out = COUNT - len(wanted), 20 - len(plain)
    conversation, channel = REASONS.values()
    assert lost == {
        conversation: 4 * left_out, channel: 6 * channels_out, FOLLOWS: 2 * 4 * left_out + 3 * channels_out
    }  # fmt: skip
    details = done.values(f"select distinct detail from losses where reason = '{conversation}'")
    assert set(details) <= {"", f"{prefix}.first", f"{prefix}.second"}
    text = subprocess.run(
        [sys.executable, "-m", "msgtrace", "rates", "--db", str(done.trace)], capture_output=True, text=True, check=True
    ).stderr
    assert "msgtrace: a sample: 3 in 10 conversations" in text
    assert "of a sample: 0.3 of the conversations" in text
    assert done.values("select distinct (facts ->> '$.sample')::double from processes") == [SAMPLE]
