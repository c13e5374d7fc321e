"""Renders AsyncAPI 3.1 documents (https://www.asyncapi.com/docs/reference/specification/v3.1.0), one for the system and
one for each service. Pure: the same findings give the same bytes.

What happens inside one process, on an in-process bus, is no API and left to the guide. What is not AsyncAPI's own stands
under `x-`.
"""

from __future__ import annotations

import yaml

from msgtrace_analysis.renderers.asyncapi.document import document, services

__all__ = ["document", "render", "services"]


class _Dumper(yaml.SafeDumper):
    """Writes every value out where it stands: no anchors."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 - the library's signature
        return True


def render(value: object) -> str:
    """A document as YAML, ending in a newline."""
    return str(yaml.dump(_clean(value), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120))


def _clean(value: object) -> object:
    """The value with text that UTF-8 can write: halves of characters, which JSON allows, as their escapes."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, dict):
        return {str(_clean(name)): _clean(each) for name, each in value.items()}
    return [_clean(each) for each in value] if isinstance(value, list | tuple) else value
