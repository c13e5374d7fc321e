"""The splitters of recorded traffic: what each protocol's library encodes, cut anywhere, comes out again."""

import struct
from collections.abc import Callable
from itertools import pairwise
from typing import Any, TypeVar

import pamqp.frame
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pamqp import body, commands, header, heartbeat
from redis.connection import Connection as RedisConnection
from websockets.frames import Frame as EncodedFrame
from websockets.frames import Opcode

from integration.frames import Incremental, Split, amqp, kafka, resp, websocket

FrameT = TypeVar("FrameT")
CUTS = st.lists(st.integers(0, 2000), max_size=12)


def assert_cutting_changes_nothing(
    split: Callable[[bytes], Split[FrameT]], data: bytes, cuts: list[int], expected: tuple[FrameT, ...]
) -> None:
    """Whole, in any chunks, byte by byte: the same frames, nothing left; without the last byte: one less."""
    assert split(data) == Split(expected, b"")
    places = sorted({min(cut, len(data)) for cut in cuts} | {0, len(data)})
    for chunks in (
        [data[start:end] for start, end in pairwise(places)],
        [data[place : place + 1] for place in range(min(len(data), 400))] + [data[400:]],
    ):
        incremental = Incremental(split)
        assert tuple(frame for chunk in chunks for frame in incremental.feed(chunk)) == expected
        assert incremental.rest == b""
    if data:
        assert split(data[:-1]).frames == expected[:-1]


def amqp_frames() -> st.SearchStrategy[tuple[bytes, amqp.Frame]]:
    def framed(channel: int, payload: pamqp.frame.FrameTypes) -> tuple[bytes, amqp.Frame]:
        encoded = pamqp.frame.marshal(payload, channel)
        return encoded, amqp.Frame(encoded[0], channel, encoded[7:-1])

    payloads: st.SearchStrategy[pamqp.frame.FrameTypes] = st.one_of(
        st.builds(
            commands.Basic.Publish,
            exchange=st.just("orders"),
            routing_key=st.text(alphabet="ab.", max_size=9),
        ),
        st.builds(lambda size: header.ContentHeader(0, size, commands.Basic.Properties()), st.integers(0, 2**40)),
        st.builds(body.ContentBody, st.binary(min_size=1, max_size=300)),
    )
    beats = st.just((heartbeat.Heartbeat().marshal(), amqp.Frame(amqp.HEARTBEAT, 0, b"")))
    return st.one_of(st.builds(framed, st.integers(1, 65535), payloads), beats)


@given(st.lists(amqp_frames(), max_size=8), CUTS)
def test_amqp(parts: list[tuple[bytes, amqp.Frame]], cuts: list[int]) -> None:
    hello = b"AMQP\x00\x00\x09\x01"
    expected = (amqp.Frame(0, 0, hello), *(frame for _, frame in parts))
    data = hello + b"".join(encoded for encoded, _ in parts)
    assert_cutting_changes_nothing(amqp.split, data, cuts, expected)
    beatless = amqp.without_heartbeats(expected)
    assert len(beatless) == len(expected) - sum(frame.kind == amqp.HEARTBEAT for _, frame in parts)


def test_amqp_method_numbers() -> None:
    (frame,) = amqp.split(pamqp.frame.marshal(commands.Basic.Publish(exchange="orders"), 1)).frames
    assert frame.method == (60, 40)
    assert amqp.Frame(amqp.BODY, 1, b"abcd").method is None


@pytest.mark.parametrize("data", [b"\x04\x00\x00\x00\x00\x00\x00\xce", b"\x08\x00\x00\x00\x00\x00\x00\xcd"])
def test_amqp_refuses_what_is_no_frame(data: bytes) -> None:
    with pytest.raises(ValueError, match="byte"):
        amqp.split(data)


@given(st.lists(st.lists(st.binary(max_size=60), min_size=1, max_size=5), max_size=6), CUTS)
def test_redis_commands(sent: list[list[bytes]], cuts: list[int]) -> None:
    untyped: Any = RedisConnection
    connection = untyped()
    data = b"".join(b"".join(connection.pack_command("SET", *words)) for words in sent)
    expected = tuple(resp.Value("*", items=tuple(resp.Value("$", word) for word in (b"SET", *words))) for words in sent)
    assert_cutting_changes_nothing(resp.split, data, cuts, expected)
    assert [value.words for value in resp.split(data).frames] == [(b"SET", *words) for words in sent]


def resp_values() -> st.SearchStrategy[tuple[bytes, resp.Value]]:
    """Every kind of RESP3 with its encoding, made together, so that neither is made from the other."""

    def line(kind: str, text: bytes) -> tuple[bytes, resp.Value]:
        return kind.encode() + text + b"\r\n", resp.Value(kind, text)

    def bulk(kind: str, text: bytes | None) -> tuple[bytes, resp.Value]:
        encoded = b"-1\r\n" if text is None else b"%d\r\n%b\r\n" % (len(text), text)
        return kind.encode() + encoded, resp.Value(kind, text)

    def many(kind: str, parts: list[tuple[bytes, resp.Value]]) -> tuple[bytes, resp.Value]:
        items = parts * 2 if kind == "%" else parts
        encoded = kind.encode() + b"%d\r\n" % len(parts) + b"".join(part for part, _ in items)
        return encoded, resp.Value(kind, items=tuple(value for _, value in items))

    def described(note: tuple[bytes, resp.Value], value: tuple[bytes, resp.Value]) -> tuple[bytes, resp.Value]:
        bare = value[1]
        with_note = resp.Value(bare.kind, bare.text, bare.items, (note[1], note[1], *bare.attributes))
        return b"|1\r\n" + note[0] * 2 + value[0], with_note

    texts = st.binary(max_size=20).map(lambda text: text.replace(b"\r", b"").replace(b"\n", b""))
    leaves = st.one_of(
        st.builds(line, st.sampled_from(list("+-:_#,(")), texts),
        st.builds(bulk, st.sampled_from(list("$=!")), st.none() | st.binary(max_size=40)),
    )
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.builds(many, st.sampled_from(list("*~>%")), st.lists(inner, max_size=4)),
            st.builds(described, inner, inner),
        ),
        max_leaves=12,
    )


@given(st.lists(resp_values(), max_size=5), CUTS)
def test_redis_replies(parts: list[tuple[bytes, resp.Value]], cuts: list[int]) -> None:
    data = b"".join(encoded for encoded, _ in parts)
    assert_cutting_changes_nothing(resp.split, data, cuts, tuple(value for _, value in parts))


def test_redis_inline_command() -> None:
    (value,) = resp.split(b"PUBLISH  news hello\r\n").frames
    assert value.words == (b"PUBLISH", b"news", b"hello")


def test_redis_refuses_a_bulk_that_is_longer_than_it_says() -> None:
    with pytest.raises(ValueError, match="does not end here"):
        resp.split(b"$3\r\nabcd\r\n")


KAFKA_REQUESTS = st.builds(
    kafka.Request,
    st.integers(0, 90),
    st.integers(0, 20),
    st.integers(-(2**31), 2**31 - 1),
    st.none() | st.binary(max_size=30),
    st.binary(max_size=200),
)


def encoded_request(request: kafka.Request) -> bytes:
    client_id = request.client_id or b""
    size = -1 if request.client_id is None else len(client_id)
    head = struct.pack(">hhih", request.api_key, request.api_version, request.correlation_id, size)
    return struct.pack(">i", len(head + client_id + request.body)) + head + client_id + request.body


def encoded_response(response: kafka.Response) -> bytes:
    return struct.pack(">ii", 4 + len(response.body), response.correlation_id) + response.body


@given(st.lists(KAFKA_REQUESTS, max_size=6), CUTS)
def test_kafka_requests(requests: list[kafka.Request], cuts: list[int]) -> None:
    data = b"".join(map(encoded_request, requests))
    assert_cutting_changes_nothing(kafka.split_requests, data, cuts, tuple(requests))


@given(st.lists(st.builds(kafka.Response, st.integers(0, 2**31 - 1), st.binary(max_size=99)), max_size=6), CUTS)
def test_kafka_responses(responses: list[kafka.Response], cuts: list[int]) -> None:
    data = b"".join(map(encoded_response, responses))
    assert_cutting_changes_nothing(kafka.split_responses, data, cuts, tuple(responses))


@given(st.lists(st.booleans(), max_size=20))
def test_kafka_exchanges(answered: list[bool]) -> None:
    requests = [kafka.Request(0, 9, number, None, b"") for number in range(len(answered))]
    responses = [kafka.Response(number, b"x") for number, answer in enumerate(answered) if answer]
    pairs = list(kafka.exchanges(requests, responses))
    assert [response is not None for _, response in pairs] == answered
    assert all(response.correlation_id == request.correlation_id for request, response in pairs if response)


@pytest.mark.parametrize("data", [struct.pack(">i", 3), struct.pack(">ihhih", 10, 3, 1, 1, 20)])
def test_kafka_refuses_what_is_no_request(data: bytes) -> None:
    with pytest.raises(ValueError, match="byte 0"):
        kafka.split_requests(data)


WEBSOCKET_FRAMES = st.builds(
    websocket.Frame,
    st.booleans(),
    st.sampled_from([0, 4]),
    st.sampled_from([0, 1, 2]),
    st.one_of(st.binary(max_size=200), st.sampled_from([b"x" * 126, b"y" * 65535, b"z" * 65536])),
) | st.builds(
    websocket.Frame,
    st.just(value=True),
    st.just(0),
    st.sampled_from([8, 9, 10]),
    st.binary(min_size=2, max_size=125),
)


@given(st.lists(WEBSOCKET_FRAMES, max_size=6), st.booleans(), CUTS)
def test_websocket(frames: list[websocket.Frame], from_client: bool, cuts: list[int]) -> None:
    request = b"GET /live HTTP/1.1\r\nHost: broker.test\r\nSec-WebSocket-Key: abc==\r\n\r\n"
    response = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"
    data = request if from_client else response
    for frame in frames:
        encoded = EncodedFrame(Opcode(frame.opcode), frame.payload, frame.final).serialize(mask=from_client)
        # The library sets the bit of a compressed message in an extension only.
        data += bytes([encoded[0] | frame.reserved << 4]) + encoded[1:]
    (handshake, *found) = websocket.split(data).frames
    assert isinstance(handshake, websocket.Handshake)
    assert handshake.start_line.split()[0] == ("GET" if from_client else "HTTP/1.1")
    assert all(isinstance(frame, websocket.Frame) and (frame.mask is not None) == from_client for frame in found)
    expected: tuple[websocket.Part, ...] = (handshake, *frames)
    assert_cutting_changes_nothing(websocket.split, data, cuts, expected)


def test_websocket_handshake_headers_can_be_dropped() -> None:
    head = websocket.Handshake("GET / HTTP/1.1", (("Host", "a"), ("Sec-WebSocket-Key", "b")))
    assert head.without("sec-websocket-key", "date").headers == (("Host", "a"),)


def test_websocket_refusal_has_a_body() -> None:
    data = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno"
    refusal: websocket.Part = websocket.Handshake("HTTP/1.1 403 Forbidden", (("Content-Length", "2"),), b"no")
    assert_cutting_changes_nothing(websocket.split, data, [3, 20, 46], (refusal,))
