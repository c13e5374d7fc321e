"""Schemas as a generator of models may read them: what it needs, and no more than accepts every message that was seen. Pure.

Names and values of a schema come from recorded traffic, and what is made of it is run as code. So only keywords that are known
here are passed on, definitions get names of ours, and `checked` refuses whatever is no declaration of a model.

A format is passed on only where the type that stands for it accepts all that has the format; pydantic's e-mail addresses and
URLs are stricter than what programs send.
"""

from __future__ import annotations

import ast
import keyword
import re
from typing import TYPE_CHECKING, Any, Final

from msgtrace_analysis.renderers.persons import without_persons

if TYPE_CHECKING:
    from collections.abc import Mapping

FORMATS: Final = frozenset({"uuid", "date", "date-time"})
MODULES: Final = frozenset(
    {"__future__", "pydantic", "typing", "typing_extensions", "uuid", "datetime", "collections.abc"}
)
"""That a file of models may import."""
_SCHEMAS: Final = ("items", "additionalProperties")
_LISTS: Final = ("anyOf", "oneOf", "prefixItems")
_PLAIN: Final = ("type", "enum", "const", "minItems")
_REFERENCE: Final = "#/$defs/"


class UnsafeError(Exception):
    """Generated code that is more than models."""


def accepting(schema: Mapping[str, Any]) -> dict[str, Any]:
    """A schema of ours, for the generator."""
    names = {name: f"Part{number}" for number, name in enumerate(schema.get("$defs", {}), 1)}
    written: dict[str, Any] = _schema(schema, names)
    if names:
        written["$defs"] = {names[name]: _schema(each, names) for name, each in schema["$defs"].items()}
    return written


def _schema(schema: Any, names: Mapping[str, str]) -> Any:
    if not isinstance(schema, dict):
        return schema  # true and false are schemas, too
    written: dict[str, Any] = {name: schema[name] for name in _PLAIN if name in schema and _harmless(schema[name])}
    if "required" in schema:
        written["required"] = [name for name in schema["required"] if _harmless(name)]
    if schema.get("format") in FORMATS and schema.get("type") in ("string", ["null", "string"]):
        written["format"] = schema["format"]
    if "$ref" in schema:
        name = str(schema["$ref"]).removeprefix(_REFERENCE).replace("~1", "/").replace("~0", "~")
        written["$ref"] = f"{_REFERENCE}{names[name]}"
    if "properties" in schema:
        written["properties"] = {
            name: _schema(each, names) for name, each in schema["properties"].items() if _harmless(name)
        }
    written |= {name: _schema(schema[name], names) for name in _SCHEMAS if name in schema}
    return written | {name: [_schema(each, names) for each in schema[name]] for name in _LISTS if name in schema}


def _harmless(value: Any) -> bool:
    """Whether nothing of it is taken out when it is written, which would leave a model that its messages don't fit."""
    if isinstance(value, list):
        return all(map(_harmless, value))
    return not isinstance(value, str) or without_persons(value) == value


def checked(code: str) -> str:
    """The code, if it is models and nothing else.

    Raises:
        UnsafeError: it is more, or no Python.
    """
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError, RecursionError) as error:
        raise UnsafeError(f"the generator wrote no Python: {error}") from None
    for statement in tree.body:
        if not _is_declaration(statement):
            raise UnsafeError(f"the generator wrote more than models, at line {statement.lineno}")
    return code


def _is_declaration(statement: ast.stmt) -> bool:
    match statement:
        case ast.ImportFrom(module=str(module), level=0):
            return module in MODULES
        case ast.ClassDef(bases=bases, keywords=[], decorator_list=[], body=body):
            return all(map(_is_plain, bases)) and all(map(_is_field, body))
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(), attr="model_rebuild"), args=[], keywords=[])):
            return True
    return False


def _is_field(statement: ast.stmt) -> bool:
    match statement:
        case ast.AnnAssign(target=ast.Name(), annotation=annotation, value=value):
            return _is_plain(annotation) and (value is None or _is_plain(value))
        case ast.Assign(targets=[ast.Name(id="model_config")], value=value):
            return _is_plain(value)
        case ast.Pass() | ast.Expr(value=ast.Constant()):
            return True
    return False


def _is_plain(expression: ast.expr) -> bool:
    """Whether it calls nothing but what describes a field, and reaches into nothing."""
    for node in ast.walk(expression):
        match node:
            case ast.Call(func=ast.Name(id="Field" | "ConfigDict")):
                continue
            case ast.Call() | ast.Lambda() | ast.Attribute() | ast.Await() | ast.NamedExpr():
                return False
    return True


def class_name(name: str) -> str:
    """A class for an event type: `OrderPlaced` of `order.placed`.

    >>> class_name("order.placed"), class_name("2nd try"), class_name("")
    ('OrderPlaced', 'Event2ndTry', 'Event')
    """
    words = re.findall(r"[A-Za-z0-9]+", name)
    made = "".join(word[0].upper() + word[1:] for word in words)[:80]
    return made if made[:1].isalpha() and not keyword.iskeyword(made) else f"Event{made}"


def module_name(stem: str) -> str:
    """A module for a file's name: `order_placed` of `order.placed`.

    >>> module_name("order.placed"), module_name("2-x"), module_name("import")
    ('order_placed', 'event_2_x', 'event_import')
    """
    made = re.sub(r"[^A-Za-z0-9]", "_", stem).lower()
    return made if made[:1].isalpha() and not keyword.iskeyword(made) else f"event_{made}"
