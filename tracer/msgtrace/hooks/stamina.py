"""stamina: retry policies as they are declared. The attempts are tenacity's, and its hook records them.

Wrapped: `_RetryContextIterator.from_params`, which blocks and callers make their policy with, and `with_name`, with which
a decorated function begins: a policy is told of when its code runs first, once a place or function.

Not seen: a decorated function that is never called; what a back-off hook of the program's decides.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from msgtrace import interning
from msgtrace.hook import Hook, Observe, Point
from msgtrace.policy_parts import Places, caller, frame_name, parts, plain

if TYPE_CHECKING:
    from msgtrace.records import Message

_NUMBERS: Final = ("_attempts", "_wait_initial", "_wait_max", "_wait_jitter", "_wait_exp_base")
_KNOWN: Final = {
    "tenacity.stop.stop_any": ("stops",),
    "tenacity.stop.stop_after_attempt": (),
    "tenacity.stop.stop_after_delay": ("max_delay",),
    "tenacity.retry.retry_if_exception_type": ("exception_types",),
}
UNNAMED: Final = "<unknown>"
_places: Final = Places()


def _declared(own: Any, name: str) -> Message:
    known = own._t_kw  # noqa: SLF001 - no public way to it
    return {
        "channel": interning.text(name),
        "channel_kind": "retry",
        "settings": {
            "action": "retry policy",
            **{name[1:]: plain(getattr(own, name)) for name in _NUMBERS},
            "stop": parts(known.get("stop"), _KNOWN),
            "retry": parts(known.get("retry"), _KNOWN),
        },
    }


def made(result: Any, cls: Any, *args: Any, **kwargs: Any) -> Message | None:
    """The policy of a block, or of a caller."""
    if result is None or result._name == UNNAMED:  # noqa: SLF001 - a decorator's, which `named` has
        return None
    frame = caller("stamina")
    if not _places.is_new((id(frame.f_code), frame.f_lasti), frame.f_code):
        return None
    return _declared(result, frame_name(frame))


def named(result: Any, self: Any, name: Any, args: Any, kw: Any) -> Message | None:
    """The policy of a decorated function, or of a caller, which is being called."""
    if result is None or type(name) is not str:
        return None
    numbers = [plain(getattr(result, each)) for each in _NUMBERS]
    return _declared(result, name) if _places.is_new((name, *numbers)) else None


HOOK = Hook(
    library="stamina",
    system="stamina",
    distribution="stamina",
    versions=">=25,<27",
    points=(
        Point("stamina._core:_RetryContextIterator.from_params", Observe(kind="declare", read=made)),
        Point("stamina._core:_RetryContextIterator.with_name", Observe(kind="declare", read=named)),
    ),
)
