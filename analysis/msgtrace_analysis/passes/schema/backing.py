"""What backs a claimed format: values that could have it by chance need a name, or a time, to say so too. Pure.

Whole numbers in the range of recent times may be ids; two capitals may be states of the USA; `1.50` may be a version. Such a
format is `likely` where the field's name says it, or, of a time, where all values are close to when they were recorded.
"""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Final

from msgtrace_analysis.passes.schema.judgement import format_of

if TYPE_CHECKING:
    from msgtrace_analysis.findings import Certainty
    from msgtrace_analysis.passes.schema.shapes import Shape

Span = tuple[int, int]
"""When the first and the last operation of a trace were observed, nanoseconds since the epoch."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_TIME: Final = _words(
    "at time times timestamp ts date datetime day epoch created updated modified changed occurred happened expires expiry"
    " expiration exp iat nbf since until when from start started end ended begin due deadline seen sent received published"
    " emitted millis unix moment"
)
TELLING: Final[dict[str, frozenset[str]]] = {
    "epoch-seconds": _TIME,
    "epoch-millis": _TIME,
    "country": _words(
        "country countries nation nationality cc iso origin destination market jurisdiction territory citizenship residence"
    ),
    "currency": _words("currency currencies ccy curr cur iso money"),
    "decimal": _words(
        "amount price total subtotal cost fee tax vat rate balance value sum net gross discount quantity weight width height"
        " length depth lat latitude lon lng longitude percent percentage ratio score temperature charge salary volume size"
        " distance credit debit share paid due owed refund limit budget number decimal money"
    ),
}
"""Format -> words of a name that say it."""
CONTRARY: Final[dict[str, frozenset[str]]] = {
    "country": _words("state province language lang"),
    "decimal": _words("version ver release revision"),
}
"""Words that say that it is something else."""
DAY_NS: Final = 86_400 * 10**9
CLOSE_NS: Final = 30 * DAY_NS
NEAR_NS: Final = 400 * DAY_NS
UNIT_NS: Final = {"epoch-seconds": 10**9, "epoch-millis": 10**6}
_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")


def claimed_format(shape: Shape, name: str, span: Span | None = None) -> tuple[str, Certainty | None]:
    """The format to claim of a field, and how sure it is; ('', None) for none.

    Args:
        shape: its values.
        name: the field's own, without those that it stands in; '' for none.
        span: of the trace.
    """
    form = format_of(shape)
    if not form:
        return "", None
    if form not in TELLING:
        return form, "likely"
    words = words_of(name)
    if words & CONTRARY.get(form, frozenset()):
        return "", None
    if words & TELLING[form]:
        return form, "likely"
    if form not in UNIT_NS:
        return form, "guess"
    away = _away_ns(shape, UNIT_NS[form], span)
    if away is None or away > NEAR_NS:
        return "", None
    return form, "likely" if away <= CLOSE_NS else "guess"


def _away_ns(shape: Shape, unit_ns: int, span: Span | None) -> int | None:
    """How far from the trace the farthest of some times is; None where that is not known."""
    if span is None or shape.numbers is None:
        return None
    first, last = (int(each) * unit_ns for each in (shape.numbers.smallest, shape.numbers.largest))
    return max(span[0] - first, last - span[1], 0)


@functools.lru_cache(maxsize=4_096)
def words_of(name: str) -> frozenset[str]:
    """The words of a field's name.

    >>> sorted(words_of("shippedAt")), sorted(words_of("unit_price"))
    (['at', 'shipped'], ['price', 'unit'])
    """
    return frozenset(word.lower() for word in _WORD.findall(name[:200]))
