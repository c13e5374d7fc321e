"""How times, and documents as a whole, are written for programs. Pure."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import msgspec


def text(document: Any) -> str:
    """A document as JSON, ending in a newline; halves of characters, which JSON allows and UTF-8 can't write, as escapes."""
    compact = json.dumps(document, ensure_ascii=False).encode("utf-8", "backslashreplace")
    return msgspec.json.format(compact, indent=2).decode() + "\n"  # json's own indenting takes five times as long


def time_of(at_ns: int | None) -> str | None:
    """RFC 3339, UTC, to the microsecond."""
    if at_ns is None:
        return None
    moment = datetime.fromtimestamp(at_ns // 1_000_000_000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{at_ns // 1000 % 1_000_000:06d}Z"
