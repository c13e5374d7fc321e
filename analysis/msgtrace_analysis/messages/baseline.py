"""A saved baseline: which events there were, where, between whom, with which fields; and what no longer holds of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from msgtrace_analysis.renderers.persons import without_persons

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator

    from msgtrace_analysis.messages.observed import Message

FORMAT: Final = "msgtrace-baseline"
MAX_DEPTH: Final = 12

Contract = dict[str, dict[str, Any]]


def contract(messages: Iterable[Message]) -> Contract:
    """What messages have in common, by the event's name: never a value of theirs.

    Of each event: `channels`, `senders`, `receivers`, and `fields`: their types by path, and those that every message had.
    """
    found: Contract = {}
    for message in messages:
        fields = dict(_fields(message.body))
        event = found.get(message.name)
        if event is None:
            event = found[message.name] = {
                "channels": set(), "senders": set(), "receivers": set(), "fields": {}, "required": set(fields),
            }  # fmt: skip
        event["channels"].add(message.channel)
        event["senders"].update(filter(None, [message.service]))
        event["receivers"].update(each.service for each in message.receipts if each.service)
        event["required"] &= set(fields)
        for path, kinds in fields.items():
            event["fields"].setdefault(path, set()).update(kinds)
    return {
        name: {
            **{part: sorted(event[part]) for part in ("channels", "senders", "receivers", "required")},
            "fields": {path: sorted(kinds) for path, kinds in sorted(event["fields"].items())},
        }
        for name, event in sorted(found.items())
    }


def _fields(value: Any, path: str = "", depth: int = 0) -> Iterator[tuple[str, set[str]]]:
    """Paths and types of a body; elements of a list share one path."""
    merged: dict[str, set[str]] = {}
    if isinstance(value, dict) and depth < MAX_DEPTH:
        for name, each in value.items():
            inner = f"{path}.{name}" if path else str(name)
            merged.setdefault(inner, set()).add(_kind(each))
            for place, kinds in _fields(each, inner, depth + 1):
                merged.setdefault(place, set()).update(kinds)
    elif isinstance(value, list) and depth < MAX_DEPTH:
        for each in value:
            merged.setdefault(f"{path}[]", set()).add(_kind(each))
            for place, kinds in _fields(each, f"{path}[]", depth + 1):
                merged.setdefault(place, set()).update(kinds)
    yield from merged.items()


def _kind(value: Any) -> str:
    kinds = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array", dict: "object"}
    return "null" if value is None else kinds.get(type(value), "unknown")


def compared(file: str | os.PathLike[str], now: Contract, *, update: bool) -> list[str]:
    """What of a saved baseline no longer holds; nothing when it was written just now.

    Raises:
        ValueError: the file can't be read or written, or is not ours.
    """
    path = Path(file)
    now = json.loads(without_persons(json.dumps(now, ensure_ascii=False)))  # as it is saved
    if update:
        _write(path, now)
        return []
    return differences(_read(path), now)


def _read(path: Path) -> Contract:
    try:
        saved = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ValueError(f"{path}: there is no such baseline yet; write it with --msgtrace-update") from None
    except (OSError, ValueError) as error:
        raise ValueError(f"{path}: can't be read: {error}") from None
    if not isinstance(saved, dict) or saved.get("format") != FORMAT or not isinstance(saved.get("events"), dict):
        raise ValueError(f"{path}: not a baseline of msgtrace's; it is left as it is")
    events: Contract = saved["events"]
    return events


def _write(path: Path, now: Contract) -> None:
    if path.exists():
        _read(path)  # over nothing that is not ours
    text = json.dumps({"format": FORMAT, "version": 1, "events": now}, indent=2, ensure_ascii=False)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{text}\n", encoding="utf-8")
    except OSError as error:
        raise ValueError(f"{path}: can't be written: {error.strerror}") from None


def differences(before: Contract, now: Contract) -> list[str]:
    """What others rely on and is no more, a line each. What has been added breaks nobody."""
    lines = []
    for name, was in before.items():
        there = now.get(name)
        if there is None:
            lines.append(f"{name}: no longer sent")
            continue
        for part, word in (
            ("channels", "no longer on"),
            ("senders", "no longer sent by"),
            ("receivers", "no longer received by"),
        ):
            lines += [f"{name}: {word} {each}" for each in was.get(part, ()) if each not in there[part]]
        for path, kinds in was.get("fields", {}).items():
            if path not in there["fields"]:
                lines.append(f"{name}: field {path} has vanished")
            elif set(there["fields"][path]) - set(kinds) - ({"integer"} if "number" in kinds else set()):
                lines.append(f"{name}: field {path} was {' or '.join(kinds)}, is {' or '.join(there['fields'][path])}")
            elif path in was.get("required", ()) and path not in there["required"]:
                lines.append(f"{name}: field {path} was in every message, and is not any more")
    return lines


def told(file: str | os.PathLike[str], lines: list[str]) -> str:
    """For a failure."""
    many = "\n".join(f"  {without_persons(line)}" for line in lines)
    return f"{len(lines)} things that {file} has no longer hold (accept them with --msgtrace-update):\n{many}"
