"""How long a channel keeps messages, as its declaration, its policy or an inspection says. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from msgtrace_analysis.findings import Channel


def kept_ms(channel: Channel) -> tuple[int | None, str]:
    """The shortest time that messages are kept, and what says so."""
    found: list[tuple[int, str]] = []
    for form in (*channel.settings, *channel.inspected):
        places: tuple[tuple[Mapping[str, object], str], ...] = (
            (form.get("arguments") or {}, "x-message-ttl"),
            (form.get("effective_policy") or {}, "message-ttl"),
            (form.get("configs") or {}, "retention.ms"),
        )
        for values, name in places:
            value = str(values.get(name, ""))
            # Of a compacted topic the last record of each key stays.
            if value.isdecimal() and "compact" not in str((form.get("configs") or {}).get("cleanup.policy", "")):
                found.append((int(value), name))
    return min(found, default=(None, ""))
