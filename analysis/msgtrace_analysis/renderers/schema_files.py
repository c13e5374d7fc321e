"""Renders JSON Schema files: one for each event type, one for each version of it, and an index. Pure.

File names are made of the events' names as far as those are harmless; what is not, or would be the same as another on a
file system that knows no case, gets a digest of the event's id. The same findings give the same bytes.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from msgtrace_analysis.passes.schema.json_schema import DIALECT
from msgtrace_analysis.renderers.json_values import time_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from msgtrace_analysis.findings import Contract, Event, Version

FORMAT: Final = "msgtrace/json-schemas"
VERSION: Final = 1
INDEX: Final = "index.json"
MARK: Final = '"x-msgtrace"'
"""What a schema file of ours has near its beginning."""
INDEX_MARK: Final = f'"format": "{FORMAT}"'
LONGEST_NAME: Final = 80
_HARMLESS: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_RESERVED: Final = re.compile(r"(?i)(?:con|prn|aux|nul|com[0-9]|lpt[0-9]|index)(?:\..*)?")
"""Names that Windows has for devices, and our index."""
OURS: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(?:~[A-Za-z0-9][A-Za-z0-9._-]*)?\.json")
"""Every name that a schema's file can have."""

Described = "tuple[Event, Contract]"


def render(described: Sequence[tuple[Event, Contract]], trace_id: str) -> dict[str, str]:
    """File name -> content; the index is the last.

    Args:
        described: event types and their contracts.
        trace_id: of the trace that they were read from.
    """
    stems = _stems([event for event, _ in described])
    files: dict[str, str] = {}
    entries = []
    for event, contract in described:
        stem = stems[event.ref]
        entry = _entry(event, contract)
        if contract.samples:
            entry["file"] = f"{stem}.json"
            files[f"{stem}.json"] = _file(event, contract.schema, entry)
        named = _names([version.name for version in contract.versions])
        versions = []
        for version, name in zip(contract.versions, named, strict=True):
            file = f"{stem}~{name}.json"
            about = _version(version)
            files[file] = _file(
                event, version.schema, {**_of(event), **about, "certainty": contract.certainty}, version.name
            )
            versions.append({"file": file, **about})
        entries.append({**entry, "versions": versions})
    index = {"format": FORMAT, "version": VERSION, "trace_id": trace_id, "schemas": entries}
    files[INDEX] = _text(index)
    return files


def written_before(index: str) -> set[str]:
    """The schema files that an index of ours names; none where it is no such."""
    try:
        document = json.loads(index)
        entries = document["schemas"] if document["format"] == FORMAT else []
        names = [each["file"] for entry in entries for each in (entry, *entry["versions"])]
    except (ValueError, KeyError, TypeError, RecursionError):
        return set()
    return {name for name in names if isinstance(name, str) and OURS.fullmatch(name) and name != INDEX}


def _of(event: Event) -> dict[str, Any]:
    return {
        "event": event.ref,
        "name": event.name,
        "system": event.system,
        "channel": event.address,
        "channel_kind": event.channel_kind,
    }


def _entry(event: Event, contract: Contract) -> dict[str, Any]:
    return {
        **_of(event),
        "file": None,
        "samples": contract.samples,
        "unread": contract.unread,
        "cut": contract.cut,
        "certainty": contract.certainty,
        "versioned_by": contract.versioned_by or None,
    }


def _version(version: Version) -> dict[str, Any]:
    return {
        "version": version.name,
        "samples": version.samples,
        "first_seen": time_of(version.first_seen_ns),
        "last_seen": time_of(version.last_seen_ns),
        "compatibility": version.verdict,
        "changes": [{"path": each.path, "change": each.what, "keeps": each.reads} for each in version.changes],
    }


def _file(event: Event, schema: Mapping[str, Any], about: Mapping[str, Any], version: str = "") -> str:
    identity = quote(event.ref, safe="", errors="backslashreplace") + (
        f":{quote(version, safe='', errors='backslashreplace')}" if version else ""
    )
    return _text({
        "$schema": DIALECT,
        "$id": f"urn:msgtrace:{identity}",
        "x-msgtrace": {name: value for name, value in about.items() if name != "file"},
        "title": event.name + (f", version {version}" if version else ""),
        **{name: value for name, value in schema.items() if name != "$schema"},
    })  # fmt: skip


def _text(document: Any) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False).encode("utf-8", "backslashreplace").decode() + "\n"


def _stems(events: Iterable[Event]) -> dict[str, str]:
    """Event id -> the name of its file without its ending."""
    named = {event.ref: event.name for event in events}
    often = Counter(name.lower() for name in named.values())
    return {ref: _safe(name, ref, alone=often[name.lower()] == 1) for ref, name in named.items()}


def _names(names: Sequence[str]) -> list[str]:
    often = Counter(name.lower() for name in names)
    return [_safe(name, name, alone=often[name.lower()] == 1) for name in names]


def _safe(name: str, identity: str, *, alone: bool) -> str:
    """A name for a file: the name itself where it is harmless and the only such, else what is harmless of it and a digest."""
    if alone and _HARMLESS.fullmatch(name) and len(name) <= LONGEST_NAME and not _RESERVED.fullmatch(name):
        return name
    digest = hashlib.sha256(identity.encode("utf-8", "surrogatepass")).hexdigest()[:12]
    harmless = re.sub(r"[^A-Za-z0-9._-]+", "-", name)[: LONGEST_NAME - 20].strip("-._")
    return f"{harmless or 'event'}-{digest}"
