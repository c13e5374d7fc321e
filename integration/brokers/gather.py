"""All the brokers that somebody wants, at once: those that run already, and the others started for as long as wanted."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from integration.brokers import find, kept

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from integration.brokers.address import Address


@contextmanager
def gathered(names: Sequence[str]) -> Iterator[dict[str, Address | str]]:
    """Find or start brokers, and end the started ones afterwards.

    Args:
        names: `rabbitmq`, `redis`, `kafka`.

    Yields:
        by name, the broker's address, or why there is none.
    """
    outcome: dict[str, Address | str] = dict(find.running(list(names)))
    with ExitStack() as started:
        by_means: dict[str, list[str]] = {}
        for name in names:
            if name not in outcome:
                means = find.means(name)
                if means is None:
                    outcome[name] = find.why_not(name)
                else:
                    by_means.setdefault(means, []).append(name)
        for means, ours in by_means.items():
            for report in started.enter_context(kept.brokers(ours, means)).reports:
                outcome[report.name] = report.failure or kept.address_of(report)
        yield outcome
