"""What is told of a request, whatever its address and its exception are: never a query, user info, or a text."""

from __future__ import annotations

import urllib.error
from http import HTTPMethod
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from msgtrace import http_call, interning

if TYPE_CHECKING:
    from collections.abc import Iterator

PATHS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="?#\x00"), max_size=60)


@pytest.fixture(autouse=True, scope="module")
def _no_recorder() -> Iterator[None]:
    """Servers are told by name then, and not by a number of the recorder that another test began."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(interning, "_recorder", None)
        yield


@given(PATHS, st.text(max_size=20), st.sampled_from("?#"))
def test_a_path_is_told_decoded_and_without_what_follows_it(path: str, secret: str, mark: str) -> None:
    message = http_call.called("get", "http", "shop", None, f"/{quote(path)}{mark}{secret}")
    assert message == {
        "channel": f"/{path}"[: http_call.LONGEST_PATH],
        "channel_kind": "route",
        "routing_key": "GET",
    } | {
        "settings": {"server": "shop:80"}  # there is no recorder to number it
    }


@given(st.sampled_from(["http", "https"]), st.integers(1, 65535), PATHS.map(quote))
def test_a_whole_address_is_told_without_user_info(scheme: str, port: int, path: str) -> None:
    message: Any = http_call.called_at(HTTPMethod.PUT, f"{scheme}://ann:hid/den@shop.example:{port}/{path}?q=hidden")
    # A slash ends the host, whatever was meant by it: then there is no host, but no secret either.
    assert "hid" not in str(message).replace(path, "") or message["settings"]["server"].startswith("ann")
    plain: Any = http_call.called_at(HTTPMethod.PUT, f"{scheme}://ann:hidden@shop.example:{port}/{path}?q=hidden")
    assert plain["settings"] == {"server": f"shop.example:{port}"}
    assert type(plain["routing_key"]) is str
    assert "hidden" not in str(plain)


def test_hosts_and_ports() -> None:
    assert http_call.host_and_port("[::1]:8080") == ("::1", 8080)
    assert http_call.host_and_port("[fe80::1]") == ("fe80::1", None)
    assert http_call.host_and_port("a:b@shop:81") == ("shop", 81)
    assert http_call.host_and_port("shop:") == ("shop", None)


def test_what_is_no_request_is_not_told() -> None:
    assert http_call.called(b"GET", "http", "shop", 80, "/") is None
    assert http_call.called("GET", "http", None, 80, "/") is None
    assert http_call.answered("200") is None


class Loud(Exception):  # noqa: N818 - no error of ours
    def __str__(self) -> str:
        raise AssertionError("nothing of the program's is called")

    __repr__ = __str__


def test_an_exception_is_told_by_types_and_the_system_s_words() -> None:
    refused = ConnectionRefusedError(111, "Connection refused")
    assert http_call.told(urllib.error.URLError(refused)) == {
        "error": ("urllib.error.URLError", "ConnectionRefusedError: Connection refused")
    }
    loud = Loud("http://shop/?token=hidden")
    loud.__cause__ = TimeoutError("hidden")
    assert http_call.told(loud) == {"error": (f"{__name__}.Loud", "TimeoutError")}
    assert http_call.told(urllib.error.URLError("no host given: hidden")) == {"error": ("urllib.error.URLError", "")}


def test_exceptions_that_go_round_end() -> None:
    first, second = ValueError(), KeyError()
    first.__cause__, second.__cause__ = second, first
    assert http_call.told(first).get("error", ("",))[0] == "ValueError"
