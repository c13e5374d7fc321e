"""Publish and subscribe, plain, by pattern, sharded, and keyspace notifications, which are ordinary messages.

A message that a handler is registered for is recorded in `handle_message`, which calls it; any other one where the
program gets it. A subscription is recorded when it is asked for, with the handler, and again known once confirmed.
A `listen` that ran before we came runs its own code, and ours not: its messages are seen in `handle_message`, too.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakKeyDictionary, ref

from msgtrace import interning
from msgtrace.hook import Deliver, Fetch, Found, Late, Point, Send
from msgtrace.hooks.redis_servers import connection, learn, note_cluster, subscription, unknown
from msgtrace.hooks.redis_wire import channel, put_body, put_received, text

if TYPE_CHECKING:
    from msgtrace.hook import Action
    from msgtrace.records import Facts, Message

_RECEIVED: Final = frozenset({"message", "pmessage", "smessage"})
_COMMANDS: Final = ("SUBSCRIBE", "PSUBSCRIBE", "SSUBSCRIBE", "UNSUBSCRIBE", "PUNSUBSCRIBE", "SUNSUBSCRIBE")
_CONFIRMED: Final = {command.lower(): command for command in _COMMANDS}
_REGISTERED: Final = {"message": "channels", "pmessage": "patterns", "smessage": "shard_channels"}
_ENDS: Final = {"UNSUBSCRIBE": "channels", "PUNSUBSCRIBE": "patterns", "SUNSUBSCRIBE": "shard_channels"}
_SHARDED: Final = frozenset({"SSUBSCRIBE", "SUNSUBSCRIBE"})
_NAMES: Final[tuple[type, ...]] = (list, tuple, set, frozenset, dict, type({}.keys()), type({}.values()))
"""What names can be read from without using them up."""


# ---- publishing ----------------------------------------------------------------------------------------------


def published(client: Any, *args: Any, **_options: Any) -> Message | None:
    """PUBLISH channel message."""
    if len(args) < 3:
        return None
    name, value = args[1], args[2]
    message: Message = {
        "channel": interning.text(name) if type(name) is str and name.isascii() else channel(client, name),
        "channel_kind": "pubsub",
        "connection": connection(client),
    }
    if type(value) is bytes:
        message["body"] = value
    elif type(value) is str and value.isascii() and len(value) <= interning.settings.body_limit:
        message["body"] = value.encode()
    else:
        put_body(message, client, value)
    return message


def published_to_shard(client: Any, *args: Any, **_options: Any) -> Message | None:
    """SPUBLISH channel message; shard channels have names of their own."""
    message = published(client, *args)
    if message is not None:
        message["settings"] = {**message.get("settings", {}), "sharded": True}
    return message


def published_at(_sequence: Any, result: Any, client: Any, *_args: Any, **_options: Any) -> Facts | None:
    """How many received it, at this server."""
    if unknown:
        learn(client)
    return {"settings": {"receivers": result}} if type(result) is int else None


def published_at_shard(_sequence: Any, result: Any, client: Any, *_args: Any, **_options: Any) -> Facts | None:
    """The same for a shard channel."""
    if unknown:
        learn(client)
    return {"settings": {"receivers": result, "sharded": True}} if type(result) is int else None


COMMANDS: Final[dict[str, Action]] = {
    "PUBLISH": Send(read=published, done=published_at),
    "SPUBLISH": Send(read=published_to_shard, done=published_at_shard),
}


# ---- receiving -----------------------------------------------------------------------------------------------


def got(result: Any, self: Any, *_args: Any, **_kwargs: Any) -> Message | None:
    """What `get_message` returned, or `listen` yielded: a message that no handler is registered for."""
    if type(result) is not dict:
        return None
    kind = result.get("type")
    if type(kind) is not str or kind not in _RECEIVED:
        return None
    return _message(self, kind, result["pattern"], result["channel"], result["data"])


def _kind(response: Any) -> str:
    """The first element of a reply, decoded if the client has not: str and bytes must not meet in one dictionary."""
    if type(response) is not list or len(response) < 3:
        return ""
    kind = response[0]
    if type(kind) is bytes:
        return kind.decode("ascii", "replace")
    return kind if type(kind) is str else ""


def delivered(self: Any, response: Any, *_args: Any, **_kwargs: Any) -> Message | None:
    """What `handle_message` is about to call a handler with."""
    kind = _kind(response)
    if kind not in _RECEIVED:
        return None
    handler = getattr(self, _REGISTERED[kind]).get(response[1])
    if not handler:
        return None
    pattern = response[1] if kind == "pmessage" else None
    message = _message(self, kind, pattern, response[-2], response[-1])
    message["handler"] = interning.handler(_registered(handler))
    return message


def _message(self: Any, kind: str, pattern: Any, name: Any, data: Any) -> Message:
    message: Message = {"channel": channel(self, name), "channel_kind": "pubsub", "connection": subscription(self)}
    if pattern is not None:
        message["settings"] = {"pattern": text(self, pattern)}
    elif kind == "smessage":
        message["settings"] = {"sharded": True}
    return put_received(message, self, data)


def _registered(handler: Any) -> Any:
    """What the program registered: keyspace notifications put a function of their own around it."""
    code = getattr(handler, "__code__", None)
    if code is not None and code.co_name.endswith("_wrap_handler"):
        for name, cell in zip(code.co_freevars, handler.__closure__, strict=True):
            if name.endswith("handler"):
                return cell.cell_contents
    return handler


# ---- subscribing ---------------------------------------------------------------------------------------------

_asked: WeakKeyDictionary[Any, dict[tuple[str, str], int]] = WeakKeyDictionary()
"""Subscriptions that the server has not confirmed, by PubSub: command and channel -> operation."""


def _given(args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[tuple[Any, Any]]:
    """Names and handlers, as `redis.commands.helpers.parse_pubsub_subscriptions` reads them."""
    names: list[Any] = []
    if args:
        first = type(args[0])
        names = [*args[0], *args[1:]] if any(first is kind for kind in _NAMES) else list(args)
    subscription_class = getattr(sys.modules.get("redis.typing"), "Subscription", None)
    pairs = [(each.name, each.handler) if type(each) is subscription_class else (each, None) for each in names]
    return pairs + list(kwargs.items())


def _named(self: Any, command: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[tuple[Any, Any]]:
    """The same; to unsubscribe from nothing in particular is to unsubscribe from everything."""
    kwargs.pop("target_node", None)
    pairs = _given(args, kwargs)
    if not pairs and command in _ENDS:
        return [(name, None) for name in tuple(getattr(self, _ENDS[command]))]
    return pairs


def _settings(command: str) -> dict[str, Any]:
    return {"command": command, "pattern": True} if command.removeprefix("P") != command else {"command": command}


def subscribing(command: str) -> Send:
    """A subscription to several channels, or the end of one: an operation each."""

    def asked(self: Any, *args: Any, **kwargs: Any) -> list[Message]:
        return [_subscription(self, command, name, handler) for name, handler in _named(self, command, args, kwargs)]

    def sent(sequences: Any, _result: Any, self: Any, *args: Any, **kwargs: Any) -> Facts:
        waiting = _asked.setdefault(self, {})
        for sequence, (name, _) in zip(sequences, _named(self, command, args, kwargs), strict=False):
            waiting[command, text(self, name)] = sequence
        return {"outcome": "unknown"}

    return Send(kind="subscribe", read=asked, done=sent)


def _subscription(self: Any, command: str, name: Any, handler: Any) -> Message:
    message: Message = {
        "channel": channel(self, name),
        "channel_kind": "pubsub",
        "connection": subscription(self),
        "settings": _settings(command),
    }
    if handler is not None:
        message["handler"] = interning.handler(_registered(handler))
    return message


def confirmed(
    _result: Any, self: Any, response: Any, *_args: Any, **_kwargs: Any
) -> list[tuple[int, str, BaseException | None, Facts | None]] | None:
    """The server's answer to a subscription, which comes among the messages."""
    command = _CONFIRMED.get(_kind(response))
    if command is None:
        return None
    sequence = _asked.get(self, {}).pop((command, text(self, response[1])), 0)
    if not sequence:
        return None  # made before we came
    settings = {**_settings(command), "confirmed": True, "subscriptions": response[2]}
    return [(sequence, "ok", None, {"settings": settings})]


# ---- what was there before -----------------------------------------------------------------------------------------

_listening: WeakKeyDictionary[Any, ref[Any]] = WeakKeyDictionary()
"""PubSub -> the generator of a `listen` that was running before it was hooked"""


def listened(generator: Any) -> None:
    """Remember a generator that is a PubSub's `listen`."""
    code = getattr(generator, "gi_code", None) or getattr(generator, "ag_code", None)
    if code is None or code.co_qualname != "PubSub.listen":
        return
    frame = getattr(generator, "gi_frame", None) or getattr(generator, "ag_frame", None)
    pubsub = None if frame is None else frame.f_locals.get("self")
    if any(each.__module__.startswith("redis.") and each.__name__ == "PubSub" for each in type(pubsub).__mro__):
        _listening[pubsub] = ref(generator)


def listens(self: Any, *_args: Any, **_kwargs: Any) -> bool:
    """Whether it is such a `listen` that goes on here, and not a call that is hooked itself."""
    known = _listening.get(self)
    generator = None if known is None else known()
    return bool(getattr(generator, "gi_running", False) or getattr(generator, "ag_running", False))


def subscriptions(pubsub: Any) -> list[Message]:
    """What a PubSub has subscribed to."""
    return [
        _subscription(pubsub, command, name, handler)
        for command, registered in _KEPT
        for name, handler in tuple((getattr(pubsub, registered, None) or {}).items())
    ]


_KEPT: Final = (("SUBSCRIBE", "channels"), ("PSUBSCRIBE", "patterns"), ("SSUBSCRIBE", "shard_channels"))


def found(package: str) -> tuple[Found, ...]:
    """What is looked for of one half of the library."""
    return (Found(f"{package}.client:PubSub", "subscribe", subscriptions),)


GENERATORS: Final = (
    Found("types:GeneratorType", "receive", listened),
    Found("types:AsyncGeneratorType", "receive", listened),
)


def sharding(self: Any, *_args: Any, **_kwargs: Any) -> None:
    """A cluster's shard channels are subscribed to at the nodes that have them: these are known from now on."""
    note_cluster(self.cluster)


def points(module: str, sharded: str) -> tuple[Point, ...]:
    """The points of one of the two PubSub classes.

    Args:
        module: `redis.client` or `redis.asyncio.client`.
        sharded: versions that have shard channels there.
    """
    return (
        Point(f"{module}:PubSub.get_message", Fetch(read=got)),
        Point(f"{module}:PubSub.listen", Fetch(read=got)),
        Point(f"{module}:PubSub.handle_message", Deliver(read=delivered)),
        Point(f"{module}:PubSub.handle_message", Fetch(read=got, when=listens)),
        Point(f"{module}:PubSub.handle_message", Late(kind="subscribe", read=confirmed)),
        *(
            Point(
                f"{module}:PubSub.{command.lower()}",
                subscribing(command),
                versions=sharded if command in _SHARDED else "",
            )
            for command in _COMMANDS
        ),
    )
