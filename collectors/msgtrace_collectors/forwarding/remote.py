"""The processes of other machines, as the collector reads them: what forwarders say, taken in the collector's thread.

Nothing that a peer says becomes a file or the name of one. What it says becomes rows, in the same transaction as the
position behind them, and is told to be stored when that transaction is.
"""

from __future__ import annotations

import queue
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

import msgspec

from msgtrace_collectors.forwarding.protocol import (
    At,
    Bodies,
    Body,
    Forget,
    Message,
    Open,
    Position,
    ProtocolError,
    Records,
    Refused,
    Stored,
    records_of,
    rows_of,
)
from msgtrace_collectors.process import ProcessState

if TYPE_CHECKING:
    from msgtrace_collectors.batch import Batch
    from msgtrace_collectors.forwarding.listener import Listener
    from msgtrace_collectors.forwarding.quota import Quota
    from msgtrace_collectors.forwarding.receiver import Said
    from msgtrace_collectors.registry import Registry

AT_ONCE: Final = 64
"""Messages taken between two looks at whether it is time to store."""
OVER: Final = "quota"
"""Reason of a loss: a sender had more to say in a day than it may."""

_columns = msgspec.structs.astuple


class Peer(Protocol):
    """A connection, as the collector's thread sees it.

    Attributes:
        sender: who its certificate says it is.
    """

    sender: str

    def say(self, *messages: Message) -> None:
        """Send something; forgotten when the connection has ended."""

    def taken(self) -> None:
        """The last thing that it said has been taken: it may say the next."""

    def end(self) -> None:
        """Close the connection."""


@dataclass(slots=True)
class Remote:
    """The connections of one collector: a `collector.Source`.

    Attributes:
        registry: of the trace.
        quota: of the senders.
        said: what came, from the listener's thread.
        listener: where it comes from; ended with this.
    """

    registry: Registry
    quota: Quota
    said: queue.SimpleQueue[tuple[Peer, Said | None]] = field(default_factory=queue.SimpleQueue)
    listener: Listener | None = None
    _taken: dict[Peer, int] = field(default_factory=dict)
    _unstored: set[Peer] = field(default_factory=set)
    _asked: list[tuple[Peer, Open, ProcessState]] = field(default_factory=list)
    _forwarded: set[int] = field(default_factory=set)
    _peers: set[Peer] = field(default_factory=set)

    @property
    def live(self) -> int:
        """Connections: as long as there is one, there may be more to come."""
        return len(self._peers)

    def poll(self, batch: Batch) -> int:
        """Take what has come.

        Returns:
            The number of records.
        """
        count = 0
        for _ in range(AT_ONCE):
            try:
                peer, message = self.said.get_nowait()
            except queue.Empty:
                break
            if message is None:
                self._gone(peer)
                continue
            self._peers.add(peer)
            try:
                count += self._take(peer, message, batch)
            except ProtocolError as error:
                peer.say(Refused(str(error)[:200]))
                peer.end()
            peer.taken()
        return count

    def _gone(self, peer: Peer) -> None:
        self._peers.discard(peer)
        self._taken.pop(peer, None)
        self._unstored.discard(peer)
        self._asked = [each for each in self._asked if each[0] is not peer]

    def _take(self, peer: Peer, message: Said, batch: Batch) -> int:
        match message:
            case Open():
                state = self._state(peer, message.process_id)
                if state.number in self._forwarded and state.number in self.registry.changed:
                    # Read and not yet stored: what is answered must be for good.
                    self._asked.append((peer, message, state))
                else:
                    self._answer(peer, message, state)
            case Bodies():
                rows = rows_of(message)
                if self.quota.within(peer.sender, message.size, time.time()):
                    for row in rows:
                        if isinstance(row, Body):
                            batch.bodies.note_read(_columns(row))
                        else:
                            batch.bodies.note_read_schema(_columns(row))
                    batch.size_bytes += message.size
            case Records():
                return self._records(peer, message, batch)
        return 0

    def _state(self, peer: Peer, process_id: str) -> ProcessState:
        own = ProcessState(0, process_id, sender=peer.sender).own(process_id)
        if own not in self.registry and not self.quota.one_more(peer.sender, time.time()):
            raise ProtocolError("more processes in a day than a sender may have")
        state = self.registry.get(own)
        state.sender = peer.sender
        return state

    @staticmethod
    def _answer(peer: Peer, message: Open, state: ProcessState) -> None:
        peer.say(At(message.process_id, Position(state.generation, state.frame_offset), state.ended))

    def _records(self, peer: Peer, message: Records, batch: Batch) -> int:
        state = self._state(peer, message.process_id)
        here = Position(state.generation, state.frame_offset)
        if message.begin != here or state.ended:
            raise ProtocolError("records that do not follow what was taken")
        if (message.end.generation, message.end.frame_offset) < (here.generation, here.frame_offset):
            raise ProtocolError("a position behind the one before")
        payloads = records_of(message)
        kept = self.quota.kept(peer.sender, payloads, time.time())
        if len(kept) < len(payloads):
            batch.lose(state, OVER, "records over what this sender may store in a day", len(payloads) - len(kept))
        batch.add(state, kept)
        state.generation, state.frame_offset = message.end.generation, message.end.frame_offset
        state.dropped = max(state.dropped, message.dropped)
        state.pid = message.pid
        state.ended = message.ended
        self.registry.changed[state.number] = state
        self._forwarded.add(state.number)
        self._taken[peer] = self._taken.get(peer, 0) + 1
        self._unstored.add(peer)
        return len(payloads)

    def stored(self) -> None:
        """What was taken so far is in the trace: say so."""
        for peer in self._unstored:
            peer.say(Stored(self._taken[peer]))
        self._unstored.clear()
        self._forwarded.clear()
        asked, self._asked = self._asked, []
        for peer, message, state in asked:
            self._answer(peer, message, state)

    def forget(self) -> None:
        """Bodies were deleted: they are to be sent again."""
        for peer in self._peers:
            peer.say(Forget())

    def close(self) -> None:
        """End every connection. What was stored before is told."""
        if self.listener is not None:
            self.listener.close()
            self.listener = None
