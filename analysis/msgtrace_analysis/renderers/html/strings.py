"""Makes every text of a page one that can be read: no personal data, nothing that can't be seen, not too long. Pure."""

from __future__ import annotations

from typing import Any, Final

from msgtrace_analysis.renderers.markdown import visible
from msgtrace_analysis.renderers.persons import without_persons

LONGEST: Final = 400
"""Characters; longer text is cut, visibly. What tells one thing from another is a number and not its name."""


def shown(value: Any) -> Any:
    r"""A document with every text in it made readable, names of fields included.

    >>> shown({"a\n": ["ada@example.org", 1]})
    {'a\\n': ['[email]', 1]}
    """
    if isinstance(value, str):
        return visible(without_persons(value[: 4 * LONGEST]), LONGEST)
    if isinstance(value, dict):
        return {shown(name): shown(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [shown(each) for each in value]
    return value
