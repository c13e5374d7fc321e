"""What decoders ask for the schemas of bodies that don't bring theirs along. Pure: `schema_source` finds them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

if TYPE_CHECKING:
    from msgtrace_collectors.decoders.avro import AvroSchema
    from msgtrace_collectors.decoders.protobuf import ProtobufTypes

REGISTRY: Final = "MSGTRACE_SCHEMA_REGISTRY"
FOLDER: Final = "MSGTRACE_SCHEMAS"
MESSAGE_TYPES: Final = "MSGTRACE_MESSAGE_TYPES"
VARIABLES: Final = (REGISTRY, FOLDER, MESSAGE_TYPES)
"""Of the collector's environment: where schemas are."""


@dataclass(frozen=True, slots=True)
class Schema:
    """A schema that somebody declared.

    Attributes:
        kind: `avro`, `protobuf` or `json`.
        text: as declared: JSON, or a `.proto` file.
        source: the registry's address, a file's name, or `body`.
        registry_id: its id there.
        subject: that it is registered under; where there are several, one of them.
        version: of that subject.
        read: the schema in the form that its decoder reads with.
    """

    kind: str
    text: str
    source: str
    registry_id: int | None = None
    subject: str | None = None
    version: int | None = None
    read: AvroSchema | ProtobufTypes | None = None


@dataclass(frozen=True, slots=True)
class Used:
    """A schema that a body was read with.

    Attributes:
        schema: as declared.
        name: of the record or message.
    """

    schema: Schema
    name: str

    @property
    def key(self) -> str:
        """The same for the same schema, message and place of declaration."""
        told = self.schema
        text = "\0".join(
            map(str, (told.kind, told.source, told.registry_id, told.subject, told.version, self.name, told.text))
        )
        return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=16).hexdigest()


class Schemas(Protocol):
    """Where schemas are asked for."""

    def by_id(self, number: int, channel: str | None) -> Schema | None:
        """The schema of an id in Confluent's wire format; None when there is nobody to ask.

        Raises:
            Unavailable: it could not be had.
        """

    def by_channel(self, channel: str) -> Schema | None:
        """The Avro schema that bodies on a channel without any header are written by; None when none was given."""

    def message_type(self, channel: str | None, named: str | None) -> Any:
        """The Protobuf descriptor of a channel's messages, or of a name; None when nothing was given.

        Raises:
            Unavailable: the name is in none of the files.
        """


class NoSchemas:
    """Nothing was given."""

    def by_id(self, number: int, channel: str | None) -> Schema | None:
        """None."""
        del number, channel
        return None

    def by_channel(self, channel: str) -> Schema | None:
        """None."""
        del channel
        return None

    def message_type(self, channel: str | None, named: str | None) -> Any:
        """None."""
        del channel, named
