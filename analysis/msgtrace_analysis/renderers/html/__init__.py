"""Renders report.html: one page that needs nothing but itself. Pure: the same findings give the same bytes.

The page is a program (`assets`, built from analysis/report_page) and data (`page_values`). The program may run, by its
digest; nothing else may, and nothing may be fetched: the page's own policy says so. Data stands in blocks that no browser
runs, as ASCII without any character that could end them. What most of it is, fields and versions of every event type, is
packed, one line for each, and read when somebody looks at one.
"""

from __future__ import annotations

import base64
import hashlib
import importlib.resources
import json
import re
import zlib
from typing import TYPE_CHECKING, Any, Final

from msgtrace_analysis.renderers.html.page_values import page
from msgtrace_analysis.renderers.html.strings import shown
from msgtrace_analysis.renderers.persons import without_persons

if TYPE_CHECKING:
    from collections.abc import Iterable

    from msgtrace_analysis.findings import Findings

# What a browser could take for the end of a script or the beginning of a comment, and what an address or a telephone number
# begins with (`renderers.persons`): numbers of JSON have a plus, too, after a letter.
_UNSAFE: Final = re.compile(r"[<>&@']|(?<!\w)\+")

_PAGE: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="generator" content="msgtrace report.html">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>Messaging report</title>
<style>{style}</style>
</head>
<body>
<div id="page"><noscript>This page draws its data with the script that it carries. MESSAGING_GUIDE.md says the same in \
words.</noscript></div>
<script type="application/json" id="data">{data}</script>
<script type="application/octet-stream" id="contracts">{contracts}</script>
<script>{program}</script>
</body>
</html>
"""


def render(findings: Findings) -> str:
    """The whole page, ending in a newline."""
    program, style = _asset("page.js"), _asset("page.css")
    data = page(findings)
    contracts = packed(map(data_block, data.pop("contracts")))
    return _PAGE.format(
        policy=_policy(program), style=style, data=data_block(data), contracts=contracts, program=program
    )


def data_block(document: Any) -> str:
    r"""JSON that can stand in HTML whatever its strings are.

    >>> data_block({"a": "</script>"})
    '{"a":"\\u003c/script\\u003e"}'
    """
    text = json.dumps(shown(document), ensure_ascii=True, separators=(",", ":"), allow_nan=False)
    return _UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def packed(lines: Iterable[str]) -> str:
    """Lines of ASCII as zlib's format in base64, with the letters that addresses have.

    What is written is searched for personal data as if it were text: of several ways to pack it, the first is taken in which
    nothing looks like any.
    """
    whole = "\n".join(lines).encode()
    ways = (base64.urlsafe_b64encode(zlib.compress(whole, level)).decode() for level in (6, 9, 4, 1))
    return next(way for way in ways if without_persons(way) == way)


def _policy(program: str) -> str:
    """What the page may do: run its program, style itself, nothing else. Strings become no markup, wherever they come from."""
    digest = base64.b64encode(hashlib.sha256(program.encode()).digest()).decode()
    return (
        f"default-src 'none'; script-src 'sha256-{digest}'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; "
        "form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
    )


def _asset(name: str) -> str:
    return importlib.resources.files("msgtrace_analysis.renderers.html").joinpath("assets", name).read_text("utf-8")
