"""A peer without a right certificate and token gets nothing; one with both can do no more than fill its own quota."""

from __future__ import annotations

import contextlib
import socket
import ssl
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from msgtrace_collectors.forwarding.protocol import (
    LENGTH,
    Bodies,
    Hello,
    Open,
    Position,
    Records,
    packed,
    squeezed,
)
from msgtrace_collectors.forwarding.sender import RefusedError
from tests.collectors.forwarding.central import RunningCentral, credentials, forwarded, running_central
from tests.collectors.forwarding.test_protocol import MESSAGES
from tests.collectors.made_segments import MadeProcess, introduced, observed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HERE = Position(1, 128)
QUIET = [
    HealthCheck.function_scoped_fixture,
    HealthCheck.too_slow,
    HealthCheck.data_too_large,
    HealthCheck.large_base_example,
]
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | st.text(max_size=20) | st.binary(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=8,
)  # fmt: skip
FIELDS = st.sampled_from(
    ["channel", "body", "digest", "body_size", "headers", "redacted", "truncated", "channel_kind", "settings", "data",
     "message_key", "producer_time_ms", "link", "receipt", "connection", "trace_id", "task", "outcome"],
)  # fmt: skip
RECORDS = st.one_of(
    st.binary(max_size=60),
    st.tuples(st.integers(0, 9), VALUES, VALUES, VALUES).map(msgspec.msgpack.encode),
    st.tuples(
        st.sampled_from([0, 2]), st.integers(-2, 9), st.integers(-1, 2**63 - 1), st.integers(0, 5), st.integers(0, 5),
        st.integers(0, 5), VALUES, st.integers(0, 99), st.dictionaries(FIELDS, VALUES, max_size=5), VALUES, VALUES,
    ).map(msgspec.msgpack.encode),
    st.builds(lambda facts: msgspec.msgpack.encode((4, facts)), st.dictionaries(st.sampled_from(["forked_from", "first_sequence", "pid", "argv"]), VALUES)),
    st.builds(lambda table, number, value: msgspec.msgpack.encode((3, table, number, value)), st.integers(-1, 7), st.integers(-1, 10**7), VALUES),
)  # fmt: skip


@pytest.fixture(scope="module")
def central(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningCentral]:
    folder = tmp_path_factory.mktemp("hostile")
    (folder / "spool").mkdir(mode=0o700)
    with running_central(folder, folder / "spool") as running:
        yield running
        running.end()
        assert not running.said, "it was never in need"
        names = {path.name for path in folder.rglob("*")} - {path.name for path in (folder / "certificates").iterdir()}
        assert names == {"central.duckdb", "spool", "central", "secret", "certificates"}


def still_serves(central: RunningCentral, spool: Path) -> None:
    """Another one's operation arrives whole."""
    process = MadeProcess(spool)
    introduced(process)
    process.write(observed(1, 5, message_id=process.process_id.hex()))
    forwarded(central, spool, "west")
    assert central.collector is not None
    found = central.collector.store.cursor().execute(
        "select count(*) from operations where message_id = ?", [process.process_id.hex()]
    )
    assert found.fetchall() == [(1,)]


@contextlib.contextmanager
def raw(central: RunningCentral, name: str = "east") -> Iterator[ssl.SSLSocket]:
    """A welcomed connection, to say anything over."""
    connection = central.connected(name)
    try:
        yield connection._socket
    finally:
        connection.close()


FRAMES = VALUES.map(msgspec.msgpack.encode).map(lambda text: LENGTH.pack(len(text)) + text)


@settings(max_examples=6, deadline=None, suppress_health_check=QUIET)
@given(st.lists(st.lists(st.binary(max_size=200) | MESSAGES.map(packed) | FRAMES, max_size=6), min_size=4, max_size=8))
def test_any_bytes(central: RunningCentral, spool: Path, conversations: list[list[bytes]]) -> None:
    for said in conversations:
        with contextlib.suppress(OSError), raw(central) as connection:
            connection.sendall(b"".join(said))
            connection.settimeout(0.01)
            connection.recv(1000)
    still_serves(central, spool)


@settings(max_examples=6, deadline=None, suppress_health_check=QUIET)
@given(
    st.lists(
        st.tuples(st.lists(RECORDS, max_size=8), VALUES, st.binary(min_size=16, max_size=16)), min_size=4, max_size=8
    )
)
def test_any_records(central: RunningCentral, spool: Path, conversations: list[tuple[list[bytes], Any, bytes]]) -> None:
    for payloads, value, who in conversations:
        body = [0, who, None, str(value), "json", 1, None, None]
        rows = squeezed([msgspec.Raw(msgspec.msgpack.encode(body))])  # as a peer of another make would
        size, data = squeezed(payloads)
        with contextlib.suppress(OSError), raw(central) as connection:
            connection.sendall(packed(Open(who.hex())) + packed(Bodies(*rows)))
            for begin, end in ((HERE, Position(2, 128)), (Position(2, 128), Position(2**62, 0)), (HERE, HERE)):
                connection.sendall(packed(Records(who.hex(), begin, end, 2**62, 2**62, False, size, data)))
            connection.settimeout(0.01)
            connection.recv(1000)
    still_serves(central, spool)


@pytest.mark.parametrize("process_id", ["../../../../tmp/x", "/etc/passwd", "a" * 31, "A" * 32, "a" * 32 + "\n", ""])
def test_a_name_that_is_no_id(central: RunningCentral, process_id: str) -> None:
    connection = central.connected()
    with pytest.raises(RefusedError):
        connection.position(process_id)
    connection.close()


def test_nobody_speaks_for_anothers_process(central: RunningCentral) -> None:
    size, data = squeezed([observed(1, 5)])
    with raw(central, "west") as connection:
        connection.sendall(packed(Records("c" * 32, HERE, Position(3, 128), 0, 0, False, size, data)))
        connection.recv(1000)
    other = central.connected("east")
    assert other.position("c" * 32).position == HERE
    other.close()


def test_a_wrong_token(central: RunningCentral) -> None:
    with pytest.raises(RefusedError, match="token"):
        central.connected(token="x" * len(central.token))


def test_a_certificate_of_another_authority(central: RunningCentral, tmp_path: Path) -> None:
    context = credentials(tmp_path / "others", "east").client()
    context.load_verify_locations(central.certificates / "ca.pem")
    assert_nothing(central, context)


def test_no_certificate(central: RunningCentral) -> None:
    assert_nothing(central, ssl.create_default_context(cafile=central.certificates / "ca.pem"))


def test_an_older_tls(central: RunningCentral) -> None:
    context = credentials(central.certificates, "east").client()
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_2
    assert_nothing(central, context)


def test_no_tls(central: RunningCentral) -> None:
    with socket.create_connection(("127.0.0.1", central.port)) as connection, contextlib.suppress(OSError):
        connection.settimeout(5)
        connection.sendall(packed(Open("0" * 32)) * 10)
        assert connection.recv(100)[:1] in {b"", b"\x15"}  # nothing, or TLS's own alert


def assert_nothing(central: RunningCentral, context: ssl.SSLContext) -> None:
    got = b""
    with contextlib.suppress(OSError):
        plain = socket.create_connection(("127.0.0.1", central.port), timeout=10)
        with context.wrap_socket(plain, server_hostname="localhost") as connection:
            connection.sendall(packed(Hello(1, central.token)))
            got = connection.recv(100)
    assert got == b""


def test_the_central_is_told_from_another(central: RunningCentral, tmp_path: Path) -> None:
    mine = credentials(tmp_path / "others", "east")
    ours = credentials(central.certificates, "east")
    for context, name in ((mine.client(), "localhost"), (ours.client(), "elsewhere")):
        plain = socket.create_connection(("127.0.0.1", central.port), timeout=10)
        with plain, pytest.raises(ssl.SSLCertVerificationError):
            context.wrap_socket(plain, server_hostname=name)
