"""The specification of a whole body: what says its type, its version and its transaction, around what it is about. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bench.truth import schemas, values
from bench.truth.structure import Part, Record, Scalar
from bench.truth.system import Version
from bench.truth.versions import evolved

if TYPE_CHECKING:
    from random import Random

    from bench.truth.system import Channel, EventType

ENVELOPES: Final = ("flat", "nested", "bare")
VERSION_FIELDS: Final = ("version", "schema_version", "schemaVersion", "v")
CORRELATION: Final = "correlation_id"
UUID: Final = Scalar(values.FORMATS["uuid"][0], "uuid")
VERSIONED: Final = 0.12
"""The share of event types that have had two versions or three."""


def constant(text: str) -> Scalar:
    """Always the same text."""
    return Scalar(lambda _: text, open_ended=False)


def number(value: int) -> Scalar:
    """Always the same number."""
    return Scalar(lambda _: value, open_ended=False)


def body(
    rng: Random, channel: Channel, name: str, *, correlated: bool, like: EventType | None = None
) -> tuple[tuple[Version, ...], str]:
    """Every version of a type's body, and the field that says which one it is; '' where none does.

    Args:
        rng: the source of chance.
        channel: that it is sent to.
        name: of the type.
        correlated: it says which transaction it belongs to.
        like: a type whose fields it has, but for the one that says the type.
    """
    telling = _telling(channel, name)
    if like is not None and isinstance(like.versions[0].node, Record):
        mine = {channel.telling.partition(".")[0], CORRELATION, like.version_field}
        others = (part for part in like.versions[0].node.parts if part.name not in mine)
        more = (Part(CORRELATION, UUID),) if correlated else ()
        return (Version(Record((*telling, *more, *others))),), ""
    correlation = (Part(CORRELATION, UUID),) if correlated else ()
    inner = schemas.record(
        rng, taken={"event_id", "occurred_at", CORRELATION, *channel.telling.split("."), *VERSION_FIELDS}
    )
    envelope = "entry" if channel.broker == "stream" else rng.choice(ENVELOPES)
    if rng.random() >= VERSIONED:
        return (Version(_wrapped((*telling, *correlation), inner, envelope)),), ""
    forms, verdicts, changes = [inner], [""], [""]
    for _ in range(rng.choice((1, 1, 1, 2))):
        later, verdict, change = evolved(rng, forms[-1])
        forms.append(later)
        verdicts.append(verdict)
        changes.append(change)
    said = rng.choice((*VERSION_FIELDS, "", "")) if envelope != "entry" else ""
    plain = rng.random() < 0.5
    made = []
    for place, each in enumerate(forms, 1):
        label = f"{place}" if plain else f"{place}.0.0"
        part = (Part(said, number(place) if plain else constant(label)),) if said else ()
        node = _wrapped((*telling, *part, *correlation), each, envelope)
        share = 1 / len(forms)
        made.append(Version(node, label if said else "", share, verdicts[place - 1], changes[place - 1]))
    return tuple(made), said


def _telling(channel: Channel, name: str) -> tuple[Part, ...]:
    """The field that says the type: at the top, or one below with some others."""
    if channel.naming != "body":
        return ()
    outer, _, inner = channel.telling.partition(".")
    if not inner:
        return (Part(outer, constant(name)),)
    sender = Scalar(values.skewed(["web", "mobile", "batch"]), closed=("web", "mobile", "batch"))
    return (Part(outer, Record((Part(inner, constant(name)), Part("sender", sender), Part("id", UUID)))),)


def _wrapped(first: tuple[Part, ...], inner: Record, envelope: str) -> Record:
    identity = (Part("event_id", UUID), Part("occurred_at", Scalar(values.FORMATS["date-time"][0], "date-time")))
    match envelope:
        case "entry":
            # A stream entry's values are texts, or documents of their own.
            return Record((*first, Part("payload", inner)))
        case "bare":
            return Record((*first, *inner.parts))
        case "flat":
            return Record((*first, *identity, *inner.parts))
    return Record((*first, *identity, Part("data", inner)))
