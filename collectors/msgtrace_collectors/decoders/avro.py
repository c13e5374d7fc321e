"""Reads Avro with fastavro: a datum by its schema, and object container files, which bring theirs along. Pure.

The container is taken apart here and not by the library, which decompresses a block whatever it becomes.
https://avro.apache.org/docs/1.12.0/specification/#object-container-files
"""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from msgtrace_collectors.decoders import compression
from msgtrace_collectors.decoders.avro_cost import refers_to_itself
from msgtrace_collectors.decoders.limits import (
    MAX_INPUT_BYTES,
    MAX_NODES,
    Malformed,
    TooMuch,
    Unavailable,
    content_limit,
)
from msgtrace_collectors.decoders.optional import optional
from msgtrace_collectors.decoders.tree import json_text

if TYPE_CHECKING:
    from collections.abc import Callable

MAGIC: Final = b"Obj\x01"
MAX_SCHEMA_BYTES: Final = 256 << 10
_META: Final = '{"type": "map", "values": "bytes"}'


@dataclass(frozen=True, slots=True)
class AvroSchema:
    """A schema that has been looked at and may be read with.

    Attributes:
        text: as JSON, as it was given.
        parsed: fastavro's form.
        name: of the record.
        recursive: it refers to itself.
    """

    text: str
    parsed: Any
    name: str
    recursive: bool

    @classmethod
    def of(cls, text: str, references: tuple[str, ...] = ()) -> AvroSchema:
        """From its JSON text, after the texts of those that it refers to.

        Raises:
            Unreadable: it is none, or reading with it could cost anything.
        """
        schema = optional("fastavro.schema")
        if len(text) > MAX_SCHEMA_BYTES:
            raise TooMuch("an Avro schema that is too large")
        try:
            named: dict[str, Any] = {}
            for other in references:
                schema.parse_schema(json.loads(other), named_schemas=named)
            parsed = schema.parse_schema(json.loads(text), named_schemas=named)
        except RecursionError:
            raise TooMuch("an Avro schema that is nested too deep") from None
        except Exception:  # noqa: BLE001 - fastavro raises what it meets
            raise Malformed("no Avro schema") from None
        name = parsed.get("name", "") if isinstance(parsed, dict) else ""
        # References first: each name is judged where it is declared.
        return cls(text, parsed, name, refers_to_itself([*named.values(), parsed] if references else parsed))


def datum(body: bytes, schema: AvroSchema) -> bytes:
    """One value, written by a schema, as JSON text.

    Raises:
        Unreadable: see its kinds.
    """
    if len(body) > MAX_INPUT_BYTES:
        raise TooMuch("larger than a body that is read value by value may be")
    stream = io.BytesIO(body)
    value = _read(stream, schema)
    if stream.tell() != len(body):
        raise Malformed("not of this Avro schema: bytes are left over")
    return json_text(value)


def container(body: bytes) -> tuple[bytes, AvroSchema]:
    """An object container file as a JSON array of its values, and its schema.

    Raises:
        Unreadable: see its kinds.
    """
    if len(body) > MAX_INPUT_BYTES:
        raise TooMuch("larger than a body that is read value by value may be")
    stream = io.BytesIO(body)
    stream.seek(len(MAGIC))
    meta = _read(stream, _known_schema(_META))
    sync = stream.read(16)
    if len(sync) != 16:
        raise Malformed("not an Avro container, or cut off")
    schema = _known_schema(meta.get("avro.schema", b"").decode("utf-8", "replace"))
    undo = _undo(meta.get("avro.codec", b"null"))
    values: list[Any] = []
    left = content_limit(len(body))
    while stream.tell() < len(body):
        count, size = _read(stream, _known_schema('"long"')), _read(stream, _known_schema('"long"'))
        block = stream.read(max(0, size))
        if size < 0 or len(block) != size or stream.read(16) != sync:
            raise Malformed("not an Avro container, or cut off")
        if not 0 <= count <= MAX_NODES - len(values):
            raise TooMuch("more values than a body may have")
        content = undo(block)
        left -= len(content)
        if left < 0:
            raise TooMuch("would become larger than a compressed body may")
        part = io.BytesIO(content)
        values += [_read(part, schema) for _ in range(count)]
    return json_text(values), schema


def _read(stream: io.BytesIO, schema: AvroSchema) -> Any:
    module = optional("fastavro._read_py" if schema.recursive else "fastavro")
    try:
        return module.schemaless_reader(stream, schema.parsed, None)
    except RecursionError:
        raise TooMuch("nested deeper than a body may be") from None
    except Exception:  # noqa: BLE001 - fastavro raises what it meets
        raise Malformed("not of this Avro schema, or cut off") from None


@lru_cache(maxsize=256)
def _known_schema(text: str) -> AvroSchema:
    return AvroSchema.of(text)


def _undo(codec: bytes) -> Callable[[bytes], bytes]:
    match codec:
        case b"null":
            return bytes
        case b"deflate":
            return compression.inflate
        case b"zstandard":
            return compression.zstd
        case b"snappy":
            # A checksum follows each block.
            return lambda block: compression.snappy(block[:-4])
        case _:
            raise Unavailable("an Avro container whose compression is not known")
