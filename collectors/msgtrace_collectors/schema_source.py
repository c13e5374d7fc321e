"""Finds the schemas that the user gave: a folder of `.avsc` files and descriptor sets, a registry, message types by channel."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from msgtrace_collectors.decoders.avro import AvroSchema
from msgtrace_collectors.decoders.formats import AVRO
from msgtrace_collectors.decoders.limits import SchemaMissing, Unreadable
from msgtrace_collectors.decoders.protobuf import ProtobufTypes
from msgtrace_collectors.decoders.schemas import FOLDER, MESSAGE_TYPES, VARIABLES, Schema
from msgtrace_collectors.schema_registry import SchemaRegistry

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_FILE_BYTES: Final = 16 << 20
_DESCRIPTOR_SETS: Final = frozenset({".desc", ".pb", ".binpb", ".protoset", ".fds"})


@dataclass(slots=True)
class SchemaSource:
    """What was given.

    Attributes:
        registry: asked by id.
        by_name: Avro schemas by the name of their file: an id, a subject or a channel.
        descriptors: of every descriptor set.
        message_types: full names of Protobuf messages, by channel.
    """

    registry: SchemaRegistry | None = None
    by_name: dict[str, Schema] = field(default_factory=dict)
    descriptors: list[ProtobufTypes] = field(default_factory=list)
    message_types: dict[str, str] = field(default_factory=dict)

    def by_id(self, number: int, channel: str | None) -> Schema | None:
        """As `decoders.schemas.Schemas`."""
        found = self.by_name.get(str(number))
        if found is not None or self.registry is None:
            return found
        return self.registry.schema(number, channel)

    def by_channel(self, channel: str) -> Schema | None:
        """As `decoders.schemas.Schemas`."""
        return self.by_name.get(channel) or self.by_name.get(f"{channel}-value")

    def message_type(self, channel: str | None, named: str | None) -> Any:
        """As `decoders.schemas.Schemas`."""
        name = self.message_types.get(channel or "") or named
        if name is None:
            return None
        for types in self.descriptors:
            try:
                return types.named(name)
            except SchemaMissing:
                continue
        raise SchemaMissing("no descriptor of its message type")


def schema_source(variables: Mapping[str, str]) -> SchemaSource | None:
    """What the environment gives; None when it gives nothing.

    Args:
        variables: of the environment: see `VARIABLES`.

    Raises:
        ValueError: something can't be used. The text is one line for the user.
    """
    url, folder, types = (variables.get(name, "").strip() for name in VARIABLES)
    if not (url or folder or types):
        return None
    source = SchemaSource(registry=SchemaRegistry(url) if url else None)
    for word in types.split():
        channel, equals, name = word.rpartition("=")
        if not equals or not channel or not name:
            raise ValueError(f"{MESSAGE_TYPES}: {word!r} is not channel=package.Message")
        source.message_types[channel] = name.lstrip(".")
    if folder:
        _read_folder(Path(folder), source)
    if source.message_types and not source.descriptors:
        raise ValueError(f"{MESSAGE_TYPES} needs a descriptor set in the folder that {FOLDER} names")
    for channel in source.message_types:
        try:
            source.message_type(channel, None)
        except SchemaMissing:
            raise ValueError(f"{MESSAGE_TYPES}: no descriptor set has {source.message_types[channel]}") from None
    return source


def _read_folder(folder: Path, source: SchemaSource) -> None:
    try:
        paths = sorted(path for path in folder.iterdir() if path.is_file())
    except OSError as error:
        raise ValueError(f"{folder}: the folder of schemas can't be read: {error.strerror}") from None
    for path in paths:
        try:
            if path.suffix == ".avsc":
                text = path.read_bytes()[:MAX_FILE_BYTES].decode()
                number = int(path.stem) if path.stem.isdecimal() else None
                subject = None if number is not None else path.stem
                source.by_name[path.stem] = Schema(AVRO, text, path.name, number, subject, None, AvroSchema.of(text))
            elif path.suffix in _DESCRIPTOR_SETS:
                source.descriptors.append(ProtobufTypes.of_set(path.read_bytes()[:MAX_FILE_BYTES]))
        except (OSError, UnicodeDecodeError, Unreadable) as error:
            raise ValueError(f"{path}: this schema can't be used: {error}") from None
