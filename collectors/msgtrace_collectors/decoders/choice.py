"""Chooses what a body is read as, and has its secrets replaced before anything of it leaves here.

In this order: compression by its label or its first bytes; the format that the content type names; the schema that the user
gave for the channel; what the bytes look like. A label that is wrong is remarked on and passed over.

Text is redacted as text and then read. Anything else is read, what it says is redacted, and the bytes themselves are kept only
if all of them could be searched and nothing was found: they can't be changed in place.
"""

from __future__ import annotations

import codecs
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

import msgspec

from msgtrace_collectors.decoders import avro, cbor, compression, confluent, formats, messagepack, pickled, protobuf
from msgtrace_collectors.decoders.envelopes import opened, task
from msgtrace_collectors.decoders.formats import (
    AVRO,
    BINARY,
    CBOR,
    FORM,
    JSON,
    LINES,
    MESSAGEPACK,
    PICKLE,
    PROTOBUF,
    PROTOBUF_WIRE,
    TEXT,
    XML,
)  # fmt: skip
from msgtrace_collectors.decoders.forms import form
from msgtrace_collectors.decoders.limits import MAX_LAYERS, Budget, Malformed, SchemaMissing, TooMuch, Unreadable
from msgtrace_collectors.decoders.lines import is_json, json_lines
from msgtrace_collectors.decoders.protobuf_wire import wire_shape
from msgtrace_collectors.decoders.reading import HAZARD, MISLABELLED, UNDECODED, Reading, Remark
from msgtrace_collectors.decoders.schemas import NoSchemas, Schema, Schemas, Used
from msgtrace_collectors.decoders.xml_outline import begins as begins_xml
from msgtrace_collectors.decoders.xml_outline import xml_outline

if TYPE_CHECKING:
    from collections.abc import Callable

    from msgtrace_collectors.decoders.labels import Labels

_MARKS: Final = (
    (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"), (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"),
)  # fmt: skip
_TYPE_PARAMETERS: Final = ("messagetype", "message-type", "proto", "message", "type")
_TYPE_HEADERS: Final = (
    "protobuf-type",
    "protobuf_type",
    "proto-type",
    "message-type",
    "messagetype",
    "grpc-message-type",
)
_FAILED: Final = Remark(UNDECODED, "msgtrace failed to read it: please report this")


@dataclass(slots=True)
class Chooser:
    """Reads the bodies of one trace.

    Attributes:
        replaced: replaces secrets in bytes; gives the bytes and how many it replaced.
        redacting: False when secrets are to be stored.
        schemas: asked for schemas.
        budget: of the transaction that is being read.
    """

    replaced: Callable[[bytes], tuple[bytes, int]]
    redacting: bool = True
    schemas: Schemas = field(default_factory=NoSchemas)
    budget: Budget = field(default_factory=Budget)
    _clean: bytes | None = None

    def redact(self, data: bytes) -> tuple[bytes, int]:
        """Replace secrets; what is known to hold none is not looked at again."""
        return (data, 0) if data is self._clean else self.replaced(data)

    def read(self, body: bytes, labels: Labels, *, clean: bool = False) -> Reading:
        """Read one body. Whatever it is, this raises nothing.

        Args:
            body: the bytes that were kept.
            labels: what the message says of them.
            clean: the bytes as they stand are known to hold no readable secret.
        """
        self._clean = body if clean else None
        try:
            self.budget.check_time()
            return self._read(body, labels, 0)
        except TooMuch as error:
            return self._unread(body, BINARY, error)
        except Exception:  # noqa: BLE001 - one body must not stop the collector
            return replace(self._unread(body, BINARY, TooMuch()), remarks=(_FAILED,))

    # ---- layers -------------------------------------------------------------------------------------------------

    def _read(self, body: bytes, labels: Labels, layer: int) -> Reading:
        if layer > MAX_LAYERS:
            return self._unread(body, BINARY, TooMuch("more layers than a body may have"))
        remarks: list[Remark] = []
        reading = self._compressed(body, labels, layer, remarks) or self._of_format(body, labels, layer, remarks)
        if reading.document is not None and (document := task(reading.document, labels)) is not None:
            reading = replace(reading, encoding=f"celery+{reading.encoding}", document=document)
        return replace(reading, remarks=(*remarks, *reading.remarks)) if remarks else reading

    def _compressed(self, body: bytes, labels: Labels, layer: int, remarks: list[Remark]) -> Reading | None:
        by_type = compression.declared(labels.media_type()[0])
        declared = by_type or next(filter(None, map(compression.declared, reversed(labels.codings()))), None)
        begun = compression.begun(body)
        chosen = begun or declared
        if chosen is None or not body:
            return None
        name, undo = chosen
        try:
            content = undo(body)
            self.budget.spend(len(content))
        except Malformed as error:
            if begun is not None:
                return self._unread(body, name, error)
            if not labels.cut:
                remarks.append(Remark(MISLABELLED, f"said to be {name}, is not"))
            return None
        except Unreadable as error:
            return self._unread(body, name, error)
        if declared is not None and declared[0] != name:
            remarks.append(Remark(MISLABELLED, f"said to be {declared[0]}, is {name}"))
        inner = self._read(content, labels.decompressed(typed=by_type is None), layer + 1)
        return self._around(name, body, inner)

    def _around(self, name: str, body: bytes, inner: Reading) -> Reading:
        """A body around another one, encoded in a way that can't be written again."""
        searched = inner.kept or not self.redacting
        document = inner.shown() if inner.document is not None or inner.text else None
        return Reading(
            f"{name}+{inner.encoding}",
            document,
            body if searched else None,
            searched,
            inner.redacted,
            inner.remarks,
            inner.schema,
        )

    # ---- formats ------------------------------------------------------------------------------------------------

    def _of_format(self, body: bytes, labels: Labels, layer: int, remarks: list[Remark]) -> Reading:
        media_type, parameters = labels.media_type() if body else ("", {})
        said = formats.named(media_type)
        if said is not None:
            try:
                return self._as(said, body, labels, layer, parameters)
            except Malformed:
                pass
            except Unreadable as error:
                return self._unread(body, said, error, labels)
        reading = self._given(body, labels, remarks) or self._sniffed(body, labels, layer)
        if said is not None and not labels.cut:
            remarks.append(Remark(MISLABELLED, f"said to be {said}, is {reading.encoding}"))
        return reading

    def _as(self, name: str, body: bytes, labels: Labels, layer: int, parameters: dict[str, str]) -> Reading:
        """Read a body as what its label says.

        Raises:
            Unreadable: it is not, or can't be.
        """
        if body[:1] == b"\0" and name in {AVRO, PROTOBUF, JSON}:
            reading = self._confluent(body, labels)
            if reading is not None:
                return reading
        match name:
            case "json":
                return self._json(body, labels, layer, said=True)
            case "ndjson" | "form" | "xml":
                return self._structured(name, body)
            case "msgpack":
                return self._binary(name, body, messagepack.messagepack(body))
            case "cbor":
                return self._binary(name, body, cbor.cbor(body))
            case "pickle":
                return self._pickle(body)
            case "avro":
                return self._avro(body, labels)
            case _:
                return self._protobuf(body, labels, parameters)

    def _given(self, body: bytes, labels: Labels, remarks: list[Remark]) -> Reading | None:
        """By what the user gave for the channel."""
        if labels.channel is None or not body:
            return None
        try:
            descriptor = self.schemas.message_type(labels.channel, None)
            if descriptor is not None:
                return self._by_descriptor(body, descriptor)
            schema = None if body.startswith(avro.MAGIC) else self.schemas.by_channel(labels.channel)
            if schema is not None:
                return self._by_avro(AVRO, body, body, schema)
        except Unreadable as error:
            if not labels.cut:
                remarks.append(Remark(UNDECODED, f"by the schema given for its channel: {error}"))
        return None

    def _sniffed(self, body: bytes, labels: Labels, layer: int) -> Reading:
        try:
            return self._json(body, labels, layer, said=False)
        except Malformed:
            pass
        for name, begins, read in (
            (AVRO, lambda b: b.startswith(avro.MAGIC), lambda b: self._avro(b, labels)),
            (PICKLE, pickled.begins, self._pickle),
            (MESSAGEPACK, messagepack.begins, lambda b: self._binary(MESSAGEPACK, b, messagepack.messagepack(b))),
            (CBOR, cbor.begins, lambda b: self._binary(CBOR, b, cbor.cbor(b))),
            ("confluent", lambda b: b[:1] == b"\0", lambda b: self._confluent(b, labels)),
        ):
            if begins(body):
                try:
                    reading = read(body)
                except Malformed:
                    continue
                except Unreadable as error:
                    return self._unread(body, name, error, labels)
                if reading is not None:
                    return reading
        return self._text(body, labels)

    # ---- text ---------------------------------------------------------------------------------------------------

    def _json(self, body: bytes, labels: Labels, layer: int, *, said: bool) -> Reading:
        if not is_json(body, said=said):
            text = self._transcoded(body, labels)
            if text is None or not is_json(text, said=said):
                raise Malformed("not JSON")
            safe, redacted = self.redact(text)
            return Reading(JSON, safe, None if redacted else body, not redacted, redacted)
        safe, redacted = self.redact(body)
        if redacted and not is_json(safe, said=True):
            return Reading(TEXT, None, safe, kept=False, redacted=redacted, text=True)
        envelope = opened(body, safe, labels, lambda content, inner: self._read(content, inner, layer + 1))
        if envelope is None:
            return Reading(JSON, safe, safe, not redacted, redacted, text=True)
        kept = not self.redacting or all(inner.kept for inner in envelope.inner)
        within = envelope.inner[0].encoding
        return Reading(
            f"{envelope.name}+{within}", envelope.document, safe if kept else None, kept and not redacted,
            redacted + sum(inner.redacted for inner in envelope.inner),
            tuple(remark for inner in envelope.inner for remark in inner.remarks), envelope.inner[0].schema, text=True,
        )  # fmt: skip

    def _structured(self, name: str, body: bytes) -> Reading:
        """Newline-delimited JSON, forms and XML: redacted as text, and once more by the names that reading found."""
        safe, redacted = self.redact(body)
        read = {LINES: lambda b: json_lines(b, said=True), FORM: form, XML: xml_outline}[name]
        document, more = self.redact(read(safe))
        self.budget.spend(len(document))
        return Reading(name, document, None if more else safe, not (redacted or more), redacted + more, text=not more)

    def _text(self, body: bytes, labels: Labels) -> Reading:
        """What has no structure that is known, or one that shows by itself."""
        remarks: tuple[Remark, ...] = ()
        for name, begins in ((LINES, _begins_lines), (XML, begins_xml)):
            if begins(body):
                try:
                    return self._structured(name, body)
                except Malformed:
                    pass
                except Unreadable as error:
                    remarks = (Remark(UNDECODED, f"{name}: {error}"),)
        if b"\0" not in body:
            try:
                body.decode()
            except UnicodeDecodeError:
                pass
            else:
                safe, redacted = self.redact(body)
                return Reading(TEXT, None, safe, not redacted, redacted, remarks, text=True)
        text = self._transcoded(body, labels)
        if text is not None:
            safe, redacted = self.redact(text)
            document = msgspec.json.encode(safe.decode())
            return Reading(TEXT, document, None if redacted else body, not redacted, redacted, remarks)
        charset = labels.charset()
        if charset is not None and not labels.cut:
            remarks = (*remarks, Remark(MISLABELLED, f"said to be text in {charset}, is binary"))
        return self._opaque(body, remarks)

    def _transcoded(self, body: bytes, labels: Labels) -> bytes | None:
        """Text in another character set than UTF-8, in UTF-8; None when no label and no mark says that it is."""
        marked = next((name for mark, name in _MARKS if body.startswith(mark)), None)
        for charset in (marked, labels.charset()):
            if charset is None or charset in {"utf-8", "ascii"}:
                continue
            try:
                text = body.decode(charset).encode()
            except (ValueError, LookupError):
                continue
            if b"\0" not in text:
                self.budget.spend(len(text))
                return text
        return None

    # ---- the rest -----------------------------------------------------------------------------------------------

    def _binary(self, name: str, body: bytes, document: bytes, schema: Used | None = None) -> Reading:
        self.budget.spend(len(document))
        safe, redacted = self.redact(document)
        # What stands readable in the bytes and not in the document: its names, what reading left out.
        redacted = redacted or self.redact(body)[1]
        return Reading(name, safe, None if redacted else body, not redacted, redacted, schema=schema)

    def _pickle(self, body: bytes) -> Reading:
        reading = self._binary(PICKLE, body, pickled.pickle_shape(body))
        return replace(reading, remarks=(Remark(HAZARD, pickled.HAZARD),))

    def _avro(self, body: bytes, labels: Labels) -> Reading:
        if body.startswith(avro.MAGIC):
            document, schema = avro.container(body)
            return self._binary(AVRO, body, document, Used(Schema(AVRO, schema.text, "body"), schema.name))
        given = self.schemas.by_channel(labels.channel) if labels.channel else None
        if given is None:
            raise SchemaMissing("its schema is not known")
        return self._by_avro(AVRO, body, body, given)

    def _by_avro(self, name: str, body: bytes, datum: bytes, schema: Schema) -> Reading:
        read = schema.read
        if not isinstance(read, avro.AvroSchema):
            raise SchemaMissing("its schema can't be used")
        return self._binary(name, body, avro.datum(datum, read), Used(schema, read.name))

    def _protobuf(self, body: bytes, labels: Labels, parameters: dict[str, str]) -> Reading:
        named = next((parameters[p] for p in _TYPE_PARAMETERS if p in parameters), None) or labels.header(
            *_TYPE_HEADERS
        )
        try:
            descriptor = self.schemas.message_type(labels.channel, named)
        except SchemaMissing:
            descriptor = None
        if descriptor is not None:
            return self._by_descriptor(body, descriptor)
        return self._binary(PROTOBUF_WIRE, body, wire_shape(body))

    def _by_descriptor(self, body: bytes, descriptor: object) -> Reading:
        document = protobuf.message(body, descriptor)
        schema = Schema(PROTOBUF, protobuf.schema_text(descriptor), "descriptor set")
        return self._binary(PROTOBUF, body, document, Used(schema, protobuf.full_name(descriptor)))

    def _confluent(self, body: bytes, labels: Labels) -> Reading | None:
        """None when it is not in this format, or there is nobody to ask."""
        number = confluent.schema_id(body)
        schema = None if number is None else self.schemas.by_id(number, labels.channel)
        if schema is None:
            return None
        if schema.kind == AVRO:
            return self._by_avro("confluent+avro", body, body[5:], schema)
        if schema.kind == JSON:
            text = body[5:]
            if not is_json(text, said=True):
                raise Malformed("not JSON")
            return self._binary("confluent+json", body, text, Used(schema, ""))
        path, content = confluent.message_place(body)
        if not isinstance(schema.read, protobuf.ProtobufTypes):
            return self._binary("confluent+protobuf-wire", body, wire_shape(content), Used(schema, ""))
        descriptor = schema.read.at(path)
        document = protobuf.message(content, descriptor)
        return self._binary("confluent+protobuf", body, document, Used(schema, protobuf.full_name(descriptor)))

    def _opaque(self, body: bytes, remarks: tuple[Remark, ...]) -> Reading:
        safe, redacted = self.redact(body)
        return Reading(BINARY, None, safe, not redacted, redacted, remarks)

    def _unread(self, body: bytes, name: str, error: Unreadable, labels: Labels | None = None) -> Reading:
        """A body that is recognised and can't be read."""
        remark = Remark(UNDECODED, f"{name}: {error}")
        if name in {JSON, LINES, FORM, XML} and labels is not None:
            reading = self._text(body, labels)
            return replace(reading, remarks=(remark, *(r for r in reading.remarks if r != remark)))
        if isinstance(error, SchemaMissing):
            # Its names are not in it, so that there is nothing to search by but what it looks like.
            return self._opaque(body, (remark,))
        return Reading(name, None, None if self.redacting else body, not self.redacting, 0, (remark,))


def _begins_lines(body: bytes) -> bool:
    return body.lstrip()[:1] in {b"{", b"["} and b"\n" in body
