"""Streams' groups: entries acknowledged, groups made and ended, and what keeps a stream short."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from msgtrace.hook import Observe
from msgtrace.hooks.redis_servers import connection
from msgtrace.hooks.redis_streams import options_end
from msgtrace.hooks.redis_wire import channel, number, text, word

if TYPE_CHECKING:
    from collections.abc import Sequence

    from msgtrace.hook import Action
    from msgtrace.records import Message

# ---- settling ------------------------------------------------------------------------------------------------


def acked(result: Any, client: Any, *args: Any, **_options: Any) -> list[Message]:
    """XACK key group id ..., which says how many of them were pending."""
    settings = {"pending": result} if type(result) is int and result != len(args) - 3 else None
    return [_settlement(client, args, each, "ack", settings) for each in args[3:]]


def acked_and_deleted(result: Any, client: Any, *args: Any, **_options: Any) -> list[Message]:
    """XACKDEL key group [policy] IDS n id ..., which says of each what became of it."""
    ids = _ids(args)
    told = result if type(result) in {list, tuple} and len(result) == len(ids) else [None] * len(ids)
    return [
        _settlement(client, args, each, "ack", {"command": "XACKDEL", "reply": status})
        for each, status in zip(ids, told, strict=True)
    ]


def nacked(_result: Any, client: Any, *args: Any, **_options: Any) -> list[Message]:
    """XNACK key group mode IDS n id ...: back to the group at once, for good with FATAL."""
    mode = word(args[3]) if len(args) > 3 else ""
    outcome = "reject" if mode == "FATAL" else "requeue"
    return [_settlement(client, args, each, outcome, {"command": "XNACK", "mode": mode}) for each in _ids(args)]


def _ids(args: Sequence[Any]) -> Sequence[Any]:
    words = [word(each) for each in args]
    if "IDS" not in words[3:-1]:
        return ()
    start = words.index("IDS", 3)
    return args[start + 2 : start + 2 + (number(args[start + 1]) or 0)]


def _settlement(
    client: Any, args: Sequence[Any], identity: Any, outcome: Any, settings: dict[str, Any] | None
) -> Message:
    message: Message = {
        "channel": channel(client, args[1]),
        "channel_kind": "stream",
        "connection": connection(client),
        "consumer_group": text(client, args[2]),
        "identity": text(client, identity),
        "outcome": outcome,
    }
    if settings is not None:
        message["settings"] = settings
    return message


# ---- declaring -----------------------------------------------------------------------------------------------


def grouped(_result: Any, client: Any, *args: Any, **_options: Any) -> Message | None:
    """XGROUP CREATE, SETID, DESTROY, CREATECONSUMER, DELCONSUMER: key group ..."""
    command, place = word(args[0]), 1
    if command == "XGROUP":
        command, place = f"XGROUP {word(args[1]) if len(args) > 1 else ''}", 2
    if len(args) < place + 2:
        return None
    settings: dict[str, Any] = {"command": command}
    rest = args[place + 2 :]
    if command in {"XGROUP CREATE", "XGROUP SETID"} and rest:
        settings["from"] = text(client, rest[0])
        words = [word(each) for each in rest]
        if "MKSTREAM" in words[1:]:
            settings["mkstream"] = True
        if "ENTRIESREAD" in words[1:-1]:
            settings["entries_read"] = number(rest[words.index("ENTRIESREAD", 1) + 1])
    elif rest:
        settings["consumer"] = text(client, rest[0])
    return {
        "channel": channel(client, args[place]),
        "channel_kind": "stream",
        "connection": connection(client),
        "consumer_group": text(client, args[place + 1]),
        "settings": settings,
    }


def trimmed(result: Any, client: Any, *args: Any, **_options: Any) -> Message | None:
    """XTRIM key MAXLEN|MINID [=|~] threshold ..."""
    if len(args) < 4:
        return None
    _, settings = options_end(client, args, 2)
    settings["command"] = "XTRIM"
    if type(result) is int:
        settings["removed"] = result
    return {
        "channel": channel(client, args[1]),
        "channel_kind": "stream",
        "connection": connection(client),
        "settings": settings,
    }


_GROUP: Final = Observe(kind="declare", read=grouped)

COMMANDS: Final[dict[str, Action]] = {
    "XACK": Observe(kind="settle", read=acked),
    "XACKDEL": Observe(kind="settle", read=acked_and_deleted),
    "XNACK": Observe(kind="settle", read=nacked),
    "XGROUP": _GROUP,
    "XGROUP CREATE": _GROUP,
    "XGROUP SETID": _GROUP,
    "XGROUP DESTROY": _GROUP,
    "XGROUP CREATECONSUMER": _GROUP,
    "XGROUP DELCONSUMER": _GROUP,
    "XTRIM": Observe(kind="declare", read=trimmed),
}
