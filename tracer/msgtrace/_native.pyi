# What each does is written down in `probe`, `guarded`, `context` and `recorder`.

from collections.abc import Callable, Sequence
from contextvars import ContextVar
from types import FrameType
from typing import Any

from msgtrace.records import Message

LAYOUT: tuple[int, ...]
SOURCE: int

class Pen:
    def __init__(
        self,
        *,
        encode: Callable[[Any], bytes],
        encode_odd: Callable[[Any], bytes],
        slow: Callable[[bytes, Any], bool],
        adopt: Callable[[], None],
        cap: Callable[[Message, Any], None],
        thread_number: Callable[[], int],
        body_limit: int,
    ) -> None: ...
    def write(self, payload: bytes, /) -> bool: ...
    def open(self, segment: Any, words: memoryview, seed: int, /) -> None: ...
    def close(self) -> int: ...
    def begin_process(self, mark: memoryview, /) -> None: ...
    def find_with(self, find: Callable[[FrameType | None], int], own: dict[int, Any], /) -> None: ...
    def forget_code(self) -> None: ...
    def next_sequence(self) -> int: ...

class Probe:
    point: int
    depth: int
    failures: int
    propagates: bool
    def __init__(self, pen: Pen, /) -> None: ...
    def begin(
        self,
        message: Message,
        depth: int = 1,
        causes: Any = None,
        sequence: int = 0,
        frame: FrameType | None = None,
    ) -> int: ...
    def observe(
        self, message: Message, outcome: str = "ok", started_ns: int = 0, depth: int = 1, causes: Any = None
    ) -> int: ...

class Fields:
    sequences: Any
    state: int
    scope: Any
    receiver: Callable[[BaseException | None], None] | None
    awaits_future: bool
    future: Any
    swallowed: BaseException | None
    def __init__(
        self, sequences: Any = None, state: int = 0, scope: Any = None, *, awaits_future: bool = False
    ) -> None: ...
    def fetched(self, sequences: Sequence[int], /) -> None: ...
    def settle_in(self) -> None: ...
    def state_here(self) -> int: ...

class Reading:
    def __init__(
        self,
        whole: Callable[..., Any],
        common: Callable[..., Any] | None,
        parameters: tuple[str, ...],
        defaults: tuple[Any, ...],
        positional: int,
        paths: tuple[Any, ...],
        keys: tuple[Any, ...],
        conditions: tuple[tuple[Any, Any], ...],
        fields: tuple[Any, ...],
        outcome: str | None,
        /,
    ) -> None: ...
    def __call__(self, *args: Any, **kwargs: Any) -> Any: ...
    def forget(self) -> None: ...
    def drawn(
        self, pen: Pen, first: tuple[Any, ...], args: tuple[Any, ...], kwargs: dict[str, Any], /
    ) -> tuple[int, bytes | None, bytes, bytes, int, bytes | None, str | None] | None: ...

class Notes:
    latest: list[int]
    next: int

ABSENT: object

class Submission:
    owner: Any
    frame: FrameType | None
    made: bool
    def __init__(self, owner: Any, frame: FrameType | None, /) -> None: ...

def begin(probe: Any, read: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], /) -> Any: ...
def end(
    probe: Any,
    done: Callable[..., Any] | None,
    sequence: Any,
    result: Any,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    /,
) -> None: ...
def observe(
    probe: Any,
    read: Callable[..., Any],
    result: Any,
    error: BaseException | None,
    started: int,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    /,
) -> tuple[int, ...]: ...
def late(
    probe: Any, read: Callable[..., Any], result: Any, args: tuple[Any, ...], kwargs: dict[str, Any], /
) -> None: ...
def deliver(
    probe: Any, handling: Any, read: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], /
) -> Any: ...
def made(
    probe: Any,
    read: Callable[..., Any],
    done: Callable[..., Any] | None,
    recorded: Callable[..., int],
    pending: Any,
    result: Any,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    /,
) -> None: ...
def use_submission(pending: type[Submission], /) -> None: ...
def use_causes(cause: type[Fields], handling: type[Fields], /) -> None: ...
def fetch() -> Any: ...
def plain(value: Any, nodes: int, size: int, /) -> bool | None: ...
def keep_context(phase: str, info: dict[str, Any], /) -> None: ...
def release_contexts() -> None: ...
def leave(cause: Any, token: Any, /) -> None: ...
def settled() -> None: ...
def follow(probe: Any, cause: Any, sequence: Any, task_of: Callable[[Any], Any] | None = None, /) -> bool: ...
def use(
    current: ContextVar[Any], end: Callable[..., Any], observe: Callable[..., Any], leave: Callable[..., Any], /
) -> None: ...
def use_span(add_span: Callable[[Any], None], context: Callable[[], Any], /) -> None: ...
