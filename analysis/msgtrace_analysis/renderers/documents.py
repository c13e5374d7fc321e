"""The documents that `msgtrace report` writes: a table. What renders one is loaded when it is asked for.

Another document is another line here. What renders it gets `Findings` and asks nothing; the same findings give the same text.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from msgtrace_analysis.findings import Findings

Form = Literal["markdown", "json", "yaml", "html"]
FORMS: Final[tuple[Form, ...]] = ("markdown", "json", "yaml", "html")
_RENDERERS: Final = "msgtrace_analysis.renderers"


@dataclass(frozen=True, slots=True)
class Entry:
    """A document, or a folder of them.

    Attributes:
        place: `module:function` of what renders it: text for a document; for a folder text by the name of each file in it,
            of which `index.json` is the last.
        form: that it is in.
        marks: one of them stands near the beginning of every file of ours (`commands.writing` says how near), and of
            nobody else's: a file without is not written over.
        help: what it is, in a few words.
    """

    place: str
    form: Form
    marks: tuple[str, ...]
    help: str


DOCUMENTS: Final[dict[str, Entry]] = {
    "MESSAGING_GUIDE.md": Entry(
        f"{_RENDERERS}.guide:render", "markdown", ("<!-- Written by msgtrace",), "the guide, for people"
    ),
    "EVENT_FLOWS.json": Entry(
        f"{_RENDERERS}.event_flows:render", "json", ('"format": "msgtrace/event-flows"',), "all of it, for programs"
    ),
    "alerts.yaml": Entry(
        f"{_RENDERERS}.alert_rules:render", "yaml", ("# Written by msgtrace",), "alert rules for Prometheus"
    ),
    "report.html": Entry(
        f"{_RENDERERS}.html:render", "html", ('<meta name="generator" content="msgtrace report.html',),
        "all of it, to look at in a browser",
    ),
    "messaging_analysis.json": Entry(
        f"{_RENDERERS}.messaging_analysis:render", "json", ('"format": "msgtrace/messaging-analysis"',),
        "the system in a few numbers",
    ),
    "asyncapi.yaml": Entry(
        f"{_RENDERERS}.asyncapi:system", "yaml", ("x-msgtrace: ",), "AsyncAPI 3.1 of the whole system"
    ),
    "asyncapi/": Entry(
        f"{_RENDERERS}.asyncapi:each_service", "yaml", ("x-msgtrace: ", '"format": "msgtrace/asyncapi"'),
        "AsyncAPI 3.1 of each service",
    ),
    "schemas/": Entry(
        f"{_RENDERERS}.schema_files:files", "json", ('"x-msgtrace"', '"format": "msgtrace/json-schemas"'),
        "JSON Schema of each event type and version",
    ),
    "memory/": Entry(
        f"{_RENDERERS}.memory:files", "json", ('"format": "msgtrace/memory"',), "what an agent should know, in small files"
    ),
}  # fmt: skip
"""By name, in the order in which they are written; the name of a folder ends in a slash."""


def render(name: str, findings: Findings) -> dict[str, str]:
    """A document, or the files of a folder, as text by path."""
    module, _, function = DOCUMENTS[name].place.partition(":")
    written: str | Mapping[str, str] = _loaded(module, function)(findings)
    if isinstance(written, str):
        return {name: written}
    return {f"{name}{file}": content for file, content in written.items()}


def _loaded(module: str, function: str) -> Any:
    return getattr(import_module(module), function)
