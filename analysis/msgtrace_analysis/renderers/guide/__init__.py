"""Renders MESSAGING_GUIDE.md: nine sections and what is complete, each a template and a file beside this one. Pure."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined, pass_context

from msgtrace_analysis.findings import weakest
from msgtrace_analysis.renderers import markdown
from msgtrace_analysis.renderers.clock_lines import clock_line
from msgtrace_analysis.renderers.guide import (
    catalog,
    checklist,
    contracts,
    flows,
    practices,
    queues,
    reliability,
    stack,
    words,
)
from msgtrace_analysis.renderers.guide.anchors import Anchors
from msgtrace_analysis.renderers.guide.citing import Citations
from msgtrace_analysis.renderers.markdown import Safe
from msgtrace_analysis.renderers.sample_lines import sample_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from jinja2.runtime import Context

    from msgtrace_analysis.findings import Evidence, Findings

MARK: Final = "<!-- Written by msgtrace from a recording: changes made here are lost when it is written again. -->"
"""The first line, by which `report` knows its own file."""


def _nothing(_: Findings) -> Mapping[str, Any]:
    return {}


SECTIONS: Final[dict[str, Callable[[Findings], Mapping[str, Any]]]] = {
    "opening": _nothing,
    "stack": stack.values,
    "catalog": catalog.values,
    "flows": flows.values,
    "contracts": contracts.values,
    "queues": queues.values,
    "reliability": reliability.values,
    "monitoring": _nothing,
    "security": _nothing,
    "practices": practices.values,
    "completeness": checklist.values,
}
"""Template -> what it is given besides the findings; in the order in which they stand in the guide."""


def render(findings: Findings) -> str:
    """The whole guide, ending in a newline."""
    citations = Citations()
    environment = _environment()
    common = {
        "citations": citations,
        "cite": citations.cite,
        "evidence_table": citations.table,
        "anchors": Anchors(findings.events),
        "mark": Safe(MARK),
        "f": findings,
        "r": findings.recording,
        "sample": sample_line(findings.recording.sample),
        "clocks": [line for clock in findings.recording.clocks if (line := clock_line(clock)) is not None],
        "event_of": {event.ref: event for event in findings.events},
    }
    parts = [
        environment.get_template(f"{name}.md.jinja").render(**common, **values(findings))
        for name, values in SECTIONS.items()
    ]
    lines = [line.rstrip() for line in "\n".join(parts).splitlines()]
    return "\n".join(_single_spaced(lines)) + "\n"


@functools.cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("msgtrace_analysis", "templates/guide"),
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701 - Markdown: `finalize` escapes what is not marked
        finalize=markdown.finalize,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update({each.__name__: each for each in words.FILTERS})
    environment.filters["cite"] = _cited
    environment.globals.update(weakest=weakest, certainties=words.certainties)
    return environment


@pass_context
def _cited(context: Context, evidence: Evidence | None) -> Safe:
    """The mark of some evidence, of the guide that is being written."""
    citations: Citations = context["citations"]
    return citations.cite(evidence)


def _single_spaced(lines: Iterable[str]) -> Iterable[str]:
    """Without repeated empty lines, which templates make where nothing was to be said; code stays as it is."""
    before, fence = "", ""
    for line in lines:
        if line or before or fence:
            yield line
        before = line
        if fence:
            fence = "" if line == fence else fence
        elif line.startswith("```"):
            fence = line[: len(line) - len(line.lstrip("`"))]
