"""Renders AsyncAPI 3.1 documents, one for the system and one for each service. Pure.

Source: https://www.asyncapi.com/docs/reference/specification/v3.1.0. The same findings give the same bytes. What happens
inside one process, on an in-process bus, is no API and left to the guide. What is not AsyncAPI's own stands under `x-`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgtrace_analysis.renderers.asyncapi.document import document, services
from msgtrace_analysis.renderers.file_names import INDEX, stems
from msgtrace_analysis.renderers.json_values import text
from msgtrace_analysis.renderers.yaml_values import text as render

if TYPE_CHECKING:
    from msgtrace_analysis.findings import Findings

__all__ = ["MARKS", "document", "each_service", "render", "services", "system"]

FORMAT: Final = "msgtrace/asyncapi"
VERSION: Final = 1
MARKS: Final = ("x-msgtrace: ", f'"format": "{FORMAT}"')
"""What a document of ours, and an index, has near its beginning."""


def system(findings: Findings) -> str:
    """The document of the system."""
    return render(document(findings))


def each_service(findings: Findings) -> dict[str, str]:
    """The document of each service, by its file's name, and an index of them."""
    names = services(findings)
    files = {service: f"{stem}.yaml" for service, stem in stems({name: name for name in names}).items()}
    written = {file: render(document(findings, service)) for service, file in files.items()}
    index = {
        "format": FORMAT, "version": VERSION, "trace_id": findings.recording.trace_id, "files": sorted(written),
        "services": [{"service": service, "file": file} for service, file in files.items()],
    }  # fmt: skip
    return {**written, INDEX: text(index)}
