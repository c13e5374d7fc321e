"""Makes every text of a page one that can be read: no personal data, nothing that can't be seen, not too long. Pure."""

from __future__ import annotations

import functools
from typing import Any, Final

from msgtrace_analysis.renderers.markdown import visible
from msgtrace_analysis.renderers.persons import without_persons

LONGEST: Final = 400
"""Characters; longer text is cut, visibly. What tells one thing from another is a number and not its name."""


LARGEST: Final = 2**53
"""Numbers beyond are not the same in a browser: whole ones are texts, others are not told."""


def shown(value: Any) -> Any:
    r"""A document with every text in it made readable, names of fields included.

    >>> shown({"a\n": ["ada@example.org", 1]})
    {'a\\n': ['[email]', 1]}
    """
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, int | float) and not -LARGEST <= value <= LARGEST:
        return None if isinstance(value, float) else str(value)
    if isinstance(value, dict):
        return {shown(name): shown(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [shown(each) for each in value]
    return value


@functools.lru_cache(maxsize=100_000)  # fields of many event types are called alike
def _text(value: str) -> str:
    # Characters that are made visible, or cut off, may leave what looks like somebody's address.
    return without_persons(visible(without_persons(visible(value[: 4 * LONGEST], 8 * LONGEST)), LONGEST))
