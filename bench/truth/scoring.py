"""Precision, recall and F1 of claims, and the worst mistakes. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bench.truth.answers import Answers, Item
    from bench.truth.claims import Claims

TARGETS: Final[dict[str, float | None]] = {
    "event types": 0.99, "fields": 0.99, "required": 0.99, "types": 0.99, "formats": 0.97, "enums": 0.97, "maps": None,
    "variants": 0.97, "versions": 0.97, "publishers": None, "subscribers": None, "flow edges": 0.99, "flow variants": None,
    "sagas": None, "request-reply": None, "periods": None,
}  # fmt: skip
"""Every category, and the F1 that it is to reach."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """A claim that is wrong, or something true that was not claimed."""

    seed: int
    category: str
    item: Item
    kind: str
    certainty: str
    values: tuple[str, ...]


@dataclass(slots=True)
class Score:
    """Of one category, over any number of systems.

    Attributes:
        right: claims that are true.
        wrong: claims that are not.
        missing: what is true and was not claimed.
        unasked: what is true and was not asked for: samples don't show it, or too few do.
        exact: claims said to be exact.
        exact_wrong: those of them that are wrong.
    """

    right: int = 0
    wrong: int = 0
    missing: int = 0
    unasked: int = 0
    exact: int = 0
    exact_wrong: int = 0

    @property
    def precision(self) -> float | None:
        """Of what was claimed, how much is true; None if nothing was."""
        claimed = self.right + self.wrong
        return self.right / claimed if claimed else None

    @property
    def recall(self) -> float | None:
        """Of what is true, how much was claimed; None if nothing was asked for."""
        true = self.right + self.missing
        return self.right / true if true else None

    @property
    def f1(self) -> float | None:
        """The harmonic mean of both; None if nothing was asked for and nothing claimed."""
        total = 2 * self.right + self.wrong + self.missing
        return 2 * self.right / total if total else None


@dataclass(slots=True)
class Scores:
    """Of all categories, with the mistakes."""

    by_category: dict[str, Score] = field(default_factory=lambda: {name: Score() for name in TARGETS})
    mistakes: list[Mistake] = field(default_factory=list)

    def add(self, seed: int, answers: Answers, claims: Claims) -> None:
        """Score one system."""
        for category, score in self.by_category.items():
            true = {item for item in answers.true[category] if answers.asked(category, item)}
            made = {item: sure for item, sure in claims.made[category].items() if answers.asked(category, item)}
            score.unasked += len(answers.true[category]) - len(true)
            score.right += len(true & made.keys())
            score.wrong += len(made.keys() - true)
            score.missing += len(true - made.keys())
            score.exact += sum(sure == "exact" for sure in made.values())
            score.exact_wrong += sum(sure == "exact" for item, sure in made.items() if item not in true)
            self.mistakes += _mistakes(seed, category, made.keys() - true, "wrong", answers, made)
            self.mistakes += _mistakes(seed, category, true - made.keys(), "missing", answers, {})


def _mistakes(
    seed: int, category: str, items: Iterable[Item], kind: str, answers: Answers, made: Mapping[Item, str]
) -> list[Mistake]:
    return [
        Mistake(seed, category, item, kind, made.get(item, ""), tuple(answers.texts.get(item[:2], ())))
        for item in sorted(items, key=repr)
    ]
