"""What the readers of all of redis-py's commands share: a value's bytes on the wire, a key as text, a command's word.

Values are encoded as `redis._parsers.encoders.Encoder` does, for built-in types only: no code of the program's runs.
Every encoding is taken to agree with ASCII where that goes, as redis-py itself takes it for a command's words.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from msgtrace import interning
from msgtrace.snapshot import TYPE

if TYPE_CHECKING:
    from msgtrace.records import Message

_WORDS: Final = {each.encode(): each for each in ("GROUP", "COUNT", "BLOCK", "NOACK", "STREAMS", "CLAIM", "~", ">")}
"""What redis-py itself writes in bytes."""
_EXACT: Final = frozenset({"strict", "surrogateescape", "surrogatepass"})
"""Error handlers with which decoding and encoding again gives the same bytes."""


def type_name(value: Any) -> str:
    """The full name of a value's class."""
    kind: Any = type(value)
    return interning.type_name(kind)


def codec(client: Any) -> tuple[str, str]:
    """The encoding and error handler that a client or PubSub was made with."""
    encoder = client.__dict__.get("encoder")
    if encoder is None:
        pool = getattr(client, "connection_pool", None)
        if pool is not None:
            known = pool.connection_kwargs
            return known.get("encoding", "utf-8"), known.get("encoding_errors", "strict")
        encoder = client.encoder  # an asyncio cluster, which has slots
    return encoder.encoding, encoder.encoding_errors


def wire(client: Any, value: Any) -> bytes | bytearray | memoryview | None:
    """What a value, given or received, is on the wire; None for what only code of the program's could tell."""
    kind = type(value)
    if kind is bytes:
        return value  # type: ignore[no-any-return]  # narrowed by exact type
    if kind is str:
        if value.isascii():
            return value.encode()  # type: ignore[no-any-return]  # narrowed by exact type
        try:
            return value.encode(*codec(client))  # type: ignore[no-any-return]  # narrowed by exact type
        except (UnicodeError, LookupError):
            return None  # and the call is about to fail for the same reason
    if kind is int or kind is float:
        return repr(value).encode()
    if kind is bytearray or kind is memoryview:
        return value  # type: ignore[no-any-return]  # narrowed by exact type
    # By class: `isinstance` would ask the value itself, too.
    if issubclass(kind, str):
        return wire(client, str.__str__(value))
    if issubclass(kind, bytes | bytearray):
        return memoryview(value).tobytes()
    return None


def unread(value: Any) -> dict[str, str]:
    """What stands for a value that only code of the program's could turn into bytes: as `snapshot` shows an object."""
    return {TYPE: type_name(value)}


def put_body(message: Message, client: Any, value: Any) -> Message:
    """Put a value into a message as its body, as far as it is kept, or say that it could not be read."""
    limit = interning.settings.body_limit
    if type(value) is str and len(value) > limit and value.isascii():
        message["body"], message["body_size"] = value[:limit].encode(), len(value)
        return message
    body = wire(client, value)
    if body is None:
        message["data"] = unread(value)
    else:
        message["body"] = body
    return message


def put_received(message: Message, client: Any, value: Any) -> Message:
    """Put a value that the client has decoded, perhaps, into a message as the bytes that it was."""
    if type(value) is bytes:
        message["body"] = value
        return message
    put_body(message, client, value)
    if type(value) is str:
        encoding, errors = codec(client)
        if errors not in _EXACT and (errors == "ignore" or not value.isascii()):
            message["settings"] = {**message.get("settings", {}), "body_decoded": f"{encoding}, {errors}"}
    return message


def text(client: Any, key: Any) -> str:
    """A channel's, key's, group's or id's name: UTF-8 with what is none of it shown as escapes."""
    kind = type(key)
    if kind is bytes:
        return key.decode("utf-8", "backslashreplace")  # type: ignore[no-any-return]  # narrowed by exact type
    if kind is str and key.isascii():
        return key  # type: ignore[no-any-return]  # narrowed by exact type
    raw = wire(client, key)
    return f"<{type_name(key)}>" if raw is None else bytes(raw).decode("utf-8", "backslashreplace")


def channel(client: Any, key: Any) -> str | int:
    """The same, interned."""
    if type(key) is str and key.isascii():
        return interning.text(key)
    return interning.text(text(client, key))


def word(argument: Any) -> str:
    """A command's word in capitals; empty for an argument that can't be one."""
    known = _WORDS.get(argument) if type(argument) is bytes else None
    if known is not None:
        return known
    if type(argument) is str:
        return argument.upper()
    return argument.decode("ascii", "replace").upper() if type(argument) is bytes else ""


def number(argument: Any) -> int | None:
    """An argument that is a whole number, in any form that redis-py takes."""
    if type(argument) is int:
        return argument
    if type(argument) is str or type(argument) is bytes:
        try:
            return int(argument)
        except ValueError:
            return None
    return None


def trace_context(message: Message, traceparent: str) -> None:
    """Read a W3C `traceparent` (https://www.w3.org/TR/trace-context/#traceparent-header), if it is a valid one."""
    parts = traceparent.split("-")
    if len(parts) < 4 or len(parts[1]) != 32 or len(parts[2]) != 16:
        return
    try:
        if int(parts[1], 16) and int(parts[2], 16):
            message["trace_id"], message["span_id"] = parts[1], parts[2]
    except ValueError:
        return
