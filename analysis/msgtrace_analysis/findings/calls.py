"""Requests that the traced programs make over HTTP."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from msgtrace_analysis.findings.evidence import Evidence, Place
    from msgtrace_analysis.findings.flows import Latency


@dataclass(frozen=True, slots=True)
class Call:
    """Requests from one place to one address.

    Attributes:
        caller: the code that makes them.
        because: what was being handled; None where that is not known.
        method: '' where the program says it in a way of its own.
        server: host and port.
        path: its template, ids folded.
        failures: how often they failed, by how: a type of exception, or `status 503`.
        statuses: of the responses, and how often each.
        duration: to the head of the response, of those that had one.
    """

    caller: Place
    because: Place | None
    method: str
    server: str
    path: str
    failures: tuple[tuple[str, int], ...]
    statuses: tuple[tuple[int, int], ...]
    duration: Latency | None
    evidence: Evidence

    @property
    def target(self) -> str:
        """E.g. `POST payments:8080/charges/{charge_id}`."""
        return f"{self.method} {self.server}{self.path}".strip()
