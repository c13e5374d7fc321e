"""The libraries that have a hook: a file each. This table is all that is loaded before a program imports one of them."""

from __future__ import annotations

from typing import Final

TOPS: Final[dict[str, tuple[str, ...]]] = {
    "aio_pika": ("aio_pika",),
    "aiormq": ("aio_pika",),
    "blinker": ("blinker",),
    "django": ("django",),
    "fastapi": ("fastapi",),
    "flask": ("flask",),
    "gunicorn": ("gunicorn",),
    "hypercorn": ("hypercorn",),
    "kafka": ("kafka",),
    "pyee": ("pyee",),
    "redis": ("redis",),
    "starlette": ("starlette",),
    "uvicorn": ("uvicorn",),
    "waitress": ("waitress",),
    "websockets": ("websockets",),
    "werkzeug": ("werkzeug",),
    "wsgiref": ("wsgiref",),
}
"""Top module -> hooks that are read when the program begins to import it."""

FILES: Final = tuple(sorted({file for files in TOPS.values() for file in files}))
