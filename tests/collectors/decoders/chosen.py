"""A chooser as the collector has it, and what it makes of a body."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from msgtrace.redaction import Options, Redactor
from msgtrace_collectors.decoders.choice import Chooser
from msgtrace_collectors.decoders.labels import Labels

if TYPE_CHECKING:
    from msgtrace_collectors.decoders.reading import Reading

REDACTOR = Redactor()


def chooser(**given: Any) -> Chooser:
    return Chooser(REDACTOR.body, redacting=True, **given)


def unredacted() -> Chooser:
    return Chooser(Redactor(Options(enabled=False)).body, redacting=False)


def read(body: bytes, content_type: str | None = None, content_encoding: str | None = None, **labels: Any) -> Reading:
    """Read a body that has no secrets."""
    return unredacted().read(body, Labels(content_type, content_encoding, **labels))


def value(reading: Reading) -> Any:
    assert reading.document is not None, reading
    return json.loads(reading.document)
