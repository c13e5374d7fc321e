"""Secrets in paths of HTTP requests are replaced, ids and words are not."""

from __future__ import annotations

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from msgtrace.redaction import Options, Redactor
from msgtrace_collectors.paths import REPLACED, without_secrets

REDACTOR = Redactor()
KEY = "Zx9Yw8Vu7Ts6Rq5Po4Nm3Lk2"


@pytest.mark.parametrize(
    ("path", "safe"),
    [
        (f"/services/T01AB/B02CD/{KEY}", f"/services/T01AB/B02CD/{REPLACED}"),
        ("/bot110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw/sendMessage", f"/{REPLACED}/sendMessage"),
        ("/reset-password/a1b2c3", f"/reset-password/{REPLACED}"),
        ("/sessions/0123456789abcdef0123456789abcdef", f"/sessions/{REPLACED}"),
        ("/verify/eyJhbGciOiJI.eyJzdWIiOiIx.c2ln", "/verify/[redacted:jwt]"),
    ],
)
def test_a_key_in_a_path_is_replaced(path: str, safe: str) -> None:
    assert without_secrets(path, REDACTOR) == (safe, 1)


@pytest.mark.parametrize(
    "path",
    [
        "/", "/orders/42/items", f"/orders/{uuid.UUID(int=7)}", "/auth/login", "/session/new", "/tokens/{token_id}", "/v1/tokens/refresh",
        "/objects/507f1f77bcf86cd799439011", "/internationalization/settings", "/reports/2024-05-01/summary.csv",
    ],
)  # fmt: skip
def test_ids_and_words_stay(path: str) -> None:
    assert without_secrets(path, REDACTOR) == (path, 0)


def test_nothing_is_replaced_where_that_is_wished() -> None:
    assert without_secrets(f"/hooks/{KEY}", Redactor(Options(enabled=False))) == (f"/hooks/{KEY}", 0)


@given(st.lists(st.text(max_size=30), max_size=6))
def test_parts_are_replaced_whole_and_doing_it_twice_changes_nothing(parts: list[str]) -> None:
    path = "/" + "/".join([*parts, KEY])
    safe, count = without_secrets(path, REDACTOR)
    assert KEY not in safe
    assert count >= 1
    assert without_secrets(safe, REDACTOR) == (safe, 0)
