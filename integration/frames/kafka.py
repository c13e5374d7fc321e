"""Kafka requests and responses: size, header, body (Kafka protocol guide, "Request and Response Headers").

The body starts after the client id or correlation id; in flexible versions, at the header's tagged fields.
"""

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from integration.frames.splitting import Split, split_by


@dataclass(frozen=True, slots=True)
class Request:
    """What a client asks.

    Attributes:
        api_key: 0 Produce, 1 Fetch, 3 Metadata, 18 ApiVersions and so on.
        api_version: Version of request and response.
        correlation_id: Repeated by the response.
        client_id: None when the client gave none.
        body: The rest.
    """

    api_key: int
    api_version: int
    correlation_id: int
    client_id: bytes | None
    body: bytes


@dataclass(frozen=True, slots=True)
class Response:
    """What the broker answers.

    Attributes:
        correlation_id: That of the request.
        body: The rest, whose shape only the request tells.
    """

    correlation_id: int
    body: bytes


def split_requests(data: bytes) -> Split[Request]:
    """Cuts what a client sent.

    Raises:
        ValueError: A request is too short for its header.
    """
    return split_by(_take_request, data)


def split_responses(data: bytes) -> Split[Response]:
    """Cuts what a broker sent.

    Raises:
        ValueError: A response is too short for its header.
    """
    return split_by(_take_response, data)


def exchanges(requests: Iterable[Request], responses: Iterable[Response]) -> Iterator[tuple[Request, Response | None]]:
    """Puts each request of a connection beside its response; None where there is none, as with acks=0.

    A broker answers the requests of one connection in their order, so that a correlation id may come again.
    """
    waiting = list(responses)
    for request in requests:
        answered = bool(waiting) and waiting[0].correlation_id == request.correlation_id
        yield request, waiting.pop(0) if answered else None


def _payload(data: bytes, start: int, header_bytes: int) -> tuple[bytes, int] | None:
    if start + 4 > len(data):
        return None
    (size,) = struct.unpack_from(">i", data, start)
    if size < header_bytes:
        raise ValueError(f"byte {start}: {size} bytes are too few for a header of {header_bytes}")
    end = start + 4 + size
    return (data[start + 4 : end], end) if end <= len(data) else None


def _take_request(data: bytes, start: int) -> tuple[Request, int] | None:
    found = _payload(data, start, header_bytes=10)
    if found is None:
        return None
    payload, end = found
    api_key, api_version, correlation_id, size = struct.unpack_from(">hhih", payload)
    if size > len(payload) - 10:
        raise ValueError(f"byte {start}: a client id of {size} bytes is longer than its request")
    client_id = payload[10 : 10 + size] if size >= 0 else None
    return Request(api_key, api_version, correlation_id, client_id, payload[10 + max(size, 0) :]), end


def _take_response(data: bytes, start: int) -> tuple[Response, int] | None:
    found = _payload(data, start, header_bytes=4)
    if found is None:
        return None
    payload, end = found
    return Response(struct.unpack_from(">i", payload)[0], payload[4:]), end
