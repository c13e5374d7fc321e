"""The true answers about a system that was played, as far as what was recorded can show them. Pure.

An item is a tuple whose first part is the event type's name, or the trigger's. What no sample shows, what would be a
matter of taste, and the bodies of types with too few samples are not asked for: a claim about them is neither right nor wrong.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from bench.truth.structure import Array, Map, Record, Scalar, Tree, Tuple, Union, Variants, below
from bench.truth.system import normal

if TYPE_CHECKING:
    from bench.truth.play import Played
    from bench.truth.structure import Node, Shown
    from bench.truth.system import EventType, System

Item = tuple[Any, ...]
BODIES: Final = ("fields", "required", "types", "formats", "enums", "maps", "variants")
"""The categories that are about bodies."""
ENOUGH: Final = 0.8
"""A type is asked about when it has this share of the samples that were asked for."""
LISTED: Final = 20
"""More ways than this of one flow are not asked for."""
SHOWN: Final = 5
"""So many values must have been seen to ask for a format, a map, a tuple, or a variant."""
SEEN_FOR_ENUM: Final = 3
"""A closed set is asked for when each value that was seen was seen so many times in the mean, and 12 values at least."""


@dataclass(slots=True)
class Answers:
    """What is true, and what is not asked.

    Attributes:
        true: category -> items.
        places: category -> (event type, path) that nothing is asked about.
        beneath: category -> (event type, beginning of a path) likewise for all that begins so.
        few: event types with too few samples to ask for their bodies.
        versioned: event types that have had several versions: their bodies are asked for version by version.
        many: triggers that went more ways than a flow lists.
        texts: examples of the values at a place, for who looks at a mistake.
    """

    true: defaultdict[str, set[Item]] = field(default_factory=lambda: defaultdict(set))
    places: defaultdict[str, set[Item]] = field(default_factory=lambda: defaultdict(set))
    beneath: set[tuple[str, str]] = field(default_factory=set)
    few: set[str] = field(default_factory=set)
    versioned: set[str] = field(default_factory=set)
    many: set[Item] = field(default_factory=set)
    texts: dict[Item, list[str]] = field(default_factory=dict)
    channels: dict[str, frozenset[Item]] = field(default_factory=dict)

    def asked(self, category: str, item: Item) -> bool:
        """Whether an item counts."""
        if category == "flow variants":
            return item[:3] not in self.many
        if category == "versions":
            return item[0] not in self.few
        if category not in BODIES:
            return True
        event, path = item[0], item[1]
        if event in self.few or event in self.versioned or (event, path) in self.places[category]:
            return False
        return not any(event == each and path.startswith(start) for each, start in self.beneath)


def answers(system: System, played: Played, samples: int) -> Answers:
    """All true answers."""
    found = Answers()
    sends: defaultdict[str, int] = defaultdict(int)
    for happened in played.story:
        sends[happened.event] += bool(happened.publisher[0])
        _flows(found, happened)
    _whole(found, system, played)
    for name, event in system.events.items():
        if any(each.event == name for each in played.story):
            found.channels[name] = frozenset((each.system, normal(each.name)) for each in event.channels)
            found.true["event types"].add((name, sends[name], tuple(sorted(found.channels[name]))))
    for (name, place), shown in played.shown.items():
        versions = system.events[name].versions
        key = version_of(name, place) if len(versions) > 1 else name
        if shown.objects[""] < ENOUGH * samples:
            found.few |= {key, name}
        _Reader(found, key, shown).root(versions[place].node)
        found.versioned |= {name} if len(versions) > 1 else set()
    for name in found.versioned - found.few:
        for place, later in enumerate(system.events[name].versions[1:], 1):
            found.true["versions"].add((name, place, later.verdict))
            found.texts[name, place] = [later.change, later.number or "drift"]
    return found


def version_of(name: str, place: int) -> str:
    """What stands for an event type in items about the body of one of its versions, counted from 0."""
    return f"{name} #{place}"


def _whole(found: Answers, system: System, played: Played) -> None:
    """What concerns more than one message."""
    for (service, name, arrives), runs in played.runs.items():
        ways = Counter(frozenset(run.hops) for run in runs if run.hops)
        if len(ways) <= LISTED:
            found.true["flow variants"] |= {(service, name, arrives, way) for way in ways}
        else:
            found.many.add((service, name, arrives))
    for trigger in system.triggers:
        if trigger.period_s is not None:
            found.true["periods"].add((trigger.service, trigger.name, trigger.outcomes[0].sends[0], trigger.period_s))
    for saga in system.sagas:
        found.true["sagas"].add((saga.steps, tuple(sorted(saga.compensations))))
    for each in system.exchanges:
        found.true["request-reply"].add((each.request, each.reply, each.asks, each.answers))


def _flows(found: Answers, happened: Any) -> None:
    event, publisher = happened.event, happened.publisher
    if publisher[0]:
        found.true["publishers"].add((event, *publisher))
        if happened.because is None:
            found.true["flow edges"].add(("starts", *publisher, event))
        else:
            found.true["flow edges"].add(("follows", *happened.because, event))
    for taker in happened.takers:
        found.true["subscribers"].add((event, *taker))
        if publisher[0]:
            found.true["flow edges"].add(("reaches", *publisher, event, *taker))


class _Reader:
    """Reads a specification beside what its samples showed."""

    def __init__(self, found: Answers, event: str, shown: Shown) -> None:
        self.found, self.event, self.shown = found, event, shown

    def root(self, node: Node) -> None:
        self.node(node, "")

    def is_true(self, category: str, *item: Any) -> None:
        self.found.true[category].add((self.event, *item))

    def unasked(self, category: str, path: str) -> None:
        self.found.places[category].add((self.event, path))

    def node(self, node: Node, path: str) -> None:
        """All that is true at and under a path."""
        if path:
            self.types(path)
        match node:
            case Record():
                for part in node.parts:
                    self.part(path, part.name, part.node, always=part.presence == 1)
            case Variants():
                self.variants(node, path)
            case Map():
                self.is_true("maps", path)
                self.node(node.values, f"{path}.*")
                self.sparse("maps", path, ".")
            case Array():
                self.node(node.items, f"{path}[]")
            case Tuple():
                for place, each in enumerate(node.items):
                    self.node(each, f"{path}[{place}]")
                self.sparse("types", path, "[")
            case Union():
                for each in node.arms:
                    self.node(each, path)
            case Tree():
                self.node(node.record, path)
                here = below(path, node.link)
                self.part(path, node.link, Record(()), always=True)
                self.found.beneath.add((self.event, f"{here}[" if node.many else f"{here}."))
            case Scalar():
                self.scalar(node, path)

    def sparse(self, category: str, path: str, beneath: str) -> None:
        """Ask nothing about what has been seen too seldom to tell what it is, nor of what is in it."""
        if self.shown.values[path] < SHOWN:
            self.unasked(category, path)
            self.found.beneath.add((self.event, f"{path}{beneath}"))

    def part(self, path: str, name: str, node: Node, *, always: bool) -> None:
        here = below(path, name)
        if not self.shown.present[here]:
            return
        self.is_true("fields", here)
        if always:
            self.is_true("required", here)
        elif self.shown.present[here] == self.shown.objects[path]:
            self.unasked("required", here)
        self.node(node, here)

    def types(self, path: str) -> None:
        names = set(self.shown.types.get(path, ()))
        if "number" in names:
            names.discard("integer")
        if names:
            self.is_true("types", path, tuple(sorted(names)))

    def scalar(self, node: Scalar, path: str) -> None:
        texts = self.shown.texts.get(path)
        seen = set(self.shown.types.get(path, ())) - {"null"}
        if not seen:
            return
        self.found.texts[self.event, path] = [
            each for each, _ in (texts or Counter()).most_common(12)
        ] + self.shown.others.get(path, [])
        if node.format == "either" or self.shown.values[path] < SHOWN:
            self.unasked("formats", path)
        if node.format not in {"", "either"}:
            self.is_true("formats", path, node.format)
        if node.closed and texts:
            few = len(texts) < 2 or texts.total() < max(12, SEEN_FOR_ENUM * len(texts))
            if few:
                self.unasked("enums", path)
            self.is_true("enums", path, tuple(sorted(texts)))
        elif not node.open_ended:
            self.unasked("enums", path)

    def variants(self, node: Variants, path: str) -> None:
        telling = below(path, node.discriminator)
        self.part(path, node.discriminator, Record(()), always=True)
        self.unasked("enums", telling)
        self.found.texts[self.event, path] = [f"{node.discriminator}: {name}" for name, _ in node.arms]
        parts = {part.name: part for _, arm in node.arms for part in arm.parts}
        for part in parts.values():
            everywhere = all(part in arm.parts for _, arm in node.arms)
            self.part(path, part.name, part.node, always=everywhere and part.presence == 1)
        arms = self.shown.arms.get(path, {})
        if len(arms) < 2 or min(self.shown.texts[telling].values()) < SHOWN:
            self.unasked("variants", path)
        for name, fields in arms.items():
            self.is_true("variants", path, node.discriminator, name, tuple(sorted(fields)))


def known_event(found: Answers, name: str, channels: frozenset[Item]) -> str:
    """The event type that a claim of this name and these channels is about; one that there is not, if there is none."""
    name = normal(name)
    true = found.channels.get(name)
    return name if true is not None and channels <= true else f"?{name} on {', '.join(c for _, c in sorted(channels))}"


def of_event(event: EventType) -> str:
    """How an event type is told, for who looks at a mistake."""
    return ", ".join(
        f"{each.system} {each.broker} {each.name} by {each.naming} {each.telling}" for each in event.channels
    )
