"""Reads HTML forms as browsers send them by default: `application/x-www-form-urlencoded`. Pure."""

from __future__ import annotations

from typing import Final
from urllib.parse import parse_qsl

from msgtrace_collectors.decoders.limits import MAX_INPUT_BYTES, Malformed, TooMuch
from msgtrace_collectors.decoders.tree import json_text

MAX_FIELDS: Final = 10_000


def form(body: bytes) -> bytes:
    """A body as a JSON object of texts; a name that repeats holds an array.

    Raises:
        Unreadable: see its kinds.
    """
    if len(body) > MAX_INPUT_BYTES or body.count(b"&") >= MAX_FIELDS:
        raise TooMuch("more fields than a form may have")
    if b"=" not in body:
        raise Malformed("not a form")
    shown: dict[str, str | list[str]] = {}
    for name, value in parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=MAX_FIELDS):
        before = shown.get(name)
        if before is None:
            shown[name] = value
        elif isinstance(before, list):
            before.append(value)
        else:
            shown[name] = [before, value]
    return json_text(shown)
