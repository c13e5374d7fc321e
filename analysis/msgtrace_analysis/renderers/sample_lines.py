"""Says in a line that a trace is a sample, and what follows for what is counted. Pure."""

from __future__ import annotations


def sample_line(sample: float | None) -> str | None:
    """A line for people; None where everything was recorded.

    >>> sample_line(0.1)
    '1 in 10 conversations, and channels without ids whole or not at all; counts and rates are of these, and what follows from a \
message without an id may be missing: msgtrace losses'
    """
    if sample is None:
        return None
    return (
        f"{part(sample)} conversations, and channels without ids whole or not at all; counts and rates are of these, and what "
        "follows from a message without an id may be missing: msgtrace losses"
    )


def part(sample: float) -> str:
    """A part in words.

    >>> part(0.25), part(0.3)
    ('1 in 4', '3 in 10')
    """
    from fractions import Fraction  # noqa: PLC0415 - few traces are samples

    near = Fraction(sample).limit_denominator(1000)
    return f"{near.numerator} in {near.denominator}"


def in_sample(sample: float | None) -> str:
    """What stands behind a rate."""
    return "" if sample is None else f", in a sample of {part(sample)}"
