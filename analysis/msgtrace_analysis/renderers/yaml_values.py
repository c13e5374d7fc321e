"""How documents, and parts of them, are written as YAML. Pure."""

from __future__ import annotations

import yaml


class _Dumper(yaml.CSafeDumper):
    """Writes every value out where it stands: no anchors. In C, which wheels of PyYAML have: Python takes ten times as long."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 - the library's signature
        return True


def text(value: object) -> str:
    """A document as YAML, ending in a newline."""
    return str(yaml.dump(_clean(value), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120))


def _clean(value: object) -> object:
    """The value with text that UTF-8 can write: halves of characters, which JSON allows, as their escapes."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, dict):
        return {str(_clean(name)): _clean(each) for name, each in value.items()}
    return [_clean(each) for each in value] if isinstance(value, list | tuple) else value
