"""What a message says of its body: content type, encodings, headers, channel. Pure."""

from __future__ import annotations

import codecs
from functools import lru_cache
from typing import Any, Final, NamedTuple

CONTENT_TYPES: Final = ("content-type", "contenttype", "content_type", "ce_datacontenttype")
"""Headers that say what a body is, written small."""
_CONTENT_ENCODINGS: Final = ("content-encoding", "contentencoding", "content_encoding", "compression")
CONTENT_HEADERS: Final = frozenset({*CONTENT_TYPES, *_CONTENT_ENCODINGS, "task"})
"""Headers that say something of the body."""


class Labels(NamedTuple):
    """What came with a body.

    Attributes:
        content_type: of the protocol's own field.
        content_encoding: likewise; some libraries put a character set there.
        headers: pairs in the order of the wire.
        channel: the topic, queue or the like.
        cut: the body is the beginning of a longer one.
    """

    content_type: str | None = None
    content_encoding: str | None = None
    headers: list[tuple[str, Any]] | None = None
    channel: str | None = None
    cut: bool = False

    def header(self, *names: str) -> str | None:
        """The first header of one of these names, written small; None when it is no text."""
        for name, value in self.headers or ():
            if name.lower() in names:
                text = _text(value)
                if text is not None:
                    return text
        return None

    def media_type(self) -> tuple[str, dict[str, str]]:
        """The content type, written small, and its parameters; the header's where the protocol's field is empty."""
        text = self.content_type or (self.header(*CONTENT_TYPES) if self.headers else None)
        return parsed(text) if text else ("", {})

    def codings(self) -> list[str]:
        """Content encodings, written small, in the order in which they were applied."""
        texts = [self.content_encoding] if self.content_encoding else []
        for name, value in self.headers or ():
            if name.lower() in _CONTENT_ENCODINGS and (text := _text(value)):
                texts.append(text)
        return _words(tuple(texts)) if texts else []

    def decompressed(self, *, typed: bool) -> Labels:
        """Of what is inside a compressed body.

        Args:
            typed: the content type is that of the inside.
        """
        charset = self.content_encoding if known_charset(self.content_encoding or "") else None
        dropped = _CONTENT_ENCODINGS if typed else (*_CONTENT_ENCODINGS, *CONTENT_TYPES)
        headers = self.headers and [(name, value) for name, value in self.headers if name.lower() not in dropped]
        return Labels(self.content_type if typed else None, charset, headers, self.channel, self.cut)

    def charset(self) -> str | None:
        """The character set that the labels name, as Python calls it; None when they name none that is known."""
        named = [self.media_type()[1].get("charset", ""), *self.codings()]
        return next((known for known in map(known_charset, named) if known), None)


@lru_cache(1024)
def _words(texts: tuple[str, ...]) -> list[str]:
    return list(dict.fromkeys(word.strip() for text in texts for word in text[:500].lower().split(",") if word.strip()))


@lru_cache(1024)
def parsed(content_type: str) -> tuple[str, dict[str, str]]:
    """A content type and its parameters (RFC 9110, section 8.3.1)."""
    kind, *rest = content_type[:500].split(";")
    parameters = {}
    for part in rest:
        name, equals, value = part.partition("=")
        if equals:
            parameters[name.strip().lower()] = value.strip().strip('"')
    return kind.strip().lower(), parameters


@lru_cache(1024)
def known_charset(name: str) -> str | None:
    """Python's name of a character set; None of what is none, such as `base64` or `gzip`."""
    try:
        found = codecs.lookup(name)
    except (LookupError, ValueError):
        return None
    text = getattr(found, "_is_text_encoding", True) and found.name not in {"idna", "punycode", "undefined"}
    return found.name if text and not found.name.endswith("escape") else None


def _text(value: Any) -> str | None:
    if type(value) is str:
        return value
    if type(value) is bytes:
        try:
            return value.decode()
        except UnicodeDecodeError:
            return None
    return None
