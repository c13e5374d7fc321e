"""A summary of texts that stood in the same place. Pure."""

from __future__ import annotations

import heapq
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from msgtrace_analysis.passes.schema.formats import formats_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

MAX_VALUES: Final = 64
"""Different values that are told apart; a place with more has no closed set of them."""
VALUE_CHARACTERS: Final = 64
"""A longer text is no value of a closed set."""
MAX_EXAMPLES: Final = 3
EXAMPLE_CHARACTERS: Final = 160


@dataclass(slots=True)
class Texts:
    """What texts had in common. Merging is associative and commutative.

    Attributes:
        count: how many.
        shortest: characters; `longest` likewise.
        formats: that every one has; None while there is none.
        alphabet: characters in all of them, ASCII alone, while `base64` is among the formats.
        values: how often each; None when they are too many or too long.
        examples: the first in order of the shortest ones.
    """

    count: int = 0
    shortest: int = 0
    longest: int = 0
    formats: frozenset[str] | None = None
    alphabet: frozenset[str] = frozenset()
    values: Counter[str] | None = field(default_factory=Counter)
    examples: tuple[str, ...] = ()

    def add(self, texts: Sequence[str]) -> None:
        """Count texts; there is at least one."""
        self.merge(_summed(texts))

    def merge(self, other: Texts) -> None:
        """Take another summary in."""
        if not other.count:
            return
        if not self.count or other.shortest < self.shortest:
            self.shortest, self.examples = other.shortest, other.examples
        elif other.shortest == self.shortest:
            self.examples = tuple(sorted({*self.examples, *other.examples})[:MAX_EXAMPLES])
        self.longest = max(self.longest, other.longest)
        self.count += other.count
        if other.formats is not None:
            self.formats = other.formats if self.formats is None else self.formats & other.formats
        self.alphabet = (
            self.alphabet | other.alphabet if self.formats is not None and "base64" in self.formats else frozenset()
        )
        if self.values is not None:
            if other.values is None:
                self.values = None
            else:
                self.values.update(other.values)
                if len(self.values) > MAX_VALUES:
                    self.values = None

    @property
    def distinct(self) -> int:
        """Different values; where they were too many to be told apart, more than were."""
        return MAX_VALUES + 1 if self.values is None else len(self.values)


def _summed(texts: Sequence[str]) -> Texts:
    values = Counter(texts)
    lengths = list(map(len, values))
    shortest, longest = min(lengths), max(lengths)
    formats = formats_of(values)
    few = len(values) <= MAX_VALUES and longest <= VALUE_CHARACTERS
    first: Iterable[str] = values if shortest == longest else [each for each in values if len(each) == shortest]
    if shortest > EXAMPLE_CHARACTERS:
        first = {each[:EXAMPLE_CHARACTERS] for each in first}
    return Texts(
        count=len(texts),
        shortest=shortest,
        longest=longest,
        formats=formats,
        alphabet=frozenset(c for c in set().union(*values) if c < "\x80") if "base64" in formats else frozenset(),
        values=values if few else None,
        examples=tuple(heapq.nsmallest(MAX_EXAMPLES, first)),
    )
