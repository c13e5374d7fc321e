"""`msgtrace.ignore()`: what is done inside is not recorded."""

from __future__ import annotations

import functools
import sys
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar, cast

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextvars import Token
    from types import TracebackType

    Decorated = TypeVar("Decorated", bound=Callable[..., Any])

IGNORING: Final[ContextVar[bool]] = ContextVar("msgtrace_ignoring", default=False)
ignored: Final = IGNORING.get
"""Whether the running code is to be ignored."""
_used: Final[list[bool]] = []
_GENERATORS: Final = 0x20 | 0x200
_COROUTINE: Final = 0x80


class ignore:  # noqa: N801 - used as a function is
    """Record nothing of what is done inside. A context manager, and a decorator of functions and coroutine functions.

    >>> with ignore():
    ...     pass  # redis.publish("heartbeats", "alive")

    It is the code inside that is ignored, and the tasks that it starts; not other threads, and not whoever receives its
    messages elsewhere. Where nothing is recorded, it does nothing.
    """

    def __init__(self) -> None:
        self._tokens: list[Token[bool]] = []

    def __enter__(self) -> Self:
        _begin_to_use()
        self._tokens.append(IGNORING.set(True))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            IGNORING.reset(self._tokens.pop())
        except ValueError:  # a generator's that is closed in another context, which goes on as it was
            return

    def __call__(self, function: Decorated) -> Decorated:
        """Decorate a function.

        Raises:
            TypeError: it is a generator function, whose body runs when others want it to.
        """
        flags = getattr(getattr(function, "__code__", None), "co_flags", 0)
        if flags & _GENERATORS:
            raise TypeError(f"{function!r} is a generator function: use `with msgtrace.ignore():` inside of it")
        if flags & _COROUTINE:

            async def coroutine(*args: Any, **kwargs: Any) -> Any:
                with ignore():
                    return await function(*args, **kwargs)

            return cast("Decorated", functools.wraps(function)(coroutine))

        def called(*args: Any, **kwargs: Any) -> Any:
            with ignore():
                return function(*args, **kwargs)

        return cast("Decorated", functools.wraps(function)(called))


def _begin_to_use() -> None:
    if not _used:
        _used.append(True)
        native = getattr(sys.modules.get("msgtrace.native"), "native", None)
        if native is not None:
            tell_native(native)


def tell_native(native: Any) -> None:
    """Have the compiled part look, too, once anything has been ignored."""
    if _used:
        native.use_ignoring(IGNORING)
