"""Bodies in bodies: kombu's envelope, Celery's tasks, CloudEvents, bytes in a stream's entry. Pure.

Each takes a JSON body apart, has what is encoded in it read by the chooser, and puts what came of it in its place.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import msgspec

from msgtrace_collectors.decoders.labels import Labels

if TYPE_CHECKING:
    from collections.abc import Callable

    from msgtrace_collectors.decoders.reading import Reading

_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_items = msgspec.json.Decoder(list[msgspec.Raw]).decode
_encode = msgspec.json.encode
_JSON_BYTES: Final = b'"$bytes"'


@dataclass(frozen=True, slots=True)
class Opened:
    """An envelope with its contents read.

    Attributes:
        name: of the envelope.
        document: as JSON text.
        inner: what was in it, as it was read.
    """

    name: str
    document: bytes
    inner: list[Reading]


def opened(body: bytes, redacted: bytes, labels: Labels, read: Callable[[bytes, Labels], Reading]) -> Opened | None:
    """Open a JSON body, if it is an envelope with something encoded in it.

    Args:
        body: the JSON text.
        redacted: the same without the secrets that are readable in it.
        labels: of the body.
        read: reads what is in it, and redacts that.
    """
    try:
        if b'"body_encoding"' in body:
            return _kombu(body, redacted, read)
        if b'"data_base64"' in body and "cloudevents" in labels.media_type()[0]:
            return _cloud_event(body, redacted, read)
        if labels.content_encoding == "redis-stream" and _JSON_BYTES in body:
            return _stream_entry(body, redacted, read)
    except (ValueError, TypeError, KeyError, binascii.Error):
        pass  # it only looks like one: it stays the JSON that it is
    return None


def _kombu(body: bytes, redacted: bytes, read: Callable[[bytes, Labels], Reading]) -> Opened | None:
    """https://docs.celeryq.dev/projects/kombu: virtual transports put a message and its properties into one JSON object."""
    told = msgspec.json.decode(body)
    if (
        not isinstance(told, dict)
        or not isinstance(told.get("body"), str)
        or not isinstance(told.get("properties"), dict)
    ):
        return None
    content = told["body"].encode()
    if told["properties"].get("body_encoding") == "base64":
        content = base64.b64decode(content, validate=True)
    headers = told.get("headers")
    inner = read(
        content,
        Labels(
            _text(told.get("content-type")),
            _text(told.get("content-encoding")),
            list(headers.items()) if isinstance(headers, dict) else None,
        ),
    )
    members = _members(redacted)
    members["body"] = msgspec.Raw(inner.shown())
    return Opened("kombu", _encode(members), [inner])


def _cloud_event(body: bytes, redacted: bytes, read: Callable[[bytes, Labels], Reading]) -> Opened | None:
    """https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md, section 3.1."""
    told = msgspec.json.decode(body)
    if not isinstance(told, dict) or not isinstance(told.get("data_base64"), str):
        return None
    inner = read(base64.b64decode(told["data_base64"], validate=True), Labels(_text(told.get("datacontenttype"))))
    members = _members(redacted)
    del members["data_base64"]
    members["data"] = msgspec.Raw(inner.shown())
    return Opened("cloudevents", _encode(members), [inner])


def _stream_entry(body: bytes, redacted: bytes, read: Callable[[bytes, Labels], Reading]) -> Opened | None:
    """What the tracer writes for a field that is no text: `{"$bytes": "<base64>"}`."""
    members, told = _members(redacted), _members(body)
    found = []
    for name, raw in told.items():
        text = bytes(raw)
        if name in members and text.startswith(b'{"$bytes"'):
            inner = read(base64.b64decode(msgspec.json.decode(text)["$bytes"], validate=True), Labels())
            found.append(inner)
            if inner.document is not None or not inner.kept:
                members[name] = msgspec.Raw(inner.shown())
    return Opened("redis-stream", _encode(members), found) if found else None


def task(document: bytes, labels: Labels) -> bytes | None:
    """A Celery task's body with its task's name, if the headers say that it is one.

    https://docs.celeryq.dev/en/stable/internals/protocol.html, version 2: the body is arguments, named arguments, the rest.
    """
    if not labels.headers or not document.startswith(b"["):
        return None
    name, number = labels.header("task"), labels.header("id")
    if name is None or number is None:
        return None
    try:
        arguments, named, rest = _items(document)
    except ValueError:
        return None
    return _encode({"task": name, "id": number, "args": arguments, "kwargs": named, "embed": rest})


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None
