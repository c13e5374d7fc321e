"""Renders JSON Schema files: one for each event type, one for each version of it, and an index. Pure.

The same findings give the same bytes.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from msgtrace_analysis.passes.schema.json_schema import DIALECT
from msgtrace_analysis.passes.text_fields import text_fields
from msgtrace_analysis.renderers.file_names import INDEX, distinct, stems
from msgtrace_analysis.renderers.json_values import text, time_of
from msgtrace_analysis.renderers.persons import without_persons

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from msgtrace_analysis.findings import Contract, Event, Findings, Version

FORMAT: Final = "msgtrace/json-schemas"
VERSION: Final = 1
MARKS: Final = ('"x-msgtrace"', f'"format": "{FORMAT}"')
"""What a schema file of ours, and an index, has near its beginning."""


def files(findings: Findings) -> dict[str, str]:
    """Of everything that was found."""
    found = {contract.event: contract for contract in findings.contracts}
    return render(
        [(event, found[event.ref]) for event in findings.events if event.ref in found], findings.recording.trace_id
    )


def render(described: Sequence[tuple[Event, Contract]], trace_id: str) -> dict[str, str]:
    """File name -> content; the index is the last.

    Args:
        described: event types and their contracts.
        trace_id: of the trace that they were read from.
    """
    named = stems({event.ref: event.name for event, _ in described})
    written: dict[str, str] = {}
    entries = []
    for event, contract in described:
        stem = named[event.ref]
        entry = _entry(event, contract)
        if contract.samples:
            entry["file"] = f"{stem}.json"
            written[f"{stem}.json"] = _file(event, contract.schema, entry)
        versions = []
        for version, name in zip(
            contract.versions, distinct([version.name for version in contract.versions]), strict=True
        ):
            file = f"{stem}~{name}.json"
            about = _version(version)
            written[file] = _file(
                event,
                version.schema,
                {
                    **_of(event),
                    **about,
                    "certainty": contract.certainty,
                    "sent_as_json_text": list(text_fields(event, contract)),
                },
                version.name,
            )
            versions.append({"file": file, **about})
        entries.append({**entry, "versions": versions})
    index = {"format": FORMAT, "version": VERSION, "trace_id": trace_id, "files": sorted(written), "schemas": entries}
    written[INDEX] = text(index)
    return written


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
        "sent_as_json_text": list(text_fields(event, contract)),
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


def _shown(reference: str) -> str:
    """An event type's id without personal data, and still its own: once it is quoted, nothing tells an address by its form."""
    shown = without_persons(reference)
    if shown == reference:
        return reference
    return f"{shown}.{hashlib.sha256(reference.encode('utf-8', 'surrogatepass')).hexdigest()[:12]}"


def _file(event: Event, schema: Mapping[str, Any], about: Mapping[str, Any], version: str = "") -> str:
    identity = quote(_shown(event.ref), safe="", errors="backslashreplace") + (
        f":{quote(version, safe='', errors='backslashreplace')}" if version else ""
    )
    return text({
        "$schema": DIALECT,
        "x-msgtrace": {name: value for name, value in about.items() if name != "file"},
        "$id": f"urn:msgtrace:{identity}",
        "title": event.name + (f", version {version}" if version else ""),
        **{name: value for name, value in schema.items() if name != "$schema"},
    })  # fmt: skip
