"""The libraries that have a hook: a file each. Before a program imports one of them, this table is all that is loaded."""

from __future__ import annotations

TYPE_CHECKING = False  # as typing has it, which costs more than all that a traced interpreter needs at its start
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Final

TOPS: Final[dict[str, tuple[str, ...]]] = {
    "aio_pika": ("aio_pika",),
    "aiobreaker": ("aiobreaker",),
    "aiohttp": ("aiohttp",),
    "aiormq": ("aio_pika",),
    "backoff": ("backoff",),
    "blinker": ("blinker",),
    "celery": ("celery",),
    "circuitbreaker": ("circuitbreaker",),
    "django": ("django",),
    "fastapi": ("fastapi",),
    "flask": ("flask",),
    "gunicorn": ("gunicorn",),
    "httpx": ("httpx",),
    "httpx2": ("httpx2",),
    "hypercorn": ("hypercorn",),
    "kafka": ("kafka",),
    "kombu": ("kombu", "kombu_redis"),
    "purgatory": ("purgatory",),
    "pybreaker": ("pybreaker",),
    "pyee": ("pyee",),
    "redis": ("redis",),
    "stamina": ("stamina",),
    "starlette": ("starlette",),
    "tenacity": ("tenacity",),
    "urllib.request": ("urllib",),
    "urllib3": ("urllib3",),
    "uvicorn": ("uvicorn",),
    "waitress": ("waitress",),
    "websockets": ("websockets",),
    "werkzeug": ("werkzeug",),
    "wsgiref": ("wsgiref",),
}
"""Top module -> hooks that are read when the program begins to import it. `urllib` alone, every program has."""

FILES: Final = tuple(sorted({file for files in TOPS.values() for file in files}))


def hooks_of(names: Iterable[str]) -> tuple[str, ...]:
    """The hooks of libraries, by the names that users know: of what they import.

    Raises:
        ValueError: a name is of no library with a hook; the text is for the user.
    """
    found: list[str] = []
    for name in names:
        if name not in TOPS and name not in FILES:
            raise ValueError(f"{name!r} is no library with a hook; those are {', '.join(FILES)}")
        found += TOPS[name] if name not in FILES else (name,)
    return tuple(found)
