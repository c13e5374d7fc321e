"""Puts an AsyncAPI document together: servers, channels, operations, messages. Pure."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from msgtrace_analysis.renderers.asyncapi.channels import KAFKA, addresses, channel, server
from msgtrace_analysis.renderers.asyncapi.messages import message
from msgtrace_analysis.renderers.asyncapi.names import Keys, pointer
from msgtrace_analysis.renderers.asyncapi.reliability import reliability
from msgtrace_analysis.renderers.markdown import visible

if TYPE_CHECKING:
    from msgtrace_analysis.findings import Event, Findings, Request, Use
    from msgtrace_analysis.renderers.asyncapi.channels import Address

ASYNCAPI: Final = "3.1.0"
VERBS: Final = {"send": "sends to", "receive": "receives from"}


def services(findings: Findings) -> list[str]:
    """The services that have something to say over a wire."""
    return sorted({use.service for use in findings.uses})


def document(findings: Findings, service: str | None = None) -> dict[str, Any]:
    """A whole document.

    Args:
        findings: about a trace.
        service: of this service only; None for the system.
    """
    return _Document(findings, service).written()


class _Document:
    def __init__(self, findings: Findings, service: str | None) -> None:
        self._findings = findings
        self._service = service
        self._uses = [use for use in findings.uses if service is None or use.service == service]
        self._events = {event.ref: event for event in findings.events}
        self._contracts = {contract.event: contract for contract in findings.contracts}
        self._channels = Keys()
        self._messages = Keys()
        self._schemas = Keys()
        self._servers = Keys()
        self._operations = Keys()

    def written(self) -> dict[str, Any]:
        servers = self._written_servers()
        channels = self._written_channels(servers)
        schemas: dict[str, Any] = {}
        by_event: defaultdict[str, list[Use]] = defaultdict(list)
        for use in self._uses:
            by_event[use.event].append(use)
        messages = {
            self._message_key(event): message(
                self._events[event], self._contracts.get(event), by_event[event], self._schemas, schemas
            )
            for event in by_event
        }
        components = {"messages": messages, "schemas": schemas}
        return {
            "asyncapi": ASYNCAPI,
            "info": self._info(),
            "servers": servers,
            "channels": channels,
            "operations": self._written_operations(),
            "components": {name: each for name, each in components.items() if each},
        }

    def _info(self) -> dict[str, Any]:
        recording = self._findings.recording
        day = "0" if recording.last_seen_ns is None else f"{_moment(recording.last_seen_ns):%Y.%m.%d}"
        buses = sum(event.channel_kind == "bus" for event in self._findings.events)
        text = "Written from observed traffic: what was not seen is not here."
        if buses:
            text += f" {buses} event types of in-process buses are left out; MESSAGING_GUIDE.md has them."
        return {
            "title": "Messaging of the traced system" if self._service is None else visible(self._service) or "unnamed",
            "version": day,
            "x-msgtrace": recording.msgtrace_version,
            "x-trace": recording.trace_id,
            "description": text,
        }

    def _written_servers(self) -> dict[str, Any]:
        return {
            self._servers.key((each.system, each.address, each.virtual_host), f"{each.system}-{each.address}"): server(
                each
            )
            for each in self._findings.stack.servers
            if self._service is None or self._service in each.services
        }

    def _written_channels(self, servers: dict[str, Any]) -> dict[str, Any]:
        found: defaultdict[Address, list[Use]] = defaultdict(list)
        for use in self._uses:
            for address in addresses(use):
                found[address].append(use)
        written: dict[str, Any] = {}
        for address, uses in found.items():
            events = list(dict.fromkeys(use.event for use in uses))
            each = channel(address, uses, self._findings)
            on = [
                self._servers.key((address.system, name), name) for name in sorted({s for u in uses for s in u.servers})
            ]
            if refs := [{"$ref": pointer("servers", name)} for name in on if name in servers]:
                each["servers"] = refs
            each["messages"] = {
                self._message_key(event): {"$ref": pointer("components", "messages", self._message_key(event))}
                for event in events
            }
            written[self._channel_key(address)] = each
        return written

    def _written_operations(self) -> dict[str, Any]:
        found: defaultdict[tuple[str, str, Address], list[Use]] = defaultdict(list)
        for use in self._uses:
            for address in addresses(use):
                found[use.side, use.service, address].append(use)
        return {
            self._operations.key(key, f"{key[1]}.{key[0]}.{key[2].label}"): self._operation(*key, uses)
            for key, uses in found.items()
        }

    def _operation(self, side: str, service: str, address: Address, uses: list[Use]) -> dict[str, Any]:
        key = self._channel_key(address)
        written: dict[str, Any] = {
            "action": side,
            "channel": {"$ref": pointer("channels", key)},
            "summary": f"{visible(service)} {VERBS[side]} {visible(address.label)}",
            "tags": [{"name": visible(service) or "unnamed"}],
            "messages": [{"$ref": pointer("channels", key, "messages", self._message_key(use.event))} for use in uses],
        }
        if bindings := _operation_bindings(address, uses):
            written["bindings"] = bindings
        if reply := self._reply(side, service, uses):
            written["reply"] = reply
        written["x-code"] = self._code(side, service, uses)
        written["x-messages"] = sum(use.messages for use in uses)
        return written | (reliability(self._findings, service, uses) if side == "receive" else {})

    def _code(self, side: str, service: str, uses: list[Use]) -> list[str]:
        """Where in the service's code that is."""
        found = set()
        for use in uses:
            event = self._events[use.event]
            parties = event.publishers if side == "send" else event.consumers
            found |= {
                visible(f"{each.place.site} {each.place.name}".strip())
                for each in parties
                if each.place.service == service and (each.place.site or each.place.name)
            }
        return sorted(found)

    def _reply(self, side: str, service: str, uses: list[Use]) -> dict[str, Any]:
        """What answers, where exactly one type of answer does and its channel is in this document."""
        events = {use.event for use in uses}
        asked = [each for each in self._findings.conversations.requests if each.request in events and each.reply]
        mine = [each for each in asked if _is_end(each, side, service)]
        replies = {each.reply for each in mine}
        answers = [
            (address, use)
            for use in self._uses
            if use.event in replies and use.service == service and use.side != side
            for address in addresses(use)
        ]
        channels = {address for address, _ in answers}
        if len(channels) != 1:
            return {}
        key = self._channel_key(next(iter(channels)))
        written: dict[str, Any] = {
            "channel": {"$ref": pointer("channels", key)},
            "messages": [
                {"$ref": pointer("channels", key, "messages", self._message_key(event))}
                for event in sorted({use.event for _, use in answers})
            ],
        }
        return written

    def _channel_key(self, address: Address) -> str:
        return self._channels.key(address, address.label)

    def _message_key(self, event: str) -> str:
        found: Event = self._events[event]
        return self._messages.key(event, found.name)


def _is_end(request: Request, side: str, service: str) -> bool:
    end = request.requester if side == "send" else request.replier
    return end is not None and end.service == service


def _operation_bindings(address: Address, uses: list[Use]) -> dict[str, Any]:
    groups = sorted({group for use in uses for group in use.groups})
    if address.system == "kafka" and groups:
        return {"kafka": {"groupId": {"type": "string", "enum": groups}, "bindingVersion": KAFKA}}
    return {}


def _moment(at_ns: int) -> datetime:
    return datetime.fromtimestamp(at_ns // 1_000_000_000, UTC)
