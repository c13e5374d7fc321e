"""Keeps each distinct body once: its digest, its redacted bytes, its JSON. Remembers what is stored, within a bound."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from msgtrace_collectors.columns import BODY_COLUMNS, array
from msgtrace_collectors.decoding import JSON, OBJECT, decode

if TYPE_CHECKING:
    from msgtrace.redaction import Redactor

MAX_KNOWN: Final = 100_000
"""Digests of one of the two generations that are remembered: about 10 MB each."""


class Bodies:
    """The bodies of one trace.

    Args:
        redactor: applied before anything leaves here.
        secret: the key of the digests; whoever has only the trace file can't test a guess against a digest.
        stored: whether the trace file holds bodies that this object has not seen.
    """

    def __init__(self, redactor: Redactor, secret: bytes, *, stored: bool) -> None:
        self._redactor = redactor
        self._keyed = blake2b(digest_size=16, key=secret)
        self._keyed_object = blake2b(digest_size=16, key=secret, person=b"object")
        self._known: set[bytes] = set()
        self._older: set[bytes] = set()
        self._digests: dict[bytes, bytes] = {}
        self._fresh: list[tuple[bytes, bytes, str | None]] = []
        self._fresh_objects: list[tuple[bytes, bytes, int]] = []
        self.may_repeat = stored
        """Whether a fresh body may be one that is stored already."""
        self._expression: str | None = redactor.suspect_expression
        try:
            pc.match_substring_regex(pa.array([b""], pa.binary()), self._expression)
        except pa.ArrowInvalid:
            # A pattern of the user's that RE2 can't do: every body goes the long way.
            self._expression = None

    def note(self, body: bytes, content_type: str | None) -> bytes:
        """Take a body's kept bytes; it is stored with the batch unless it is known.

        Returns:
            its digest.
        """
        digest = self._digests.get(body)
        if digest is not None:
            return digest
        state = self._keyed.copy()
        state.update(body)
        digest = self._digests[body] = state.digest()
        if digest not in self._known and self._is_new(digest):
            self._fresh.append((digest, body, content_type))
        return digest

    def note_object(self, text: bytes, redacted: bytes, replacements: int) -> bytes:
        """Take an in-process object.

        Args:
            text: as JSON.
            redacted: the same with its secrets replaced.
            replacements: how many were.
        """
        state = self._keyed_object.copy()
        state.update(text)
        digest = state.digest()
        if self._is_new(digest):
            self._fresh_objects.append((digest, redacted, replacements))
        return digest

    def _is_new(self, digest: bytes) -> bool:
        if digest in self._known:
            return False
        self._known.add(digest)
        if digest in self._older:
            return False
        if len(self._known) >= MAX_KNOWN:
            # What falls out may come again.
            self.may_repeat = self.may_repeat or bool(self._older)
            self._older, self._known = self._known, {digest}
        return True

    def forget(self) -> None:
        """Bodies were deleted from the trace file: nothing is known to be stored."""
        self._known.clear()
        self._older.clear()
        self.may_repeat = True

    def take(self) -> pa.Table | None:
        """The bodies that came since the last call, redacted and decoded; None when there are none."""
        self._digests.clear()
        fresh, objects = self._fresh, self._fresh_objects
        self._fresh, self._fresh_objects = [], []
        if not fresh and not objects:
            return None
        digests = [digest for digest, _, _ in fresh]
        bodies = [body for _, body, _ in fresh]
        redacted = [0] * len(fresh)
        if fresh:
            for place, suspect in enumerate(self._suspects(bodies)):
                if suspect:
                    bodies[place], redacted[place] = self._redactor.body(bodies[place])
        documents: list[bytes | None] = []
        contents: list[bytes | None] = []
        encodings: list[str] = []
        for body, (_, _, content_type) in zip(bodies, fresh, strict=True):
            encoding, document = decode(body, content_type)
            encodings.append(encoding)
            documents.append(document)
            contents.append(None if encoding == JSON else body)
        for digest, text, count in objects:
            digests.append(digest)
            contents.append(None)
            documents.append(text)
            encodings.append(OBJECT)
            redacted.append(count)
        columns: tuple[list[Any], ...] = (digests, contents, documents, encodings, redacted)
        return pa.table({
            name: array(values, kind)
            for (name, kind), values in zip(BODY_COLUMNS, columns, strict=True)
        })  # fmt: skip

    def _suspects(self, bodies: list[bytes]) -> list[Any]:
        if self._expression is None:
            return [True] * len(bodies)
        if not self._redactor.options.enabled:
            return [False] * len(bodies)
        return pc.match_substring_regex(pa.array(bodies, pa.binary()), self._expression).to_pylist()
