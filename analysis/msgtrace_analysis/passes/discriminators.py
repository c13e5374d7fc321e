"""Finds the field or header that says what a message is: few values, and the body's shape goes with them. Pure.

What a field is called is a hint and no more. A field `status` has few values too, but the same fields stand beside each
of them; beside each value of a field that tells types apart stand others. Judged from a sample of an address's messages.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from itertools import combinations
from typing import TYPE_CHECKING, Any, Final, Literal

from msgtrace_analysis.passes.moods import tells

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

FEW: Final = 50
"""More values than this, and they are not names of types; unless the field's own name says so."""
FEW_TOLD: Final = 500
ENOUGH: Final = 10
"""Messages from which on a judgement is more than a guess."""
GENERAL: Final = 0.9
"""The share of bodies that must have a field before it is held to name them."""
SEEN: Final = 5
"""Messages of a value from which on its shape is known."""
APART: Final = 0.8
"""So much more often must a field stand beside one value than beside another for these to have different shapes."""
TIE: Final = 0.05
MAX_KEYS: Final = 200
"""Fields of an object that are looked at: one with more is a map, and its names are data."""
VALUES_COMPARED: Final = 40

NAME: Final = r"[A-Za-z_][A-Za-z0-9_.:/ -]{0,99}"
"""What can be the name of a type."""
_NAME = re.compile(NAME)
_VERSION = re.compile(r"v?[0-9][0-9.]*", re.IGNORECASE)
_FIELD = re.compile(r"[A-Za-z0-9_@$.-][A-Za-z0-9_@$. -]{0,63}")

TELLING: Final = (
    "eventtype", "eventname", "event", "messagetype", "messagename", "msgtype", "detailtype", "command", "commandname",
    "task", "taskname", "cetype", "typeid",
)  # fmt: skip
"""Names, without case and separators, that say that a type stands here; the most telling first."""
HINTS: Final = ("type", "action", "kind", "op", "operation", "method", "cmd", "topic", "name", "msg", "t")
"""Names of which as many tell something else."""
ALONE: Final = frozenset({"type", "action"})
"""Of these, those that are believed where they have one value only."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


ENVELOPES: Final = _words("meta metadata header headers envelope event message context info attributes")
ATTRIBUTES: Final = _words(
    "status state phase stage country region currency locale language lang level severity priority role gender category "
    "channel source origin service producer publisher sender tenant environment env host version schemaversion unit "
    "method paymentmethod provider carrier format encoding contenttype contentencoding city plan tier segment zone site "
    "queue exchange routingkey agent useragent key userid id result reason currencycode countrycode"
)
"""Names of what is said about a thing: believed only where nearly everything else depends on them."""

Where = Literal["header", "field"]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A place where a name could stand.

    Attributes:
        where: in the headers or in the body.
        path: names from the outside in.
    """

    where: Where
    path: tuple[str, ...]

    @property
    def pointer(self) -> str:
        """RFC 6901."""
        return "".join(f"/{name.replace('~', '~0').replace('/', '~1')}" for name in self.path)

    @property
    def label(self) -> str:
        """As people write it."""
        return ".".join(self.path)

    @property
    def squashed(self) -> str:
        """Its name without case, separators and a leading `x-`."""
        return squashed(self.path[-1])


def squashed(name: str) -> str:
    """A name without case, separators and a leading `x-`.

    >>> squashed("X-Event-Type"), squashed("__TypeId__"), squashed("detail-type")
    ('eventtype', 'typeid', 'detailtype')
    """
    return re.sub("[^a-z0-9]", "", re.sub("^x[-_]", "", name.lower()))


@dataclass(slots=True)
class Sample:
    """Messages of one address: which fields each has, and what stands in each place that could hold a name.

    Attributes:
        shapes: number of a set of fields, for each message.
        known: the sets of fields, by number.
        values: candidate -> message -> text.
        keys: routing key or its template, by message.
        objects: messages with an object for a body.
    """

    shapes: list[int] = field(default_factory=list)
    known: dict[frozenset[str], int] = field(default_factory=dict)
    values: defaultdict[Candidate, dict[int, str]] = field(default_factory=lambda: defaultdict(dict))
    keys: dict[int, str] = field(default_factory=dict)
    objects: int = 0

    def add(self, body: Any, headers: Mapping[str, Any], key: str | None) -> None:
        """Take one message in.

        Args:
            body: decoded JSON; what is no object has no shape, but may have headers.
            headers: readable ones.
            key: its routing key.
        """
        message = len(self.shapes)
        self.objects += isinstance(body, dict)
        names = self._fields(body, message) if isinstance(body, dict) and len(body) <= MAX_KEYS else frozenset[str]()
        for name, value in headers.items():
            if isinstance(value, str):
                self._value("header", (name,), value, message)
        if key:
            self.keys[message] = key
        self.shapes.append(self.known.setdefault(names, len(self.known)))

    def _fields(self, body: dict[str, Any], message: int) -> frozenset[str]:
        names: set[str] = set()
        for name, value in body.items():
            names.add(name)
            if isinstance(value, str):
                self._value("field", (name,), value, message)
            elif isinstance(value, dict) and len(value) <= MAX_KEYS:
                for inner, each in value.items():
                    names.add(f"{name}\0{inner}")
                    if isinstance(each, str):
                        self._value("field", (name, inner), each, message)
        return frozenset(names)

    def _value(self, where: Where, path: tuple[str, ...], value: str, message: int) -> None:
        if all(_FIELD.fullmatch(name) for name in path):
            self.values[Candidate(where, path)][message] = value


@dataclass(frozen=True, slots=True)
class Dependence:
    """How far the shapes go with the values of a candidate.

    Attributes:
        values: how many different ones.
        explained: the share of what is uncertain about the fields' presence that a value takes away, corrected for
            chance (Miller and Madow's correction of the entropy's estimate).
        apart: the share of pairs of values whose shapes differ.
        distance: the mean share of steady fields that two values do not have in common.
    """

    values: int
    explained: float
    apart: float
    distance: float


def dependence(values: Mapping[int, str], sample: Sample, without: str = "") -> Dependence:
    """Measure how far shapes go with values.

    Args:
        values: message -> value.
        sample: the messages.
        without: fields that begin so are not looked at.
    """
    fields_of = list(sample.known)
    beside: defaultdict[str, Counter[int]] = defaultdict(Counter)
    for message, value in values.items():
        beside[value][sample.shapes[message]] += 1
    seen: dict[str, int] = {}
    present: dict[str, Counter[str]] = {}
    for value, shapes in beside.items():
        seen[value] = shapes.total()
        counts = present[value] = Counter()
        for shape, count in shapes.items():
            for name in fields_of[shape]:
                if not (without and name.startswith(without)):
                    counts[name] += count
    known = sorted((value for value in seen if seen[value] >= SEEN), key=lambda each: (-seen[each], each))
    pairs = list(combinations(known[:VALUES_COMPARED], 2))
    return Dependence(
        values=len(seen),
        explained=_explained(seen, present),
        apart=_mean(_are_apart(present[a], seen[a], present[b], seen[b]) for a, b in pairs),
        distance=_mean(_distance(present[a], seen[a], present[b], seen[b]) for a, b in pairs),
    )


def _mean(numbers: Iterable[float]) -> float:
    listed = list(numbers)
    return sum(listed) / len(listed) if listed else 0.0


def _are_apart(mine: Counter[str], of_mine: int, other: Counter[str], of_other: int) -> float:
    return float(
        any(abs(mine[name] / of_mine - other[name] / of_other) >= APART for name in mine.keys() | other.keys())
    )


def _distance(mine: Counter[str], of_mine: int, other: Counter[str], of_other: int) -> float:
    steady = {name for name, count in mine.items() if count >= APART * of_mine}
    others = {name for name, count in other.items() if count >= APART * of_other}
    return 1 - len(steady & others) / len(steady | others) if steady | others else 0.0


def _explained(seen: Mapping[str, int], present: Mapping[str, Counter[str]]) -> float:
    messages = sum(seen.values())
    totals: Counter[str] = Counter()
    for counts in present.values():
        totals.update(counts)
    uncertain = taken = 0.0
    for name, total in totals.items():
        before = _entropy(total / messages)
        if before == 0.0:
            continue
        after = sum(seen[value] / messages * _entropy(present[value][name] / seen[value]) for value in seen)
        uncertain += before
        taken += max(0.0, before - after - (len(seen) - 1) / (2 * messages * math.log(2)))
    return taken / uncertain if uncertain else 0.0


def _entropy(share: float) -> float:
    return 0.0 if share in {0.0, 1.0} else -share * math.log2(share) - (1 - share) * math.log2(1 - share)


@dataclass(frozen=True, slots=True)
class Found:
    """A candidate that names messages, and how far the shapes go with it."""

    candidate: Candidate
    dependence: Dependence
    rank: int


def few(values: int, messages: int, limit: int = FEW) -> bool:
    """Whether so many values among so many messages can be names of types."""
    return values <= limit and (messages < ENOUGH or values * 2 <= messages)


def best(sample: Sample) -> Found | None:
    """The candidate that says what the messages are, if there is one."""
    found = [each for each in (_judged(candidate, sample) for candidate in sample.values) if each is not None]
    if not found:
        return None
    # A telling name that shapes go with is not outdone by a field that divides further, such as a kind of payment.
    told = [
        each for each in found if each.rank <= 2 and (each.dependence.apart >= 0.3 or each.dependence.explained >= 0.5)
    ]
    among = told or found
    top = max(each.dependence.explained for each in among)
    tied = [each for each in among if each.dependence.explained >= top - TIE]
    chosen = min(
        tied, key=lambda each: (each.rank, len(each.candidate.path), each.dependence.values, each.candidate.label)
    )
    if chosen.rank >= 3 and _keys_do(sample, chosen):
        return None
    return chosen


def _keys_do(sample: Sample, rival: Found) -> bool:
    """Whether routing keys tell types apart as well as a field whose name tells nothing, and say as much of them."""
    keys = set(sample.keys.values())
    values = set(sample.values[rival.candidate].values())
    return (
        len(keys) > 1
        and few(len(keys), len(sample.keys))
        and tells(sorted(keys)) >= min(0.5, tells(sorted(values)))
        and dependence(sample.keys, sample).explained >= rival.dependence.explained - TIE
    )


def _judged(candidate: Candidate, sample: Sample) -> Found | None:
    values = sample.values[candidate]
    told = candidate.squashed in TELLING
    distinct = set(values.values())
    if (
        len(values) < GENERAL * (len(sample.shapes) if candidate.where == "header" else sample.objects)
        or not few(len(distinct), len(values), FEW_TOLD if told else FEW)
        or not all(_NAME.fullmatch(value) for value in distinct)
        or all(_VERSION.fullmatch(value) for value in distinct)
    ):
        return None
    parent = candidate.path[0] if len(candidate.path) > 1 else ""
    depends = dependence(values, sample, f"{parent}\0" if parent and parent.lower() not in ENVELOPES else "")
    rank = _rank(candidate, sorted(distinct), depends, sample, inner=bool(parent) and parent.lower() not in ENVELOPES)
    return None if rank is None else Found(candidate, depends, rank)


def _rank(
    candidate: Candidate, values: Sequence[str], depends: Dependence, sample: Sample, *, inner: bool
) -> int | None:
    """How readily a candidate is believed, 0 the most; None when it is not."""
    name, header = candidate.squashed, candidate.where == "header"
    telling = tells(list(values))
    if not inner and not header:
        if name in TELLING or (name == "type" and any("specversion" in fields for fields in sample.known)):
            return 1
        if name in HINTS and name not in ATTRIBUTES:
            if len(values) == 1:
                return 2 if name in ALONE or telling else None
            if depends.apart >= 0.3 or telling >= 0.5:
                return 2
            return None
    if len(values) < 2:
        return None
    if name in ATTRIBUTES:
        wanted = (0.9, 0.6)
    elif telling >= 0.5 and not inner:
        wanted = (0.6, 0.25)
    else:
        wanted = (0.9, 0.5)
    if depends.apart < wanted[0] or depends.distance < wanted[1]:
        return None
    return (3 if header else 4) + (2 if name in ATTRIBUTES else 0)


def shape_names(sample: Sample, keys: Mapping[int, str]) -> bool:
    """Whether routing keys may name messages: they tell of something, or shapes go with them, or there are no shapes.

    `eu` and `us` with the same fields beside each of them are two regions of one type of message.
    """
    distinct = sorted(set(keys.values()))
    if len(distinct) < 2 or (len(sample.known) == 1 and not next(iter(sample.known))):
        return True
    depends = dependence(keys, sample)
    return (
        depends.apart > 0
        or tells(distinct) >= 0.5
        or not any(count >= SEEN for count in Counter(keys.values()).values())
    )
