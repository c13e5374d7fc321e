"""What the running code is handling: the cause of whatever it sends next.

A `Cause` is a mutable cell in a context variable. The cell, not the value, travels with `create_task`, `to_thread` and
copied contexts, so a fetch that completes in an inner task (`asyncio.wait_for(ws.recv(), 5)` copies the context on
Python 3.11) still fills the cell that its caller sees, and a task that outlives its handler is seen to do so.

A handler's cell knows the `Context` that the handler was entered in. What happens in another one is not the handler's own
code but something that it has started, which may be doing another message's work (docs/decisions/0010-a-task-is-no-proof.md).
"""

from __future__ import annotations

import gc
import sys
from contextvars import Context, ContextVar
from typing import TYPE_CHECKING, Any, Final

from msgtrace.native import native
from msgtrace.records import CAUSE_BATCH, CAUSE_ELSEWHERE, CAUSE_ENDED, CAUSE_LIVE, CAUSE_NESTED, CAUSE_SETTLED

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_HOME: Final[ContextVar[None]] = ContextVar("msgtrace_home", default=None)
"""For where there is no compiled part: Python shows nobody the running `Context`, but resets a token in its own only."""


class FieldsInPython:
    """The fields of every cell, as `_native.Fields` has them; see `Cause` and `Handling`."""

    __slots__ = ("awaits_future", "future", "home", "receiver", "scope", "sequences", "state", "swallowed")

    def __init__(
        self,
        sequences: Any = None,
        state: int = CAUSE_LIVE,
        scope: Handling | None = None,
        *,
        awaits_future: bool = False,
    ) -> None:
        self.sequences: Any = sequences
        self.state = state
        self.scope = scope
        self.receiver: Callable[[BaseException | None], None] | None = None
        self.awaits_future = awaits_future
        self.future: Any = None
        self.swallowed: BaseException | None = None
        self.home: Any = None
        if sequences is not None and scope is None:  # a fetch begins empty, or with its scope's
            self.settle_in()

    def fetched(self, sequences: Sequence[int]) -> None:
        """Fill the cell with what one fetch returned; where nothing was, an enclosing handler stays the cause."""
        if not sequences:
            return
        state = CAUSE_BATCH if len(sequences) > 1 else CAUSE_LIVE
        if self.scope is not None:
            self.sequences, self.state = (*sequences, self.scope.sequences), state | CAUSE_NESTED
        elif state:
            self.sequences, self.state = sequences, state
        else:
            self.sequences, self.state = sequences[0], state

    def settle_in(self) -> None:
        """Note that the handler runs in the running context."""
        self.home = _HOME.set(None)

    def state_here(self) -> int:
        """The state of a cause, for an effect that is recorded in the running context."""
        handler = self if self.scope is None else self.scope
        if handler.home is None and self.scope is None:  # a fetch's, or over
            return self.state
        return self.state | (0 if handler.runs_here() else CAUSE_ELSEWHERE)

    def runs_here(self) -> bool:
        """Whether the running context is this handler's own."""
        if self.home is None:
            return False
        try:
            _HOME.reset(self.home)
        except (ValueError, RuntimeError):  # of another context; the latter while that one's own thread is asking
            return False
        self.home = _HOME.set(None)
        return True


if TYPE_CHECKING or native is None:  # noqa: SIM108 - type checkers follow no conditional expression
    Fields = FieldsInPython
else:
    Fields = native.Fields


class Cause(Fields):
    """One message being handled, or the candidates out of one fetch.

    Attributes:
        sequences: the causing operation's sequence, a tuple of candidates, or None while nothing has been fetched.
        state: bits of `records.CAUSE_*`.
        scope: the enclosing handler's cell for a fetch made inside a handler; None in a handler's own cell, which
            would else be a cycle that waits for the garbage collector, once a message.
    """

    __slots__ = ()

    @classmethod
    def fetching(cls, enclosing: Cause | None) -> Cause:
        """The cell of a fetch that is about to be made, empty until it returns."""
        scope = enclosing if isinstance(enclosing, Handling) else None if enclosing is None else enclosing.scope
        if scope is None or scope.state & CAUSE_ENDED:
            return cls()
        return cls(scope.sequences, scope.state, scope)

    def settled(self) -> None:
        """The message was acknowledged: what follows is probably still its work, not certainly."""
        self.state |= CAUSE_SETTLED

    def ended(self) -> None:
        """The handler returned; tasks and threads that it started may go on."""
        self.state |= CAUSE_ENDED
        self.home = None  # which holds the context, and that holds this


class Handling(Cause):
    """A handler's scope, or that of a send that runs its receivers itself.

    Attributes:
        home: the context that its code runs in, while it runs.
        receiver: the receiver that an iterating send is running: what completes it, given its error or None.
        awaits_future: the handler may go on in a future that the library is about to make.
        future: that future.
        swallowed: what the handler raised, where the library lets it go no further; for hooks to set.
    """

    __slots__ = ()

    def moves_to(self, future: Any) -> None:
        """The handler's own code runs in this task, which has not begun."""
        context = context_of(future)
        if context is None:  # an executor's: see `threads`
            return
        if native is not None:
            self.home = context
        else:
            try:
                self.home = context.run(_HOME.set, None)
            except RuntimeError:  # it is running already, in another thread
                self.home = None


class Sending(Handling):
    """The scope of a send that runs its receivers itself, before and between them. In them it is their own."""

    __slots__ = ()


def context_of(future: Any) -> Context | None:
    """The context that a task runs in; None for what is no task."""
    tasks = sys.modules.get("asyncio.tasks")
    if tasks is None or not issubclass(type(future), getattr(tasks, "Task", ())):
        return None
    if sys.version_info >= (3, 12):
        context: Context = tasks.Task.get_context(future)
        return context
    # Its own is the first: https://github.com/python/cpython/blob/v3.11.0/Modules/_asynciomodule.c#L2015 (TaskObj_traverse)
    return next((each for each in gc.get_referents(future) if type(each) is Context), None)


CURRENT: Final[ContextVar[Cause | None]] = ContextVar("msgtrace_cause", default=None)


def fetch() -> Cause:
    """The cell of a fetch that begins here, from now on the current one."""
    cause = Cause.fetching(CURRENT.get())
    CURRENT.set(cause)
    return cause


if not TYPE_CHECKING and native is not None:
    native.use_causes(Cause, Handling)
    fetch = native.fetch
