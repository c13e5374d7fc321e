"""Which fields of a body travel as JSON text: an entry of a Redis stream holds texts only. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from msgtrace_analysis.findings import Contract, Event


def text_fields(event: Event, contract: Contract | None) -> tuple[str, ...]:
    """Those that are shown as what their text says, an object or a list, and must be written as JSON text."""
    if contract is None or (event.system, event.channel_kind) != ("redis", "stream"):
        return ()
    return tuple(
        each.path
        for each in contract.fields
        if {"object", "array"} & set(each.types) and "." not in each.path and "[" not in each.path
    )
