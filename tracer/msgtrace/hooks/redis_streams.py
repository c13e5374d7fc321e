"""Streams: entries added, read and claimed.

What redis-py returns for one reply depends on the protocol, on `legacy_responses`, on its version and on whether a
pipeline has run the response callbacks; entries are looked for in all of these shapes.
"""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any, Final

from msgtrace import interning
from msgtrace.hook import Fetch, Send
from msgtrace.hooks.redis_entries import ENCODING, encode, fields
from msgtrace.hooks.redis_servers import connection, learn, unknown
from msgtrace.hooks.redis_wire import channel, number, text, trace_context, unread, wire, word

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from msgtrace.hook import Action
    from msgtrace.records import Facts, Message

_next_batch = count(1).__next__

_ALONE: Final = frozenset({"NOMKSTREAM", "KEEPREF", "DELREF", "ACKED"})
_TRIMMING: Final = frozenset({"MAXLEN", "MINID"})


# ---- adding --------------------------------------------------------------------------------------------------


def added(client: Any, *args: Any, **_options: Any) -> Message | None:
    """XADD key [options] id field value ..."""
    if len(args) < 5:
        return None
    if type(args[2]) is str and args[2] == "*":
        place, settings = 2, None
    else:
        place, settings = options_end(client, args, 2)
    message: Message = {
        "channel": channel(client, args[1]),
        "channel_kind": "stream",
        "connection": connection(client),
    }
    if settings:
        message["settings"] = settings
    return _put_entry(message, client, args[place + 1 :])


def added_as(_sequence: Any, result: Any, client: Any, *_args: Any, **_options: Any) -> Facts | None:
    """The id that the server gave; None with NOMKSTREAM where there is no such stream."""
    if unknown:
        learn(client)
    if result is None:
        return {"outcome": "returned"}
    return {"identity": text(client, result)} if type(result) in {bytes, str} else None


def options_end(client: Any, args: Sequence[Any], place: int) -> tuple[int, dict[str, Any]]:
    """Read XADD's and XTRIM's options; the place of what follows them."""
    settings: dict[str, Any] = {}
    while place < len(args):
        name = word(args[place])
        if name in _ALONE:
            settings[name.lower()] = True
            place += 1
        elif name in _TRIMMING:
            place += 1
            if place < len(args) and word(args[place]) in {"~", "="}:
                settings["approximate"] = word(args[place]) == "~"
                place += 1
            limit = args[place] if place < len(args) else None
            settings[name.lower()] = number(limit) if name == "MAXLEN" else text(client, limit)
            place += 1
        elif name == "LIMIT" and place + 1 < len(args):
            settings["limit"] = number(args[place + 1])
            place += 2
        elif name in {"IDMPAUTO", "IDMP"} and place + 1 < len(args):
            width = 2 if name == "IDMPAUTO" else 3
            settings[name.lower()] = [text(client, each) for each in args[place + 1 : place + width]]
            place += width
        else:
            break
    return place, settings


def _put_entry(message: Message, client: Any, given: Sequence[Any]) -> Message:
    """Put fields and values, as given or as received, into a message as its body."""
    items: list[str | bytes] = []
    for each in given:
        if type(each) is bytes or (type(each) is str and each.isascii()):
            items.append(each)
        else:
            raw = wire(client, each)
            if raw is None:
                message["data"] = unread(each)
                return message
            items.append(bytes(raw))
    shown, size = fields(items, interning.settings.body_limit)
    message["body"], message["encoding"] = encode(shown), ENCODING
    if size:
        message["body_size"] = size
    trace = shown.get("traceparent")
    if type(trace) is str:
        trace_context(message, trace)
    return message


# ---- reading -------------------------------------------------------------------------------------------------


def read(result: Any, client: Any, *args: Any, **_options: Any) -> list[Message]:
    """XREAD and XREADGROUP: entries of several streams."""
    if not result:
        return []
    common: Message = {"channel_kind": "stream", "connection": connection(client)}
    grouped = word(args[0]) == "XREADGROUP"
    if grouped:
        common["consumer_group"], common["group_member"] = text(client, args[2]), text(client, args[3])
    place = 4 if grouped else 1
    option = word(args[place])
    while option != "STREAMS":
        if option == "NOACK":
            common["settings"] = {"noack": True}
        place += 1 if option == "NOACK" else 2
        option = word(args[place])
    messages: list[Message] = []
    for key, entries in _streams(result):
        about: Message = {**common, "channel": channel(client, key)}
        if grouped and _again(client, args[place + 1 :], text(client, key)):
            about["redelivered"] = True
        messages += _messages(client, about, entries)
    return batched(messages)


def _again(client: Any, wanted: Sequence[Any], name: str) -> bool:
    """Whether the consumer asks for entries of a stream that it has been given before: keys are followed by their ids."""
    half = len(wanted) // 2
    for place in range(half):
        after = wanted[half + place]
        if type(after) is str and after == ">":
            continue
        if text(client, wanted[place]) == name:
            return word(after) != ">"
    return False


def claimed(result: Any, client: Any, *args: Any, **_options: Any) -> list[Message]:
    """XCLAIM and XAUTOCLAIM key group consumer min-idle id ...: entries that another consumer has left lying."""
    words = [word(each) for each in args]
    if not result or len(args) < 6 or "JUSTID" in words[5:]:
        return []
    entries = result
    if words[0] == "XAUTOCLAIM":
        entries = result[1] if type(result) in {list, tuple} and len(result) > 1 else ()
    about: Message = {
        "channel": channel(client, args[1]),
        "channel_kind": "stream",
        "connection": connection(client),
        "consumer_group": text(client, args[2]),
        "group_member": text(client, args[3]),
        "redelivered": True,
        "settings": {"command": words[0]},
    }
    if "RETRYCOUNT" in words[5:-1]:
        attempt = number(args[words.index("RETRYCOUNT", 5) + 1])
        if attempt is not None:
            about["attempt"] = attempt
    return batched(_messages(client, about, entries))


def _streams(result: Any) -> Iterator[tuple[Any, Any]]:
    """The streams in a reply: a map of RESP3, or a list of pairs."""
    if type(result) is dict:
        yield from result.items()
    elif type(result) in {list, tuple}:
        for each in result:
            if type(each) in {list, tuple} and len(each) == 2:
                yield each[0], each[1]


def _entries(entries: Any) -> Iterator[Any]:
    """The entries of a stream; redis-py's older form for RESP3 has them in a list of one list."""
    for each in entries if type(entries) in {list, tuple} else ():
        if type(each) not in {list, tuple} or len(each) == 0:
            continue
        if type(each[0]) in {list, tuple}:
            yield from _entries(each)
        elif len(each) >= 2 and each[0] is not None:
            yield each


def _messages(client: Any, about: Message, entries: Any) -> list[Message]:
    messages = []
    for identity, entry, *claim in _entries(entries):
        message: Message = {**about, "identity": text(client, identity)}
        # With CLAIM: milliseconds since the last delivery, and how many there were; both 0 for a new entry.
        if len(claim) >= 2 and type(claim[1]) is int and claim[1] > 0:
            message["redelivered"], message["attempt"] = True, claim[1] + 1
        flat = [each for pair in entry.items() for each in pair] if type(entry) is dict else entry
        if flat:
            _put_entry(message, client, flat)
        else:
            # A pending entry that has been deleted since.
            message["settings"] = {**message.get("settings", {}), "deleted": True}
        messages.append(message)
    return messages


def batched(messages: list[Message]) -> list[Message]:
    """Number what one fetch returned, where it is more than one message."""
    if len(messages) > 1:
        batch = _next_batch()
        for each in messages:
            each["batch_id"] = batch
    return messages


_READ: Final = Fetch(read=read)
_CLAIM: Final = Fetch(read=claimed)

COMMANDS: Final[dict[str, Action]] = {
    "XADD": Send(read=added, done=added_as),
    "XREAD": _READ,
    "XREADGROUP": _READ,
    "XCLAIM": _CLAIM,
    "XAUTOCLAIM": _CLAIM,
}
