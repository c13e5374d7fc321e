"""Reads Protobuf messages by their descriptors, with Google's library. Pure: descriptors in, JSON out."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any

from msgtrace_collectors.decoders.limits import MAX_INPUT_BYTES, Malformed, SchemaMissing, TooMuch
from msgtrace_collectors.decoders.optional import optional
from msgtrace_collectors.decoders.tree import json_text


@dataclass(frozen=True, slots=True)
class ProtobufTypes:
    """The messages of some `.proto` files.

    Attributes:
        pool: knows every message by its full name.
        files: names of the files that were given, in their order.
    """

    pool: Any
    files: tuple[str, ...]

    @classmethod
    def of(cls, descriptors: list[tuple[str, bytes]]) -> ProtobufTypes:
        """From serialized FileDescriptorProtos, each after those that it imports.

        Google's well-known types need not be among them.

        Args:
            descriptors: the name under which others import it, if any, and the file.

        Raises:
            Malformed: they are none, or don't fit together.
            Unavailable: the library is missing.
        """
        descriptor_pb2 = optional("google.protobuf.descriptor_pb2")
        pool = optional("google.protobuf.descriptor_pool").DescriptorPool()
        names: list[str] = []
        try:
            for well_known in _well_known():
                pool.AddSerializedFile(well_known)
            for imported_as, raw in descriptors:
                file = descriptor_pb2.FileDescriptorProto.FromString(raw)
                file.name = imported_as or file.name or "schema.proto"
                if file.name not in _WELL_KNOWN_FILES and file.name not in names:
                    pool.Add(file)
                    names.append(file.name)
        except Exception:  # noqa: BLE001 - upb and the pure version raise different errors
            raise Malformed("descriptors that can't be used") from None
        return cls(pool, tuple(names))

    @classmethod
    def of_set(cls, descriptor_set: bytes) -> ProtobufTypes:
        """From a file that `protoc --include_imports --descriptor_set_out` wrote. Raises as `of`."""
        descriptor_pb2 = optional("google.protobuf.descriptor_pb2")
        try:
            files = descriptor_pb2.FileDescriptorSet.FromString(descriptor_set).file
        except Exception:  # noqa: BLE001 - as above
            raise Malformed("no descriptor set") from None
        return cls.of([(file.name, file.SerializeToString()) for file in files])

    def names(self) -> set[str]:
        """Full names of the top-level messages."""
        return {
            message.full_name
            for name in self.files
            for message in self.pool.FindFileByName(name).message_types_by_name.values()
        }

    def at(self, indexes: list[int]) -> Any:
        """The descriptor at a path of indexes in the last file, as Confluent's wire format gives it.

        Raises:
            Malformed: there is none.
        """
        descriptor_pb2 = optional("google.protobuf.descriptor_pb2")
        try:
            file = self.pool.FindFileByName(self.files[-1])
            proto = descriptor_pb2.FileDescriptorProto()
            file.CopyToProto(proto)
            message = proto.message_type[indexes[0]]
            path = [proto.package] if proto.package else []
            path.append(message.name)
            for index in indexes[1:]:
                message = message.nested_type[index]
                path.append(message.name)
            return self.pool.FindMessageTypeByName(".".join(path))
        except (IndexError, KeyError):
            raise Malformed("a message that the schema does not have") from None

    def named(self, name: str) -> Any:
        """The descriptor of a message.

        Raises:
            SchemaMissing: no file has it.
        """
        try:
            return self.pool.FindMessageTypeByName(name)
        except KeyError:
            raise SchemaMissing("no descriptor of its message type") from None


def message(body: bytes, descriptor: Any) -> bytes:
    """A message as JSON text, by Protobuf's own mapping but with the names of the `.proto` file.

    Raises:
        Unreadable: see its kinds.
    """
    if len(body) > MAX_INPUT_BYTES:
        raise TooMuch("larger than a body that is read value by value may be")
    json_format = optional("google.protobuf.json_format")
    kind = optional("google.protobuf.message_factory").GetMessageClass(descriptor)
    try:
        read = kind.FromString(body)
        tree = json_format.MessageToDict(read, preserving_proto_field_name=True, descriptor_pool=descriptor.file.pool)
    except RecursionError:
        raise TooMuch("nested deeper than a body may be") from None
    except Exception:  # noqa: BLE001 - DecodeError, and what unknown Any types and times out of range raise
        raise Malformed("not this Protobuf message, or cut off") from None
    return json_text(tree)


def schema_text(descriptor: Any) -> str:
    """A message's file as Base64 of its descriptor, where the `.proto` text is not known."""
    descriptor_pb2 = optional("google.protobuf.descriptor_pb2")
    proto = descriptor_pb2.FileDescriptorProto()
    descriptor.file.CopyToProto(proto)
    return base64.b64encode(proto.SerializeToString()).decode()


_WELL_KNOWN_FILES = tuple(
    f"google/protobuf/{name}.proto"
    for name in ("any", "duration", "empty", "field_mask", "struct", "timestamp", "wrappers", "descriptor")
)


def _well_known() -> list[bytes]:
    modules = ("any", "duration", "empty", "field_mask", "struct", "timestamp", "wrappers", "descriptor")
    return [optional(f"google.protobuf.{name}_pb2").DESCRIPTOR.serialized_pb for name in modules]


def full_name(descriptor: Any) -> str:
    """A message's name with its package."""
    return str(descriptor.full_name)
