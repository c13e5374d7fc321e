"""Messages of an AsyncAPI document: one for each event type. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from msgtrace_analysis.passes.text_fields import text_fields
from msgtrace_analysis.renderers.asyncapi.schemas import payload
from msgtrace_analysis.renderers.markdown import visible
from msgtrace_analysis.renderers.values import value

if TYPE_CHECKING:
    from collections.abc import Sequence

    from msgtrace_analysis.findings import Contract, Event, Use
    from msgtrace_analysis.renderers.asyncapi.names import Keys

CONTENT_TYPES: Final = {
    "json": "application/json", "msgpack": "application/msgpack", "cbor": "application/cbor",
    "avro": "application/vnd.apache.avro", "protobuf": "application/x-protobuf", "form": "application/x-www-form-urlencoded",
    "text": "text/plain", "xml": "application/xml", "binary": "application/octet-stream",
}  # fmt: skip
"""Media types of what bodies were read as: the innermost format, IANA's name where it has one."""
CORRELATION: Final = "correlation_id"


def message(
    event: Event, contract: Contract | None, uses: Sequence[Use], keys: Keys, schemas: dict[str, Any]
) -> dict[str, Any]:
    """A message.

    Args:
        event: its type.
        contract: what its bodies looked like.
        uses: by whom it is sent and received, within the document.
        keys: of the document's schemas.
        schemas: the document's schemas; definitions are added.
    """
    written: dict[str, Any] = {"name": visible(event.name), "title": visible(event.name)}
    written["summary"] = f"{event.judgement.kind} ({event.judgement.certainty}), named by {visible(event.named_by)}"
    if content_type := _content_type(uses):
        written["contentType"] = content_type
    if headers := _headers(uses):
        written["headers"] = headers
    if contract is not None and contract.samples:
        written["payload"] = payload(contract, keys, schemas)
    if as_text := text_fields(event, contract):
        written["x-sent-as-json-text"] = [visible(each) for each in as_text]
    if location := _correlation(contract, uses):
        written["correlationId"] = {"location": location}
    written["x-event"] = event.ref
    written["x-evidence"] = value(event.evidence)
    if contract is not None and contract.versions:
        written["x-versions"] = [
            {"name": visible(each.name), "samples": each.samples, "compatibility": each.verdict}
            for each in contract.versions
        ]
    return written


def _content_type(uses: Sequence[Use]) -> str:
    """The media type of nearly all bodies; '' where they differ or it has none."""
    innermost = {use.encodings[0].rpartition("+")[2] for use in uses if use.encodings}
    return CONTENT_TYPES.get(innermost.pop(), "") if len(innermost) == 1 else ""


def _headers(uses: Sequence[Use]) -> dict[str, Any]:
    """The schema of headers. Those that a broker adds on the way are no part of what a publisher must send."""
    sides = [use for use in uses if use.side == "send"] or list(uses)
    total = sum(use.messages for use in sides)
    types: dict[str, set[str]] = {}
    present: dict[str, int] = {}
    for use in sides:
        for header in use.headers:
            types.setdefault(header.name, set()).update(header.types)
            present[header.name] = present.get(header.name, 0) + header.present
    properties: dict[str, Any] = {name: {"type": _type(found)} for name, found in sorted(types.items())}
    required = [name for name in properties if present[name] == total]
    correlated = sum(use.correlated for use in sides)
    if correlated and CORRELATION not in properties:
        properties[CORRELATION] = {"type": "string", "description": "a property of the protocol's own, no header"}
        required += [CORRELATION] if correlated == total else []
    if not properties:
        return {}
    return {"type": "object", "properties": properties} | ({"required": required} if required else {})


def _type(types: set[str]) -> str | list[str]:
    found = sorted(types)
    return found[0] if len(found) == 1 else found


def _correlation(contract: Contract | None, uses: Sequence[Use]) -> str:
    """Where a message says what it belongs to, as a runtime expression."""
    if any(use.correlated for use in uses):
        return f"$message.header#/{CORRELATION}"
    top = {} if contract is None else contract.schema.get("properties", {})
    for field in () if contract is None else contract.fields:
        if field.role == "correlation" and not set(field.path) & set("[]*"):
            path = field.path.replace("~", "~0").replace("/", "~1")
            # A dot may stand in a field's own name, too.
            return f"$message.payload#/{path if field.path in top else path.replace('.', '/')}"
    return ""
