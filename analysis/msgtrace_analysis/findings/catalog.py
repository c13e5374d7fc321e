"""Event types and their contracts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from msgtrace_analysis.findings.evidence import Certainty, Evidence, Party


Kind = Literal["domain event", "integration event", "command", "query", "reply", "document", "signal"]


@dataclass(frozen=True, slots=True)
class Sizes:
    """Of whole bodies, before they were cut."""

    smallest_bytes: int
    median_bytes: int
    largest_bytes: int


@dataclass(frozen=True, slots=True)
class Judgement:
    """What kind of message a type is, and why."""

    kind: Kind
    reasons: tuple[str, ...]
    certainty: Certainty


@dataclass(frozen=True, slots=True)
class Parameter:
    """What varies in the template of an address or of a name.

    Attributes:
        of: `channel` or `key`.
        name: as it stands there, without braces.
        type: `uuid`, `date`, `hex`, `integer`, `token` or `word`.
        values: how many different ones were seen.
    """

    of: str
    name: str
    type: str
    values: int


@dataclass(frozen=True, slots=True)
class Event:
    """One type of message on one address.

    Attributes:
        ref: unique in the report: `system/kind/address/name`.
        address: the channel that it is published to, as a pattern where parts of it vary.
        channel_kind: what that is.
        named_by: where the name was read, e.g. `header event-type`.
        sends: messages sent by traced processes.
        receives: deliveries to traced processes; more than `sends` where there are several consumers.
        per_second: sends (deliveries where no send was seen) over the time that the trace covers; None if that is none.
        channels: the channels of `address`, some of them, where it is a template.
        parameters: of the templates in `address` and `name`.
        also_on: ids of event types of the same name and with fitting fields on other channels: the same type.
        judgement: what kind of message it is.
        evidence: of the type: its certainty is that of the name.
    """

    ref: str
    name: str
    system: str
    address: str
    channel_kind: str
    named_by: str
    sends: int
    receives: int
    per_second: float | None
    sizes: Sizes | None
    channels: tuple[str, ...]
    parameters: tuple[Parameter, ...]
    also_on: tuple[str, ...]
    judgement: Judgement
    publishers: tuple[Party, ...]
    consumers: tuple[Party, ...]
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a body.

    Attributes:
        path: e.g. `items[].sku`; `place[0]` is the first of a tuple, `prices.*` any value of a map.
        types: JSON Schema's type names, sorted.
        present: objects that have it.
        of: objects that could have it.
        nulls: how often it was null.
        examples: as JSON text, shortened; secrets and personal data only by kind.
        format: that every value has, '' for none.
        format_certainty: `guess` where values alone say it, and could be so by chance; None for no format.
        values: of a closed set, which `closed` says how sure it is; () for none.
        closed: None where it is no closed set.
        range: smallest and largest number, or shortest and longest text in characters, as was seen; None for neither.
        role: what it is for: event id, type, occurred at, correlation, causation, version, aggregate id, partition key,
            payload, metadata; '' for none that could be told. One may have two, as `aggregate id, partition key`.
        role_certainty: how sure that is.
    """

    path: str
    types: tuple[str, ...]
    present: int
    of: int
    nulls: int
    examples: tuple[str, ...]
    format: str = ""
    values: tuple[str, ...] = ()
    closed: Certainty | None = None
    range: tuple[float, float] | None = None
    role: str = ""
    format_certainty: Certainty | None = None
    role_certainty: Certainty | None = None


Verdict = Literal["backward", "forward", "full", "none"]
"""Of the step to a version: `backward`, the new schema reads old data; `forward`, the old one reads new data; both; neither."""


@dataclass(frozen=True, slots=True)
class Change:
    """One difference between a version and the one before.

    Attributes:
        what: e.g. `required field added`.
        reads: what it leaves of the two directions, in the sense of `Verdict`.
    """

    path: str
    what: str
    reads: Verdict


@dataclass(frozen=True, slots=True)
class Version:
    """A version of an event type's body.

    Attributes:
        name: what the message says, or the place in time, from 1, where it says nothing.
        samples: bodies.
        first_seen_ns: when the first was sent; `last_seen_ns` likewise.
        schema: JSON Schema 2020-12.
        verdict: of the step from the version before; None for the first.
        counts: of values and types in each place (`passes.schema.counts`).
    """

    name: str
    samples: int
    first_seen_ns: int
    last_seen_ns: int
    schema: Mapping[str, Any]
    verdict: Verdict | None
    changes: tuple[Change, ...]
    counts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Difference:
    """One in which the bodies of two channels differ, e.g. `only here`."""

    path: str
    what: str


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """The same event type on another channel.

    Attributes:
        event: its id there.
        differences: in the bodies, some of them; () where there are none.
        count: of all of them.
    """

    event: str
    differences: tuple[Difference, ...]
    count: int
    certainty: Certainty


@dataclass(frozen=True, slots=True)
class Contract:
    """What the bodies of one event type looked like.

    Attributes:
        samples: bodies that were read.
        unread: messages whose body could not be read: none, cut, or no JSON.
        cut: bodies that are known only in part, so that a missing field proves nothing.
        schema: JSON Schema 2020-12, of all versions together.
        versions: oldest first; () where there is only one.
        versioned_by: what says the version (`field schema_version`, `header x-version`), or `drift` where only the bodies tell;
            '' where there is one.
        elsewhere: the same type on other channels.
        counts: of values and types in each place (`passes.schema.counts`), of all versions together.
        version_said: what says the same version of every body, as in `versioned_by`, and that version; it may count something
            else than versions of the schema.
    """

    event: str
    samples: int
    unread: int
    cut: int
    fields: tuple[Field, ...]
    schema: Mapping[str, Any]
    certainty: Certainty
    versions: tuple[Version, ...] = ()
    versioned_by: str = ""
    elsewhere: tuple[Elsewhere, ...] = ()
    counts: Mapping[str, Any] = field(default_factory=dict)
    version_said: tuple[str, str] | None = None
