"""One expectation of a test: described, waited for, and told in words when it does not come true.

Waiting asks the collector, and between two questions sleeps longer the longer an answer took: it is never busy.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, Self

from msgtrace_analysis.messages.matching import Criteria, judge
from msgtrace_analysis.messages.table import drawn, safe

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from msgtrace_analysis.messages.observed import Message

    Look = Callable[[], Sequence[Message]]

SHORTEST_PAUSE_S: Final = 0.02
LONGEST_PAUSE_S: Final = 0.25


class NotAsExpected(AssertionError):  # noqa: N818 - reads as what it is
    """An expectation did not come true; the text shows what was seen instead."""


class Expectation:
    """What a test expects of its messages. Say more by chaining; then `.wait()` or `await` it, or leave it to the test's end.

    Args:
        look: reads the messages so far.
        since_ns: what times are told from.
        criteria: what is asked of a message.
        count: how many there are to be; None for one or more.
        within: seconds to wait for them.
    """

    def __init__(self, look: Look, since_ns: int, criteria: Criteria, count: int | None, within: float) -> None:
        self._look = look
        self._since_ns = since_ns
        self._criteria = criteria
        self._count = count
        self._within = within
        self.pending = True
        """Nobody has waited for it yet."""

    def sent_by(self, name: str) -> Self:
        """Only messages that this service, or a function of this name, sent."""
        return self._with(sent_by=name)

    def received_by(self, name: str) -> Self:
        """Only messages that this service, handler or consumer group got. Say it again for another one that got it, too."""
        return self._with(received_by=(*self._criteria.received_by, name))

    def caused_by(self, event: str) -> Self:
        """Only messages that follow from one of this name, near or far, as the trace's links and causes say."""
        return self._with(caused_by=event)

    def matching(self, body: Any = ..., *, headers: dict[str, Any] | None = None, key: Any = None) -> Self:
        """Only messages whose body (headers, key) this fits; see `matching.misfit`: dictionaries fit in larger ones."""
        bodies = self._criteria.bodies if body is ... else (*self._criteria.bodies, body)
        return self._with(
            bodies=bodies,
            headers={**self._criteria.headers, **(headers or {})},
            key=self._criteria.key if key is None else key,
        )

    def _with(self, **more: Any) -> Self:
        self._criteria = replace(self._criteria, **more)
        return self

    def wait(self) -> list[Message]:
        """Wait until it comes true.

        Returns:
            the messages.

        Raises:
            NotAsExpected: it has not, in time.
        """
        __tracebackhide__ = True
        self.pending = False
        deadline = time.monotonic() + self._within
        while True:
            asked = time.monotonic()
            seen = self._look()
            found, over = self._judged(seen)
            now = time.monotonic()
            if over or now >= deadline:
                return self._concluded(seen, found)
            time.sleep(min(_pause(now - asked), max(deadline - now, 0.0)))

    def __await__(self) -> Generator[Any, None, list[Message]]:
        return self._waited().__await__()

    async def _waited(self) -> list[Message]:
        """As `wait`, while the event loop goes on."""
        __tracebackhide__ = True
        self.pending = False
        deadline = time.monotonic() + self._within
        while True:
            asked = time.monotonic()
            seen = await asyncio.to_thread(self._look)
            found, over = self._judged(seen)
            now = time.monotonic()
            if over or now >= deadline:
                return self._concluded(seen, found)
            await asyncio.sleep(min(_pause(now - asked), max(deadline - now, 0.0)))

    def _judged(self, seen: Sequence[Message]) -> tuple[list[Message], bool]:
        """What is as expected, and whether waiting changes nothing any more."""
        by_id = {message.operation_id: message for message in seen}
        found = [message for message in seen if not judge(self._criteria, message, by_id)]
        if self._count == 0:
            return found, bool(found)
        return found, len(found) >= (1 if self._count is None else self._count)

    def _concluded(self, seen: Sequence[Message], found: list[Message]) -> list[Message]:
        __tracebackhide__ = True
        if bool(found) if self._count is None else len(found) == self._count:
            return found
        raise NotAsExpected(self._told(seen, found))

    def _told(self, seen: Sequence[Message], found: list[Message]) -> str:
        wanted = "at least 1" if self._count is None else "none" if self._count == 0 else str(self._count)
        waited = f" within {self._within:g} s" if self._within else ""
        head = f"expected {self._criteria.described()}: {wanted}{waited}, seen {len(found) or 'none'}"
        if found:
            return f"{safe(head)}\n\n{drawn(found, self._since_ns)}"
        by_id = {message.operation_id: message for message in seen}
        # Those that come nearest are the last that are shown.
        reasons = {message.operation_id: judge(self._criteria, message, by_id) for message in seen}
        nearest = sorted(seen, key=lambda message: (reasons[message.operation_id] != "another event", message.at_ns))
        return f"{safe(head)}\n\n{drawn(nearest, self._since_ns, lambda message: reasons[message.operation_id])}"

    def __repr__(self) -> str:
        return f"<expectation: {self._criteria.described()}>"


def _pause(question_took_s: float) -> float:
    return min(max(SHORTEST_PAUSE_S, 2 * question_took_s), LONGEST_PAUSE_S)
