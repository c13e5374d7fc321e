"""What a field of a message is for, from its name, its place and its values. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from msgtrace_analysis.passes.schema.shapes import Shape

_NAMES: Final[tuple[tuple[str, re.Pattern[str]], ...]] = (
    ("correlation", re.compile(r"(?:correlation|conversation|saga|workflow|process|trace|request|transaction)id|correlation")),
    ("causation", re.compile(r"causation(?:id)?|causeid|causedby|parent(?:event|message)id|inreplyto")),
    ("event id", re.compile(r"(?:event|message|msg|notification)(?:id|uuid|guid)|idempotencykey|dedup(?:lication)?id")),
    ("type", re.compile(r"(?:event|message|msg)?(?:type|name|kind)|event|routingkey|action")),
    ("occurred at", re.compile(r"(?:event|message)?(?:occurred|created|published|sent|emitted|happened|produced)(?:at|on|time)?"
                               r"|timestamp|time|ts|(?:event|message)(?:time|timestamp|date)")),
    ("version", re.compile(r"(?:schema|event|message|data|payload|contract)?(?:version|ver)|v|dataschema")),
    ("aggregate id", re.compile(r"(?:aggregate|entity|subject|stream|root)id|subject|aggregate")),
    ("payload", re.compile(r"payload|data|body|content|detail|details")),
    ("metadata", re.compile(r"meta|metadata|headers|context|envelope|attributes")),
)  # fmt: skip
"""Names without case and separators, as conventions have them: CloudEvents 1.0, EventBridge, MassTransit, Axon."""
TIMES: Final = frozenset({"date-time", "epoch-seconds", "epoch-millis", "date"})


def role_of(path: str, shape: Shape, form: str) -> str:
    """The role of a field at the top of a body, or one below; '' for none."""
    if path.count(".") > 1 or "[" in path or path.endswith("*"):
        return ""
    name = re.sub(r"[^a-z0-9]", "", path.rpartition(".")[2].lower())
    for role, pattern in _NAMES:
        if pattern.fullmatch(name) and _fits(role, path, shape, form):
            return role
    # An id that never came twice and means nothing by itself is the message's; any other may be that of what it is about.
    if name == "id" and "." not in path and form == "uuid" and shape.texts is not None and shape.texts.values is None:
        return "event id"
    return ""


def _fits(role: str, path: str, shape: Shape, form: str) -> bool:
    """Whether values are such as the role's are."""
    kinds = set(shape.names()) - {"null"}
    if role in {"payload", "metadata"}:
        return kinds == {"object"} and "." not in path
    if role == "correlation" and path.lower().startswith("transaction"):
        return False  # of money as often as of messages, unless an envelope has it
    if role == "occurred at":
        return form in TIMES
    if role == "type":
        # A `name` that differs from message to message is somebody's.
        varies = shape.texts is None or shape.texts.values is None or len(shape.texts.values) > 1
        return kinds == {"string"} and "." not in path and not form and not (path.lower() == "name" and varies)
    return bool(kinds) and kinds <= {"string", "integer"}
