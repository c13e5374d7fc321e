"""Asks a schema registry over HTTP, and never makes the collector wait for long: for a schema once, together for little.

The interface is Confluent's, which Karapace, Redpanda and Apicurio have too:
https://docs.confluent.io/platform/current/schema-registry/develop/api.html
"""

from __future__ import annotations

import base64
import json
import threading
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote, unquote, urlsplit

from msgtrace_collectors.decoders.avro import AvroSchema
from msgtrace_collectors.decoders.formats import AVRO, JSON, PROTOBUF
from msgtrace_collectors.decoders.limits import SchemaMissing, Unreadable
from msgtrace_collectors.decoders.protobuf import ProtobufTypes
from msgtrace_collectors.decoders.schemas import Schema

TIMEOUT_S: Final = 2.0
"""For one step of a connection; and how long decoding waits for a schema."""
PATIENCE_S: Final = 2.0
"""That decoding waits for schemas together, once; it comes back at a tenth of the time that passes."""
DOWN_S: Final = 30.0
"""A registry that has not answered is not asked again for so long."""
ABSENT_S: Final = 300.0
"""A schema that was not there is not asked for again for so long."""
MAX_ANSWER_BYTES: Final = 1 << 20
MAX_KNOWN: Final = 10_000
MAX_REFERENCES: Final = 50

_SILENT: Final = "the schema registry does not answer"
_ABSENT: Final = "the schema registry has no such schema"


class _Absent(Exception):  # noqa: N818 - reads as what it is
    """The registry says that there is no such thing."""


@dataclass(slots=True)
class _Asked:
    """A question on its way.

    Attributes:
        done: there is an answer, or none will come.
        schema: the answer.
        why: there is none.
    """

    done: threading.Event = field(default_factory=threading.Event)
    schema: Schema | None = None
    why: str = _SILENT


class SchemaRegistry:
    """One registry.

    Args:
        url: `http` or `https`, with user and password where it wants them.

    Raises:
        ValueError: not such an address; the text is for the user.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError(
                f"the schema registry's address must be http://... or https://..., not {parts.scheme or 'this'}"
            )
        host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
        self.address = f"{parts.scheme}://{host}{f':{parts.port}' if parts.port else ''}{parts.path.rstrip('/')}"
        """Without the password."""
        self._headers = {"Accept": "application/vnd.schemaregistry.v1+json, application/json"}
        if parts.username is not None:
            secret = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            self._headers["Authorization"] = "Basic " + base64.b64encode(secret.encode()).decode()
        self._known: dict[int, Schema] = {}
        self._absent: dict[int, tuple[float, str]] = {}
        self._asked: dict[int, _Asked] = {}
        self._down_until = 0.0
        self._patience_s = PATIENCE_S
        self._looked_at = time.monotonic()

    def schema(self, number: int, channel: str | None) -> Schema:
        """The schema of an id.

        Args:
            number: the id.
            channel: of the message: of several subjects of a schema, this one's is named.

        Raises:
            SchemaMissing: it is not to be had now.
        """
        known = self._known.get(number)
        if known is not None:
            return known
        now = time.monotonic()
        until, why = self._absent.get(number, (0.0, ""))
        if now < until:
            raise SchemaMissing(why)
        asked = self._asked.get(number)
        if asked is None:
            if now < self._down_until:
                raise SchemaMissing(_SILENT)
            asked = self._ask(number, channel)
        if not asked.done.wait(self._patience(now)):
            self._spend(now)
            self._down_until = time.monotonic() + DOWN_S
            raise SchemaMissing(_SILENT)
        self._spend(now)
        return self._answered(number, asked)

    def _ask(self, number: int, channel: str | None) -> _Asked:
        asked = self._asked[number] = _Asked()
        # A name that is looked up, or an answer that drips, may take any time: not the collector's.
        threading.Thread(target=self._fetch, args=(number, channel, asked), daemon=True, name="schema-registry").start()
        return asked

    def _answered(self, number: int, asked: _Asked) -> Schema:
        del self._asked[number]
        if asked.schema is None:
            if asked.why == _SILENT:
                self._down_until = time.monotonic() + DOWN_S
            if len(self._absent) >= MAX_KNOWN:
                self._absent.clear()
            self._absent[number] = time.monotonic() + (DOWN_S if asked.why == _SILENT else ABSENT_S), asked.why
            raise SchemaMissing(asked.why)
        if len(self._known) >= MAX_KNOWN:
            self._known.clear()
        self._known[number] = asked.schema
        return asked.schema

    def _patience(self, now: float) -> float:
        self._patience_s = min(PATIENCE_S, self._patience_s + (now - self._looked_at) / 10)
        self._looked_at = now
        return min(TIMEOUT_S, max(0.0, self._patience_s))

    def _spend(self, since: float) -> None:
        self._patience_s -= time.monotonic() - since

    # ---- in a thread of its own ---------------------------------------------------------------------------------

    def _fetch(self, number: int, channel: str | None, asked: _Asked) -> None:
        try:
            asked.schema = self._schema(number, channel)
        except _Absent:
            asked.why = _ABSENT
        except Unreadable as error:
            asked.why = str(error)
        except Exception:  # noqa: BLE001 - whatever a server and a network can do
            asked.why = _SILENT
        finally:
            asked.done.set()

    def _schema(self, number: int, channel: str | None) -> Schema:
        told = self._get(f"/schemas/ids/{number}")
        kind = str(told.get("schemaType") or "AVRO").lower()
        text = str(told["schema"])
        subject, version = self._subject(number, channel)
        references = told.get("references") or []
        read: AvroSchema | ProtobufTypes | None = None
        if kind == AVRO:
            read = AvroSchema.of(text, tuple(str(each["schema"]) for _, each in self._references(references, "")))
        elif kind == PROTOBUF:
            read = self._protobuf(number, references)
        elif kind != JSON:
            raise SchemaMissing("a schema of a kind that is not known")
        return Schema(kind, text, self.address, number, subject, version, read)

    def _subject(self, number: int, channel: str | None) -> tuple[str | None, int | None]:
        try:
            versions = self._get(f"/schemas/ids/{number}/versions")
            found = [(str(each["subject"]), int(each["version"])) for each in versions]
        except (_Absent, KeyError, TypeError, ValueError):
            return None, None  # an older registry, which does not know this question
        own = [each for each in found if each[0] in {f"{channel}-value", channel}]
        return next(iter(own or sorted(found)), (None, None))

    def _protobuf(self, number: int, references: list[Any]) -> ProtobufTypes | None:
        """None when the registry can't give it as descriptors: then the wire shape is all that there is."""
        form = "?format=serialized"
        try:
            own = base64.b64decode(self._get(f"/schemas/ids/{number}{form}")["schema"], validate=True)
            files = [
                (name, base64.b64decode(each["schema"], validate=True))
                for name, each in self._references(references, form)
            ]
            return ProtobufTypes.of([*files, ("", own)])
        except (Unreadable, _Absent, ValueError, KeyError):
            return None

    def _references(self, references: list[Any], form: str) -> list[tuple[str, Any]]:
        """What a schema refers to, each after what it refers to itself: its name there, and what the registry says of it."""
        found: dict[str, Any] = {}

        def follow(each: dict[str, Any], depth: int) -> None:
            name = str(each["name"])
            if name in found:
                return
            if depth > 20 or len(found) >= MAX_REFERENCES:
                raise SchemaMissing("a schema that refers to too many others")
            told = self._get(f"/subjects/{quote(str(each['subject']), safe='')}/versions/{int(each['version'])}{form}")
            for other in told.get("references") or []:
                follow(other, depth + 1)
            found[name] = told

        for each in references:
            follow(each, 0)
        return list(found.items())

    def _get(self, path: str) -> Any:
        request = urllib.request.Request(self.address + path, headers=self._headers)  # noqa: S310 - http or https, see above
        deadline = time.monotonic() + 5 * TIMEOUT_S
        try:
            with _OPENER.open(request, timeout=TIMEOUT_S) as answer:
                content = b""
                while chunk := answer.read1(65536):
                    content += chunk
                    if len(content) > MAX_ANSWER_BYTES or time.monotonic() > deadline:
                        raise SchemaMissing("an answer of the schema registry that is too large or too slow")
        except urllib.error.HTTPError as error:
            error.close()
            if error.code == 404:
                raise _Absent from None
            if error.code in {401, 403}:
                raise SchemaMissing("the schema registry refuses: user and password are wrong or missing") from None
            raise
        return json.loads(content)


def _opener() -> urllib.request.OpenerDirector:
    """Opens http and https, and nothing else that an answer may redirect to."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(), urllib.request.HTTPHandler(), urllib.request.HTTPSHandler(),
        urllib.request.HTTPDefaultErrorHandler(), urllib.request.HTTPErrorProcessor(), urllib.request.UnknownHandler(),
    ):  # fmt: skip
        opener.add_handler(handler)
    return opener


_OPENER: Final = _opener()
