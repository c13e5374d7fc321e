"""Finds secrets in what was recorded and replaces them. Pure, standard library only; knows no broker and no file.

Two rules decide. By name: what stands under a telling name (`password`, `apiKey`, `Authorization`) is replaced. By
pattern: what looks like a bearer token, a JWT, a card number, an AWS key, a PEM private key or a password in a URL is
replaced wherever it stands. A replacement is a string such as `[redacted:password]`; everything around it stays byte
for byte, JSON with its formatting, its order and its duplicate keys too.

A clean body must cost next to nothing: a few substring tests decide that there is nothing to look for. They may send a
body the long way in vain; they must never let one pass that the long way would change.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from msgtrace.redaction_names import NameRules, words
from msgtrace.redaction_patterns import PATTERN_NEEDLES, digits_of, redact_patterns

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_DEPTH: Final = 6
"""JSON inside JSON strings is followed this far; deeper text is searched for patterns only."""
MAX_TREE_DEPTH: Final = 200
