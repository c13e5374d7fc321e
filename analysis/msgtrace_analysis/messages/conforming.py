"""Whether messages are as an AsyncAPI document says: their channel, their name, their payload."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import yaml

from msgtrace_analysis.messages.table import safe

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Sequence

    from msgtrace_analysis.messages.observed import Message

DOCUMENT: Final = "msgtrace:document"
MAX_ERRORS: Final = 3
"""Shown of one message."""


@dataclass(frozen=True, slots=True)
class Declared:
    """A message of a document.

    Attributes:
        names: that it goes by.
        address: of its channel, a pattern; None for a message that no channel has.
        payload: where its schema is (a JSON pointer), or the schema; None when the document has none.
    """

    names: frozenset[str]
    address: re.Pattern[str] | None
    payload: Any


@dataclass(frozen=True, slots=True)
class Document:
    """An AsyncAPI document: whole, and the messages that it declares."""

    whole: dict[str, Any]
    messages: tuple[Declared, ...]


def load(path: str | os.PathLike[str]) -> Document:
    """Read a document.

    Raises:
        ValueError: it is none.
    """
    try:
        whole = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ValueError(f"{path}: can't be read: {str(error).splitlines()[0]}") from None
    if not isinstance(whole, dict) or not str(whole.get("asyncapi", "")).startswith(("2.", "3.")):
        raise ValueError(f"{path}: no AsyncAPI document of version 2 or 3")
    return Document(whole, tuple(_declared(whole)))


def _declared(whole: dict[str, Any]) -> Iterator[Declared]:
    channels = _resolved(whole, whole.get("channels"))
    for name, given in channels.items() if isinstance(channels, dict) else ():
        channel = _resolved(whole, given)
        if not isinstance(channel, dict):
            continue
        address = _pattern(str(channel.get("address") or name))
        for key, message in _messages(whole, channel):
            yield _one(whole, key, message, address)


def _messages(whole: dict[str, Any], channel: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """The messages of a channel: version 3 has them by name, version 2 in its operations."""
    messages = _resolved(whole, channel.get("messages"))
    if isinstance(messages, dict):
        yield from messages.items()
    for direction in ("publish", "subscribe"):
        operation = _resolved(whole, channel.get(direction))
        message = _resolved(whole, operation.get("message")) if isinstance(operation, dict) else None
        if isinstance(message, dict):
            given = operation.get("message")
            for each in message["oneOf"] if isinstance(message.get("oneOf"), list) else [given]:
                reference = each.get("$ref", "") if isinstance(each, dict) else ""
                yield reference.rpartition("/")[2], each


def _one(whole: dict[str, Any], key: str, given: Any, address: re.Pattern[str]) -> Declared:
    names = {key}
    if isinstance(given, dict) and "$ref" in given:
        names.add(str(given["$ref"]).rpartition("/")[2])
    message = _resolved(whole, given)
    message = message if isinstance(message, dict) else {}
    names |= {str(message[each]) for each in ("name", "title", "messageId") if message.get(each)}
    payload = message.get("payload")
    if isinstance(payload, dict) and "schemaFormat" in payload and "schema" in payload:
        payload = payload["schema"]
    return Declared(frozenset(filter(None, names)), address, payload)


def _resolved(whole: Any, value: Any) -> Any:
    """What a value refers to in the same document."""
    for _ in range(20):
        if not (isinstance(value, dict) and isinstance(value.get("$ref"), str) and value["$ref"].startswith("#/")):
            return value
        place = whole
        for part in value["$ref"][2:].split("/"):
            part = part.replace("~1", "/").replace("~0", "~")  # noqa: PLW2901 - RFC 6901
            place = place.get(part) if isinstance(place, dict) else None
        value = place
    return None


def _pattern(address: str) -> re.Pattern[str]:
    parts = re.split(r"\{[^{}]*\}", address)
    return re.compile(".+".join(map(re.escape, parts)))


def check(document: Document, messages: Sequence[Message], *, strict: bool) -> tuple[list[Message], list[str]]:
    """Validate messages.

    Args:
        document: what they are to be like.
        messages: to be validated.
        strict: what the document says nothing of is a problem.

    Returns:
        the messages that it says something of, and what is wrong, a text each.
    """
    validated, problems = [], []
    for message in messages:
        places = {message.channel, message.routing_key, f"{message.channel}/{message.routing_key}"} - {""}
        there = [d for d in document.messages if d.address and any(d.address.fullmatch(place) for place in places)]
        fitting = [each for each in there if each.names & message.names]
        candidates = fitting or ([] if len(there) > 1 else there)
        if not candidates:
            if there:
                known = ", ".join(sorted({min(each.names) for each in there}))
                problems.append(_problem(message, [f"the channel has no message of this name; declared are {known}"]))
            elif strict:
                problems.append(_problem(message, ["the document has no such channel"]))
            continue
        validated.append(message)
        complaints = [_complaints(document, each, message) for each in candidates]
        if all(complaints):
            problems.append(_problem(message, min(complaints, key=len)))
    return validated, problems


def _complaints(document: Document, declared: Declared, message: Message) -> list[str]:
    if declared.payload is None or declared.payload is True:
        return []
    if message.body is None:
        return [f"its payload of {message.body_size} bytes could not be decoded, and so not be validated"]
    # Loaded here: validation is the one thing that needs them.
    try:
        from jsonschema import Draft7Validator  # noqa: PLC0415
        from referencing import Registry  # noqa: PLC0415
        from referencing.jsonschema import DRAFT7  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise ValueError(f"conforms_to needs {error.name}: pip install 'msgtrace[pytest]'") from None
    registry: Any = Registry().with_resource(DOCUMENT, DRAFT7.create_resource(document.whole))
    schema = _absolute(declared.payload)
    found = sorted(
        Draft7Validator(schema, registry=registry).iter_errors(message.body), key=lambda e: list(map(str, e.path))
    )
    shown = []
    for wrong in found[:MAX_ERRORS]:
        where = (
            "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in wrong.absolute_path) or "payload"
        )
        shown.append(f"{where}: {wrong.message[:200]}")
    return [*shown, *([f"and {len(found) - MAX_ERRORS} more"] if len(found) > MAX_ERRORS else [])]


def _absolute(schema: Any) -> Any:
    """A schema whose references into the document name it."""
    if isinstance(schema, dict):
        return {
            name: f"{DOCUMENT}{value}"
            if name == "$ref" and isinstance(value, str) and value.startswith("#")
            else _absolute(value)
            for name, value in schema.items()
        }
    return [_absolute(each) for each in schema] if isinstance(schema, list) else schema


def _problem(message: Message, complaints: list[str]) -> str:
    head = f"  {message.name} on {message.channel} (operation {message.operation_id}):"
    return safe(head) + "".join(f"\n    {safe(each)}" for each in complaints)
