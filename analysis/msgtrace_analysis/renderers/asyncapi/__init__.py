"""Renders AsyncAPI 3.1 documents, one for the system and one for each service. Pure.

Source: https://www.asyncapi.com/docs/reference/specification/v3.1.0. The same findings give the same bytes. What happens
inside one process, on an in-process bus, is no API and left to the guide. What is not AsyncAPI's own stands under `x-`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import yaml

from msgtrace_analysis.renderers.asyncapi.document import document, services
from msgtrace_analysis.renderers.asyncapi.names import Keys

if TYPE_CHECKING:
    from msgtrace_analysis.findings import Findings

__all__ = ["MARK", "document", "files", "render", "services"]

MARK: Final = "x-msgtrace: "
"""What a document of ours has near its beginning."""


def files(findings: Findings) -> dict[str, str]:
    """Every document by its file's name: the system's, and each service's in a folder."""
    written = {"asyncapi.yaml": render(document(findings))}
    keys = Keys()
    for service in services(findings):
        written[f"asyncapi/{keys.key(service, service)}.yaml"] = render(document(findings, service))
    return written


class _Dumper(yaml.SafeDumper):
    """Writes every value out where it stands: no anchors."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 - the library's signature
        return True


def render(value: object) -> str:
    """A document as YAML, ending in a newline."""
    text = yaml.dump(_clean(value), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)
    return str(text)


def _clean(value: object) -> object:
    """The value with text that UTF-8 can write: halves of characters, which JSON allows, as their escapes."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, dict):
        return {str(_clean(name)): _clean(each) for name, each in value.items()}
    return [_clean(each) for each in value] if isinstance(value, list | tuple) else value
