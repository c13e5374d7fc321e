"""The trace as a whole, and the stack: libraries, servers, services."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from msgtrace_analysis.findings.evidence import Evidence


@dataclass(frozen=True, slots=True)
class HostClock:
    """A host's clock against another's, as the messages between them tell it.

    Attributes:
        host: whose.
        reference: the host that it is compared with.
        shift_ns: how far it is taken to be ahead; its times are corrected by it. 0 where nothing speaks against it.
        least_ns: how far it is ahead at least; None where no message says.
        most_ns: at most.
        messages: between it and other hosts.
        contradicted: no one shift is right for all messages: a clock was set, or drifted. Nothing is corrected then.
    """

    host: str
    reference: str
    shift_ns: int
    least_ns: int | None
    most_ns: int | None
    messages: int
    contradicted: bool


@dataclass(frozen=True, slots=True)
class Recording:
    """The trace as a whole.

    Attributes:
        kinds: operation kind and how many.
        recording: a collector was still at work, so that a later report may say more.
        note: what keeps links from being up to date; '' when they are.
        clocks: of hosts that messages connect; where there are none, all is of one host, or nothing tells.
        sample: which part of the conversations was recorded; None for all.
        chosen: what of the trace the findings are about, as the options of a command say it; '' for all of it.
    """

    trace_id: str
    msgtrace_version: str
    operations: int
    kinds: tuple[tuple[str, int], ...]
    first_seen_ns: int | None
    last_seen_ns: int | None
    recording: bool
    note: str
    clocks: tuple[HostClock, ...] = ()
    chosen: str = ""
    sample: float | None = None


@dataclass(frozen=True, slots=True)
class Client:
    """A library, in one version, that services talk through."""

    system: str
    client: str
    services: tuple[str, ...]
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Server:
    """An address that clients were connected to, with the facts that connections to it have in common or one by one.

    Attributes:
        connections: how many connections of traced processes.
        facts: name, and every value that was seen for it.
    """

    system: str
    address: str
    virtual_host: str | None
    connections: int
    services: tuple[str, ...]
    facts: tuple[tuple[str, tuple[str, ...]], ...]
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Service:
    """Traced processes of one name.

    Attributes:
        running: processes that were not seen to end.
        pythons: interpreter versions.
    """

    name: str
    processes: int
    running: int
    pythons: tuple[str, ...]
    operations: int


@dataclass(frozen=True, slots=True)
class Stack:
    """What the system is made of."""

    clients: tuple[Client, ...]
    servers: tuple[Server, ...]
    services: tuple[Service, ...]
