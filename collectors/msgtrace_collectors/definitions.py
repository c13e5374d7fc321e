"""Turns DEFINE and PROCESS records into rows of the store. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from msgtrace import records

if TYPE_CHECKING:
    from msgtrace.redaction import Redactor

TABLES: Final = {
    records.POINTS: "points",
    records.THREADS: "threads",
    records.SITES: "sites",
    records.TEXTS: "texts",
    records.CONNECTIONS: "connections",
    records.HANDLERS: "handlers",
}


def plain_json(value: Any) -> bytes:
    """A tree of built-in types as JSON text; what JSON has no form for is shown as its type."""
    try:
        return msgspec.json.encode(value, enc_hook=_shown)
    except (TypeError, ValueError, RecursionError):
        return msgspec.json.encode(readable(value, 0), enc_hook=_shown)


def readable(value: Any, depth: int = 0) -> Any:
    """A tree in JSON's own types: bytes as text or `{"base64": ...}`, names as text."""
    if depth > 100:
        return "<nested too deep>"
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            return {"base64": value}
    if isinstance(value, dict):
        return {_name(k): readable(v, depth + 1) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [readable(v, depth + 1) for v in value]
    return value


def _name(key: Any) -> str:
    key = readable(key)
    return key if isinstance(key, str) else str(key)


def _shown(value: Any) -> Any:
    return f"<{type(value).__name__}>"


def definition_row(table: int, value: Any, redactor: Redactor) -> tuple[Any, ...] | None:
    """The columns after the id of what a DEFINE record says; None when it makes no sense."""
    if table in {records.THREADS, records.TEXTS}:
        return (redactor.identifier(value)[0] if isinstance(value, str) else None,)
    if table == records.POINTS and isinstance(value, list):
        return tuple(_text(v) for v in _padded(value, 5))
    if table == records.SITES and isinstance(value, list):
        path, line, function = _padded(value, 3)
        return (_text(path), _integer(line), _text(function))
    if table == records.CONNECTIONS and isinstance(value, dict):
        facts, _ = redactor.tree(readable(value))
        return (
            _server(value),
            _text(value.get("virtual_host")),
            _text(value.get("broker_id", value.get("cluster_id"))),
            plain_json(facts),
        )
    if table == records.HANDLERS and isinstance(value, dict):
        doc = _text(value.get("doc"))
        return (
            _text(value.get("path")),
            _integer(value.get("line")),
            _integer(value.get("end_line")),
            _text(value.get("name")),
            _text(value.get("module")),
            redactor.text(doc)[0] if doc else None,
        )
    return None


def process_facts(facts: dict[str, Any], redactor: Redactor) -> bytes:
    """The facts of a PROCESS record as JSON, the command line without its secrets."""
    facts = dict(facts)
    argv = facts.pop("argv", None)
    safe, _ = redactor.tree(readable(facts))
    if isinstance(argv, list):
        safe = {**safe, "argv": redactor.arguments([str(readable(a)) for a in argv])[0]}
    return plain_json(safe)


def _padded(values: list[Any], length: int) -> list[Any]:
    return [*values[:length], *[None] * (length - len(values))]


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _integer(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and -(2**63) <= value < 2**63 else None


def _server(facts: dict[Any, Any]) -> str | None:
    address, port = _text(facts.get("server_address")), _integer(facts.get("server_port"))
    if address is None:
        return None
    if port is None:
        return address
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
