"""Puts text that others chose into Markdown so that it stays text. Pure.

Names of queues, events and functions come from recorded traffic: nothing in them may end a table cell, open a heading,
become HTML or a link. Source: GitHub Flavored Markdown, https://github.github.com/gfm/.
"""

from __future__ import annotations

import functools
import re
from typing import Final

MAX_CHARACTERS: Final = 200
"""Longer text is cut, visibly: documents are for reading."""
KEPT: Final = 20_000
"""Texts that are remembered as they are written: names stand in a document again and again."""

_SPECIAL = re.compile(r"[\\`*_\[\]<>#|~&$@]")
_ENTITIES: Final = {"<": "&lt;", ">": "&gt;", "&": "&amp;"}
_LINK = re.compile(r"(?<=:)//|(?<=\bwww)\.", re.IGNORECASE)
_LINE_START = re.compile(r"^(\s*)(?=[+=-])|^(\s*[0-9]+)(?=[.)](?:\s|$))")
_NO_PLAIN = re.compile(r"[^A-Za-z0-9 ]")
_INVISIBLE = re.compile(
    "[\\x00-\\x1f\\x7f-\\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff]"
)


class Safe(str):
    """Text that is Markdown already."""

    __slots__ = ()


def visible(text: str, limit: int = MAX_CHARACTERS) -> str:
    r"""Text on one line, without characters that can't be seen, cut to a length.

    >>> visible("a\nb\u202e")
    'a\\nb\\u202e'
    """
    shown = _INVISIBLE.sub(lambda found: _escape(found[0]), text[: limit + 1])
    return shown if len(shown) <= limit else f"{shown[: limit - 1]}…"


def _escape(character: str) -> str:
    return {"\n": "\\n", "\r": "\\r", "\t": "\\t"}.get(character, f"\\u{ord(character):04x}")


@functools.lru_cache(maxsize=KEPT)
def text(value: str, limit: int = MAX_CHARACTERS) -> Safe:
    r"""Running text.

    >>> text("a|b *c* <d>")
    'a\\|b \\*c\\* &lt;d&gt;'
    """
    escaped = _SPECIAL.sub(lambda found: _ENTITIES.get(found[0], f"\\{found[0]}"), visible(value, limit))
    # Addresses would become links all by themselves; signs and numbers at the beginning of a line begin a list.
    unlinked = _LINK.sub(lambda found: "".join(f"&#{ord(each)};" for each in found[0]), escaped)
    return Safe(_LINE_START.sub(r"\1\2\\", unlinked))


@functools.lru_cache(maxsize=KEPT)
def code(value: str, limit: int = MAX_CHARACTERS) -> Safe:
    r"""A code span, in a table or outside.

    A table's cell ends at a pipe even inside a code span, unless it is escaped; and a backslash before it would show
    outside of a table. So what has a pipe is written as HTML, which is the same in both.

    >>> code("order.placed"), code("a`b"), code("a|b")
    ('`order.placed`', '`` a`b ``', '<code>a&#124;b</code>')
    """
    shown = visible(value, limit)
    if not shown.strip():
        return Safe("*empty*" if not shown else "*blank*")
    if "|" in shown:
        return Safe(f"<code>{_NO_PLAIN.sub(lambda found: f'&#{ord(found[0])};', shown)}</code>")
    runs = re.findall("`+", shown)
    fence = "`" * (max(map(len, runs), default=0) + 1)
    space = " " if "`" in shown else ""
    return Safe(f"{fence}{space}{shown}{space}{fence}")


def fenced(language: str, content: str) -> Safe:
    """A code block."""
    runs = re.findall("`{3,}", content)
    fence = "`" * max(3, max(map(len, runs), default=0) + 1)
    return Safe(f"{fence}{language}\n{content}\n{fence}")


def finalize(value: object) -> object:
    """For templates: everything that is not marked as Markdown is escaped."""
    return text(value) if isinstance(value, str) and not isinstance(value, Safe) else value
