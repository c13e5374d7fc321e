"""What a failing expectation shows: the messages that were seen instead, as a table."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any, Final

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from msgtrace_analysis.renderers.persons import without_persons

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from msgtrace_analysis.messages.observed import Message

MAX_ROWS: Final = 20
WIDTH: Final = 110
_CONTROLS: Final = dict.fromkeys([*range(32), 127, *range(128, 160)], "�")


def drawn(messages: Sequence[Message], since_ns: int, why: Callable[[Message], str] | None = None) -> str:
    """A table of messages; of many the last ones.

    Args:
        messages: in their order.
        since_ns: the time that theirs is told from.
        why: what speaks against one.
    """
    if not messages:
        return "No message of this test was recorded."
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for name, least, most in (
        ("s", 6, 8),
        ("message", 12, 30),
        ("channel", 8, 24),
        ("from", 4, 14),
        ("to", 4, 16),
        ("body", 10, 36),
    ):
        table.add_column(name, min_width=least, max_width=most, overflow="ellipsis", no_wrap=True)
    if why is not None:
        table.add_column("why not", min_width=10, max_width=36, overflow="fold")
    for message in messages[-MAX_ROWS:]:
        cells = [
            f"{(message.at_ns - since_ns) / 1e9:.3f}",
            message.name,
            message.channel,
            message.service,
            ", ".join(dict.fromkeys(each.service for each in message.receipts)) or "–",
            shown(message.body) if message.body is not None else f"<{message.body_size} bytes>",
        ]
        table.add_row(*(Text(safe(cell)) for cell in cells), *((Text(safe(why(message))),) if why is not None else ()))
    out = io.StringIO()
    Console(file=out, width=WIDTH if why is None else WIDTH + 30, force_terminal=False, color_system=None).print(table)
    text = "\n".join(line.rstrip() for line in out.getvalue().splitlines())
    left_out = len(messages) - MAX_ROWS
    return f"{text}\n({left_out} earlier ones are left out)" if left_out > 0 else text


def shown(body: Any) -> str:
    """A body on one line."""
    return json.dumps(body, ensure_ascii=False, default=str)[:200]


def safe(text: str) -> str:
    """A text without personal data, and without what would move the cursor."""
    return without_persons(text).translate(_CONTROLS)
