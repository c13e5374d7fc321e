"""The `messages` fixture: what one test asks of its own messages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgtrace_analysis.messages import baseline, conforming
from msgtrace_analysis.messages.expectation import Expectation, NotAsExpected
from msgtrace_analysis.messages.matching import Criteria, called
from msgtrace_analysis.messages.observed import Message, read
from msgtrace_analysis.messages.table import drawn
from msgtrace_collectors.trace import Trace, TraceError, open_trace

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["Expectation", "Message", "Messages", "NotAsExpected"]


class Messages:
    """The messages of one test: what it sent, what followed from that in whatever process, and what was received of it.

    Args:
        db: the trace that is being recorded.
        tester: id of the process that runs it; None for all that the session has seen.
        since_ns: monotonic time of the test's beginning.
        update: write baselines anew instead of comparing with them.
    """

    def __init__(self, db: Path, tester: str | None, since_ns: int, *, update: bool = False) -> None:
        self._db = db
        self._tester = tester
        self._since_ns = since_ns
        self._update = update
        self._trace: Trace | None = None
        self._declared: list[Expectation] = []

    @property
    def session(self) -> Messages:
        """The same for everything since this test began, also what can't be told to be its own."""
        other = Messages(self._db, None, self._since_ns, update=self._update)
        other._declared = self._declared
        return other

    def expect(
        self, event: str | None = None, *, channel: str | None = None, count: int | None = None, within: float = 5.0
    ) -> Expectation:
        """Expect messages. `.wait()` for it, `await` it, or leave it: then it must be true when the test ends.

        Args:
            event: what a message is called: its type property, a header or field that says so, its routing key or its
                channel; or a pattern with `*`.
            channel: exchange, queue, topic, stream or bus that it is sent to; or a pattern.
            count: how many there are to be, exactly; one or more by default.
            within: seconds from when it is waited for.
        """
        expectation = Expectation(self._look, self._since_ns, Criteria(event, channel), count, within)
        self._declared.append(expectation)
        return expectation

    def none(self, event: str | None = None, *, channel: str | None = None, within: float = 0.0) -> Expectation:
        """Expect that there are no such messages among what has been recorded, and within so many seconds from now."""
        return self.expect(event, channel=channel, count=0, within=within)

    def seen(self, event: str | None = None) -> list[Message]:
        """The messages so far."""
        return [each for each in self._look() if event is None or called(event, each.names)]

    def conforms_to(
        self, document: str | os.PathLike[str], event: str | None = None, *, strict: bool = False
    ) -> list[Message]:
        """Have the payloads of the messages so far validated by an AsyncAPI document.

        Args:
            document: AsyncAPI 2 or 3, YAML or JSON.
            event: only messages of this name.
            strict: what the document does not describe fails, too.

        Returns:
            the messages that were validated.

        Raises:
            NotAsExpected: one does not conform, or there is none that the document describes.
            ValueError: the document can't be read as one.
        """
        __tracebackhide__ = True
        validated, problems = conforming.check(conforming.load(document), self.seen(event), strict=strict)
        if problems:
            raise NotAsExpected(f"{len(problems)} things do not conform to {document}:\n" + "\n".join(problems))
        if not validated:
            raise NotAsExpected(
                f"no message so far is described in {document}\n\n{drawn(self.seen(event), self._since_ns)}"
            )
        return validated

    def baseline(self, file: str | os.PathLike[str]) -> None:
        """Compare the messages so far with a saved baseline, which `--msgtrace-update` writes.

        Args:
            file: JSON; to be kept with the tests.

        Raises:
            NotAsExpected: an event, one of its channels, services or fields has vanished, or a field's type has changed.
        """
        __tracebackhide__ = True
        problems = baseline.compared(file, baseline.contract(self.seen()), update=self._update)
        if problems:
            raise NotAsExpected(baseline.told(file, problems))

    def conclude(self) -> str:
        """Check what was expected and never waited for; what is not so, '' when all is."""
        told = []
        for expectation in self._declared:
            if expectation.pending:
                try:
                    expectation.wait()
                except NotAsExpected as error:
                    told.append(str(error))
        return "\n\n".join(told)

    def close(self) -> None:
        """Let go of the trace."""
        if self._trace is not None:
            self._trace.close()

    def _look(self) -> list[Message]:
        if self._trace is None:
            self._trace = open_trace(self._db)
        try:
            self._trace.settle()
            return read(self._trace, self._tester, self._since_ns)
        except TraceError as error:
            raise NotAsExpected(f"the trace can't be asked: {error}") from None

    def __iter__(self) -> Iterator[Message]:
        return iter(self._look())

    def __repr__(self) -> str:
        return f"<messages of {'the session' if self._tester is None else 'a test'}>"
