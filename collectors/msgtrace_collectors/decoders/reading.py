"""What became of reading a body. Pure."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from msgtrace_collectors.decoders.schemas import Used

UNDECODED: Final = "undecoded"
"""Kind of a remark: it could not be read as what it is."""
MISLABELLED: Final = "mislabelled"
"""Kind of a remark: it is not what its label says."""
HAZARD: Final = "hazard"
"""Kind of a remark: reading it is dangerous for the program that does."""


@dataclass(frozen=True, slots=True)
class Remark:
    """Something that users should know of a body. Counted among the losses.

    Attributes:
        kind: UNDECODED, MISLABELLED or HAZARD.
        text: a short sentence of ours, with nothing of the body in it.
    """

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Reading:
    """A body that has been read and redacted.

    Attributes:
        encoding: formats from the outermost to the innermost, `gzip+json`.
        document: as JSON text; None where it has no such form.
        content: the bytes that may be stored; None when they may not: a secret is in them, or they could not be searched.
        kept: the content is the body as it was.
        redacted: replacements.
        remarks: what users should know.
        schema: that it was read with.
        text: the content is text in UTF-8.
    """

    encoding: str
    document: bytes | None
    content: bytes | None
    kept: bool
    redacted: int = 0
    remarks: tuple[Remark, ...] = ()
    schema: Used | None = None
    text: bool = False

    def shown(self) -> bytes:
        """As JSON, in the place of something else: the document, the text, or the bytes."""
        if self.document is not None:
            return self.document
        if self.content is None:
            return b"null"
        if self.text:
            return msgspec.json.encode(self.content.decode("utf-8", "replace"))
        return msgspec.json.encode({"base64": base64.b64encode(self.content).decode()})
