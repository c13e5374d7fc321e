"""Renders declared schemas as files that their own tools read: `.avsc`, `.proto`; and an index. Pure."""

from __future__ import annotations

import base64
import binascii
import json
from typing import TYPE_CHECKING, Any, Final

from msgtrace_analysis.renderers.file_names import INDEX, stems
from msgtrace_analysis.renderers.json_values import text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from msgtrace_analysis.passes.declared_schemas import DeclaredSchema

FORMAT: Final = "msgtrace/declared-schemas"
VERSION: Final = 1
INDEX_MARK: Final = f'"format": "{FORMAT}"'
PROTO_MARK: Final = "// Written by msgtrace from a recording: the schema that messages were read with."
AVRO_MARK: Final = '"x-msgtrace"'
MARKS: Final = (INDEX_MARK, PROTO_MARK, AVRO_MARK)


def files(declared: Sequence[DeclaredSchema], trace_id: str) -> dict[str, str]:
    """Text by the name of the file; the index is the last."""
    identities = {str(number): _name(each) for number, each in enumerate(declared)}
    named = stems(identities)
    written: dict[str, str] = {}
    listed = []
    for number, each in enumerate(declared):
        file, content = _file(each, named[str(number)])
        written[file] = content
        listed.append(_entry(each, file))
    index = {"format": FORMAT, "version": VERSION, "trace_id": trace_id, "files": sorted(written), "schemas": listed}
    return {**written, INDEX: text(index)}


def _name(each: DeclaredSchema) -> str:
    name = each.name or each.subject or each.kind
    return name if each.version is None else f"{name}.v{each.version}"


def _entry(each: DeclaredSchema, file: str) -> dict[str, Any]:
    return {
        "file": file, "kind": each.kind, "name": each.name, "source": each.source, "registry_id": each.registry_id,
        "subject": each.subject, "version": each.version, "messages": each.messages, "channels": list(each.channels),
        "first_operation": each.first_operation,
    }  # fmt: skip


def _file(each: DeclaredSchema, stem: str) -> tuple[str, str]:
    if each.kind != "protobuf":
        return f"{stem}.avsc", _avro(each.text)
    descriptor = _descriptor(each.text)
    if descriptor is None:
        return f"{stem}.proto", f"{PROTO_MARK}\n{each.text.rstrip()}\n"
    about = {"x-msgtrace": "the .proto file is not known: this is its descriptor, FileDescriptorProto in Base64"}
    return f"{stem}.descriptor.json", text({**about, "descriptor": each.text})


def _avro(schema: str) -> str:
    """A schema with our mark in front, where that may stand: attributes that Avro does not know are metadata to it."""
    try:
        document = json.loads(schema)
    except (ValueError, RecursionError):
        return f"{schema.rstrip()}\n"
    if not isinstance(document, dict):
        return text(document)
    return text({"x-msgtrace": "the schema that messages were read with", **document})


def _descriptor(schema: str) -> bytes | None:
    """The bytes of a descriptor that stands in Base64; None where it is a `.proto` file."""
    try:
        return base64.b64decode(schema, validate=True)
    except (binascii.Error, ValueError):
        return None
