"""What is no part of a sample: the messages that processes have marked so, and what follows from them there.

Which messages those are is decided where they are sent and received (`msgtrace.sampling`); what has no wire, the handling of a
message, its acknowledgement, an event on a bus, goes with its cause, which stands in the same process's records.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from msgtrace.records import LEFT_OUT_CHANNEL, LEFT_OUT_CONVERSATION

if TYPE_CHECKING:
    from msgtrace_collectors.process import ProcessState
    from msgtrace_collectors.wire import Begin, Observed

REASONS: Final = {
    LEFT_OUT_CONVERSATION: "not in the sample: its conversation",
    LEFT_OUT_CHANNEL: "not in the sample: its channel",
}
"""Reasons of losses; the detail is the channel."""
FOLLOWS: Final = "not in the sample: follows from such a message"
MOST: Final = 200_000
"""Operations that are remembered: what follows later is taken for a beginning."""
MOST_NAMES: Final = 50_000


@dataclass(slots=True)
class LeftOut:
    """The operations that are left out, by their ids."""

    _ids: dict[int, None] = field(default_factory=dict)
    _names: dict[int, str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self._ids)

    def name_channel(self, text_id: int, name: str) -> None:
        """Take what an interned channel is called."""
        if len(self._names) < MOST_NAMES:
            self._names[text_id] = name

    def reason(self, process: ProcessState, record: Begin | Observed) -> tuple[str, str] | None:
        """Why an operation is left out, and its channel; None when it is part of the sample."""
        message = record.message
        way = message.left_out
        if way is None:
            if not self._follows(process, record):
                return None
            reason = FOLLOWS
        elif way in REASONS:
            reason = REASONS[way]
        else:
            return None
        self._add(process.operation_id(record.sequence))
        channel = message.channel
        if isinstance(channel, int):
            text_id = process.definition_id(channel)
            channel = None if text_id is None else self._names.get(text_id)
        return reason, channel or ""

    def has(self, process: ProcessState, sequence: int) -> bool:
        """Whether an operation was left out."""
        return process.operation_id(sequence) in self._ids

    def _follows(self, process: ProcessState, record: Begin | Observed) -> bool:
        if not self._ids:
            return False
        message = record.message
        for own in (message.receipt, message.link):
            if own:
                return self.has(process, own)
        causes = record.causes
        if isinstance(causes, int):
            return self.has(process, causes)
        return bool(causes) and all(self.has(process, each) for each in causes or ())

    def _add(self, operation_id: int | None) -> None:
        if operation_id is None:
            return
        if len(self._ids) >= MOST:
            del self._ids[next(iter(self._ids))]
        self._ids[operation_id] = None
