"""What all splitters share: taking frames off the front of bytes until they run out. Knows no protocol."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

FrameT = TypeVar("FrameT")


@dataclass(frozen=True, slots=True)
class Split(Generic[FrameT]):
    """Bytes, cut.

    Attributes:
        frames: Every whole frame, in order.
        rest: What follows the last whole frame: the beginning of another, or nothing.
    """

    frames: tuple[FrameT, ...]
    rest: bytes


TakeOne = Callable[[bytes, int], tuple[FrameT, int] | None]
"""(data, where a frame begins) -> (the frame, where it ends), or None while bytes are missing."""


def split_by(take_one: TakeOne[FrameT], data: bytes) -> Split[FrameT]:
    """Takes frames off `data` for as long as there is a whole one."""
    frames: list[FrameT] = []
    position = 0
    while position < len(data) and (taken := take_one(data, position)) is not None:
        frame, position = taken
        frames.append(frame)
    return Split(tuple(frames), data[position:])


class Incremental(Generic[FrameT]):
    """A splitter that is fed as bytes come."""

    def __init__(self, split: Callable[[bytes], Split[FrameT]]) -> None:
        self._split = split
        self.rest = b""

    def feed(self, chunk: bytes) -> tuple[FrameT, ...]:
        """Frames that this chunk completes."""
        done = self._split(self.rest + chunk)
        self.rest = done.rest
        return done.frames
