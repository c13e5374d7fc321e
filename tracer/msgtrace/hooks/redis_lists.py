"""Lists as queues: every element pushed is a message sent, every element popped a message received.

A list that only serves as a cache is pushed to as well: its messages are there, and nobody receives them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from msgtrace.hook import Fetch, Observe, Send, Several
from msgtrace.hooks.redis_servers import connection, learn, unknown
from msgtrace.hooks.redis_streams import batched
from msgtrace.hooks.redis_wire import channel, put_body, put_received, word

if TYPE_CHECKING:
    from collections.abc import Sequence

    from msgtrace.hook import Action, Part
    from msgtrace.records import Facts, Message

_VALUE: Final = frozenset({bytes, str})
_LIST: Final = frozenset({list, tuple})


# ---- pushing -------------------------------------------------------------------------------------------------


def pushed(client: Any, *args: Any, **_options: Any) -> Message | list[Message] | None:
    """LPUSH key element ..."""
    if len(args) == 3:
        return _push(client, args, args[2])
    return [_push(client, args, each) for each in args[2:]] or None


def _push(client: Any, args: Sequence[Any], element: Any) -> Message:
    return put_body(
        {
            "channel": channel(client, args[1]),
            "channel_kind": "list",
            "connection": connection(client),
            "settings": {"command": word(args[0])},
        },
        client,
        element,
    )


def pushed_to(_sequence: Any, result: Any, client: Any, *args: Any, **_options: Any) -> Facts | None:
    """The list's length; 0 when LPUSHX or RPUSHX found no list to push to."""
    if unknown:
        learn(client)
    if type(result) is not int:
        return None
    facts: Facts = {"settings": {"command": word(args[0]), "length": result}}
    if result == 0:
        facts["outcome"] = "returned"
    return facts


# ---- popping -------------------------------------------------------------------------------------------------


def _pops(client: Any, args: Sequence[Any], key: Any, elements: Any) -> list[Message]:
    if type(elements) in _VALUE:
        elements = (elements,)
    elif type(elements) not in _LIST:
        return []
    name, number, command = channel(client, key), connection(client), word(args[0])
    about: Message = {"channel": name, "channel_kind": "list", "connection": number, "settings": {"command": command}}
    return [put_received(about.copy(), client, each) for each in elements if type(each) in _VALUE]


def popped(result: Any, client: Any, *args: Any, **_options: Any) -> list[Message]:
    """LPOP key [count], LMOVE and its like: an element, or a list of them."""
    return [] if result is None or len(args) < 2 else batched(_pops(client, args, args[1], result))


def popped_from(result: Any, client: Any, *args: Any, **_options: Any) -> list[Message]:
    """BLPOP, BRPOP: the key and an element. LMPOP, BLMPOP: the key and a list of elements."""
    return batched(_pops(client, args, result[0], result[1])) if type(result) in _LIST and len(result) == 2 else []


# ---- moving --------------------------------------------------------------------------------------------------


def moved(result: Any, client: Any, *args: Any, **_options: Any) -> list[Message]:
    """The second half of LMOVE and its like: what was popped is pushed to the list that is named next."""
    return [] if result is None or len(args) < 3 else _pops(client, args, args[2], result)


_POP: Final = Fetch(read=popped)
_POP_FROM: Final = Fetch(read=popped_from)
_MOVED: Final = Observe(kind="send", read=moved)
_PUSH: Final = Send(read=pushed, done=pushed_to)


def moving(client: Any, *args: Any, **_options: Any) -> list[Part]:
    """A receive, and a send caused by it."""
    parameters = (client, *args)
    return [(_POP, parameters, None), (_MOVED, parameters, None)]


_MOVE: Final = Several(split=moving)

COMMANDS: Final[dict[str, Action]] = {
    **dict.fromkeys(("LPUSH", "RPUSH", "LPUSHX", "RPUSHX"), _PUSH),
    **dict.fromkeys(("LPOP", "RPOP"), _POP),
    **dict.fromkeys(("BLPOP", "BRPOP", "LMPOP", "BLMPOP"), _POP_FROM),
    **dict.fromkeys(("RPOPLPUSH", "BRPOPLPUSH", "LMOVE", "BLMOVE", "LMOVEM", "BLMOVEM"), _MOVE),
}
