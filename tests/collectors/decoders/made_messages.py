"""Protobuf messages without a compiler: descriptors as `protoc` would write them, and Google's own encoder for them."""

from __future__ import annotations

from typing import Any

from google.protobuf import descriptor_pb2, message_factory, timestamp_pb2

from msgtrace_collectors.decoders.protobuf import ProtobufTypes

_KINDS = {
    "string": 9, "bytes": 12, "int32": 5, "int64": 3, "sint64": 18, "bool": 8, "double": 1, "fixed64": 6, "float": 2, "uint32": 13,
}  # fmt: skip


def _message(
    name: str, fields: dict[str, tuple[str, bool]], *nested: descriptor_pb2.DescriptorProto
) -> descriptor_pb2.DescriptorProto:
    made = descriptor_pb2.DescriptorProto(name=name, nested_type=nested)
    for number, (field_name, (kind, repeated)) in enumerate(fields.items(), 1):
        field = made.field.add(name=field_name, number=number, label=3 if repeated else 1, type=_KINDS.get(kind, 11))
        if kind not in _KINDS:
            field.type_name = kind
    return made


def common_file() -> descriptor_pb2.FileDescriptorProto:
    return descriptor_pb2.FileDescriptorProto(
        name="shop/common.proto",
        package="shop",
        syntax="proto3",
        message_type=[_message("Money", {"amount": ("int64", False), "currency": ("string", False)})],
    )


def order_file() -> descriptor_pb2.FileDescriptorProto:
    line = _message("Line", {"sku": ("string", False), "count": ("uint32", False)})
    order = _message(
        "Order",
        {
            "order_id": ("string", False), "lines": (".shop.Order.Line", True), "total": (".shop.Money", False), "paid": ("bool", False),
            "placed": (".google.protobuf.Timestamp", False), "raw": ("bytes", False), "delta": ("sint64", False), "weights": ("double", True),
            "password": ("string", False), "parent": (".shop.Order", False),
        },
        line,
    )  # fmt: skip
    other = _message("Other", {"x": ("int32", False)})
    return descriptor_pb2.FileDescriptorProto(
        name="shop/order.proto", package="shop", syntax="proto3", message_type=[other, order],
        dependency=["shop/common.proto", timestamp_pb2.DESCRIPTOR.name],
    )  # fmt: skip


def descriptor_set() -> bytes:
    made: bytes = descriptor_pb2.FileDescriptorSet(file=[common_file(), order_file()]).SerializeToString()
    return made


TYPES = ProtobufTypes.of_set(descriptor_set())


def encoded(name: str, **fields: Any) -> bytes:
    """A message in wire format."""
    kind: Any = message_factory.GetMessageClass(TYPES.named(name))
    encoded_message: bytes = kind(**fields).SerializeToString(deterministic=True)
    return encoded_message
