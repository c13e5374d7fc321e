"""Where an exchange sends a message, by AMQP 0-9-1 as RabbitMQ has it. Pure; held against a real RabbitMQ by tests.

Sources: https://www.rabbitmq.com/docs/exchanges, /docs/ae, /docs/e2e, and rabbit_exchange.erl, rabbit_exchange_type_*.erl.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

DEFAULT: Final = ""
"""The exchange to which every queue is bound by its own name."""
DELAYED: Final = "x-delayed-message"
"""Of the plugin: routes as the type that its argument `x-delayed-type` names, after a while."""
ANY: Final = frozenset({"any", "any-with-x"})
WITH_X: Final = frozenset({"all-with-x", "any-with-x"})


@dataclass(frozen=True, slots=True)
class Exchange:
    """An exchange.

    Attributes:
        type: `direct`, `fanout`, `topic`, `headers`; what it does of another type is unknown.
        alternate: the exchange that gets what this one can send nowhere.
    """

    name: str
    type: str
    alternate: str | None = None


@dataclass(frozen=True, slots=True)
class Bound:
    """A binding.

    Attributes:
        to_exchange: its destination is an exchange, else a queue.
    """

    source: str
    destination: str
    to_exchange: bool = False
    key: str = ""
    arguments: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Routed:
    """Where a message goes.

    Attributes:
        queues: by name.
        bindings: that led it on, by their place in what the router was given.
        unknown: exchanges on its way whose rule is not known: there may be more queues.
    """

    queues: frozenset[str]
    bindings: frozenset[int]
    unknown: frozenset[str] = frozenset()


def kind_of(exchange_type: str, arguments: Mapping[str, Any]) -> str:
    """The type that an exchange routes as."""
    if exchange_type == DELAYED:
        return str(arguments.get("x-delayed-type") or "")
    return exchange_type


def words(key: str) -> list[str]:
    """A key or pattern of a topic exchange in its words: none in '', two empty ones in '.'."""
    return key.split(".") if key else []


@dataclass(slots=True)
class _Node:
    """A state of the patterns of one topic exchange, reached by words; `hashed`: by `#`, and by any further word."""

    hashed: bool = False
    children: dict[str, _Node] = field(default_factory=dict)
    bindings: list[int] = field(default_factory=list)


class Patterns:
    """All patterns of a topic exchange together: `*` is one word, `#` any number of words."""

    def __init__(self) -> None:
        self._root = _Node()

    def add(self, pattern: str, binding: int) -> None:
        """Know a pattern."""
        node = self._root
        for word in words(pattern):
            node = node.children.setdefault(word, _Node(hashed=word == "#"))
        node.bindings.append(binding)

    def matching(self, key: str) -> Iterator[int]:
        """The bindings whose pattern a key matches. All states at once: it takes time with the key, not with its splits."""
        states = _closed([self._root])
        for word in words(key):
            found = [node for node in states.values() if node.hashed]
            for node in states.values():
                found += [node.children[each] for each in {word, "*"} - {"#"} if each in node.children]
            states = _closed(found)
        for node in states.values():
            yield from node.bindings


def _closed(nodes: Iterable[_Node]) -> dict[int, _Node]:
    """With what `#` reaches without a word."""
    found: dict[int, _Node] = {}
    left = list(nodes)
    while left:
        node = left.pop()
        if id(node) not in found:
            found[id(node)] = node
            if "#" in node.children:
                left.append(node.children["#"])
    return found


def topic_matches(pattern: str, key: str) -> bool:
    """Whether a topic exchange sends a message with this key along a binding with this pattern."""
    patterns = Patterns()
    patterns.add(pattern, 0)
    return any(True for _ in patterns.matching(key))


def headers_match(arguments: Mapping[str, Any], headers: Mapping[str, Any]) -> bool:
    """Whether a headers exchange sends a message with these headers along a binding with these arguments.

    A number and a text, or a whole number and one with a point, are never equal; an argument without a value asks only
    that there is such a header.
    """
    how = arguments.get("x-match", "all")
    wanted = [
        name in headers and (value is None or _equal(value, headers[name]))
        for name, value in arguments.items()
        if name != "x-match" and (how in WITH_X or not name.startswith("x-"))
    ]
    return any(wanted) if how in ANY else all(wanted)


def _equal(one: Any, other: Any) -> bool:
    return type(one) is type(other) and bool(one == other)


class Router:
    """Exchanges, bindings and queues of one virtual host.

    Args:
        exchanges: that are known; of others it is unknown what they do.
        bindings: that are known.
        queues: names; the default exchange reaches these, and those that something is bound to.
    """

    def __init__(self, exchanges: Iterable[Exchange], bindings: Sequence[Bound], queues: Iterable[str]) -> None:
        self.exchanges = {each.name: each for each in exchanges}
        self.queues = {*queues, *(each.destination for each in bindings if not each.to_exchange)}
        self._bindings = bindings
        self._from: defaultdict[str, list[int]] = defaultdict(list)
        self._by_key: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
        self._patterns: defaultdict[str, Patterns] = defaultdict(Patterns)
        for number, each in enumerate(bindings):
            self._from[each.source].append(number)
            self._by_key[each.source, each.key].append(number)
            if each.source in self.exchanges and self.exchanges[each.source].type == "topic":
                self._patterns[each.source].add(each.key, number)
        self._rules: dict[str, Callable[[str, Sequence[str], Mapping[str, Any]], Iterable[int]]] = {
            "direct": lambda name, keys, _: (number for key in keys for number in self._by_key[name, key]),
            "fanout": lambda name, _, __: self._from[name],
            "topic": lambda name, keys, _: (
                number for key in keys for number in self._patterns[name].matching(key)
            ),
            "headers": lambda name, _, headers: (
                number for number in self._from[name] if headers_match(bindings[number].arguments, headers)
            ),
        }  # fmt: skip

    def plain_keys(self, queue: str) -> list[str]:
        """Keys that surely lead to a queue: of its bindings, those that are no patterns."""
        keys = {
            each.key for each in self._bindings
            if each.destination == queue and not each.to_exchange and each.source in self.exchanges
            and (
                self.exchanges[each.source].type == "direct"
                or (self.exchanges[each.source].type == "topic" and not {"*", "#"} & set(words(each.key)))
            )
        }  # fmt: skip
        return sorted(keys)

    def has_bindings(self, exchange: str) -> bool:
        """Whether anything is bound to an exchange."""
        return exchange in self._from

    def route(self, exchange: str, key: str, headers: Mapping[str, Any] | None = None) -> Routed:
        """Where a message goes that is published to an exchange.

        Args:
            exchange: '' for the default one.
            key: its routing key; the headers CC and BCC add more.
            headers: its headers.
        """
        return self.route_keys(exchange, (key, *copies(headers or {})), headers or {})

    def route_keys(self, exchange: str, keys: Sequence[str], headers: Mapping[str, Any]) -> Routed:
        """Where a message goes that has several keys already, as one that was dead-lettered may have."""
        queues: set[str] = set()
        used: set[int] = set()
        unknown: set[str] = set()
        seen = {exchange}
        left = [exchange]
        while left:
            name = left.pop()
            if name == DEFAULT:
                queues.update(each for each in keys if each in self.queues)
                continue
            known = self.exchanges.get(name)
            rule = self._rules.get(known.type) if known is not None else None
            if known is None or rule is None:
                unknown.add(name)
                continue
            followed = set(rule(name, keys, headers))
            used |= followed
            ways = [self._bindings[number] for number in followed]
            queues.update(way.destination for way in ways if not way.to_exchange)
            onward = {way.destination for way in ways if way.to_exchange}
            if not followed and known.alternate is not None:
                onward.add(known.alternate)
            left += onward - seen
            seen |= onward
        return Routed(frozenset(queues), frozenset(used), frozenset(unknown))


def copies(headers: Mapping[str, Any]) -> tuple[str, ...]:
    """Further routing keys: the headers CC and BCC.

    https://www.rabbitmq.com/docs/sender-selected
    """
    found = (headers.get("CC"), headers.get("BCC"))
    return tuple(key for keys in found if isinstance(keys, list) for key in keys if isinstance(key, str))
