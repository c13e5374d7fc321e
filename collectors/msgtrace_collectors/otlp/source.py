"""The services that OpenTelemetry sees, as the collector reads them: spans, taken in its thread, acknowledged when stored."""

from __future__ import annotations

import queue
import secrets
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from msgtrace_collectors.otlp.spans import Services, add

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    from msgtrace_collectors.batch import Batch
    from msgtrace_collectors.registry import Registry

WAITING: Final = 64
"""Requests that are taken and not stored; more are asked to come again."""
STORED_WITHIN_S: Final = 30.0
OVER: Final = "otlp"
"""Reason of a loss: spans of more services than can be told apart."""


class BusyError(Exception):
    """Too much is waiting to be stored: the sender is to come again later."""


@dataclass(slots=True)
class Request:
    """What came at once."""

    spans: ExportTraceServiceRequest
    stored: threading.Event = field(default_factory=threading.Event)


@dataclass(slots=True)
class OtlpSource:
    """Spans of one collector: a `collector.Source`.

    Attributes:
        registry: of the trace.
        stop: ends the servers.
    """

    registry: Registry
    stop: list[Callable[[], None]] = field(default_factory=list)
    _come: queue.Queue[Request] = field(default_factory=lambda: queue.Queue(WAITING))
    _taken: list[Request] = field(default_factory=list)
    _services: Services = field(default_factory=lambda: Services(secrets.token_bytes(16)))

    @property
    def live(self) -> int:
        """Whether there are servers: anybody may still come."""
        return len(self.stop)

    def take(self, spans: ExportTraceServiceRequest) -> None:
        """Take a request, in any thread, and return when it is stored.

        Raises:
            BusyError: it is not.
        """
        request = Request(spans)
        try:
            self._come.put_nowait(request)
        except queue.Full:
            raise BusyError from None
        if not request.stored.wait(STORED_WITHIN_S):
            raise BusyError

    def poll(self, batch: Batch) -> int:
        """Take what has come.

        Returns:
            The number of records.
        """
        count = 0
        while len(self._taken) < WAITING:
            try:
                request = self._come.get_nowait()
            except queue.Empty:
                break
            self._taken.append(request)
            for resource in request.spans.resource_spans:
                service = self._services.of(resource.resource)
                if service is None:
                    batch.lose(
                        None, OVER, "spans of too many services", sum(len(each.spans) for each in resource.scope_spans)
                    )
                    continue
                for scope in resource.scope_spans:
                    for span in scope.spans:
                        add(service, scope.scope.name, span)
                state = self.registry.get(service.process_id)
                batch.add(state, service.payloads)
                count += len(service.payloads)
                service.payloads.clear()
                self.registry.changed[state.number] = state
        return count

    def stored(self) -> None:
        """What was taken so far is in the trace: say so."""
        for request in self._taken:
            request.stored.set()
        self._taken.clear()

    def forget(self) -> None:
        """Spans have no bodies."""

    def close(self) -> None:
        """End the servers; who has been taken is still answered."""
        for end in self.stop:
            end()
        self.stop.clear()
