"""Secrets don't get through, however they are written; what is no secret stays byte for byte; nothing takes long."""

from __future__ import annotations

import base64
import json
import string
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from msgtrace.redaction import Options, Redactor
from msgtrace.redaction_rules import name_verdict

if TYPE_CHECKING:
    import random

CANARY = "hunter2-Canary"
REDACTOR = Redactor()
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"
PEM = "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA" + "a1B2" * 40 + "\n-----END RSA PRIVATE KEY-----"
CARDS = [
    "4111111111111111",
    "4111 1111 1111 1111",
    "5555-5555-5555-4444",
    "378282246310005",
    "3782 822463 10005",
    "6011000990139424",
]
SECRETS = [
    JWT,
    PEM,
    *CARDS,
    "AKIAIOSFODNN7EXAMPLE",
    "Bearer mF_9.B5f-4.1JqM",
    "amqp://shop:s3cr3t@mq:5672/v",
    "https://u:p%40ss@h/x",
]

NAMES = [
    "password", "Password", "PASSWORD", "user_password", "userPassword", "db-passwd", "new.password", "passphrase", "pwd",
    "secret", "clientSecret", "AWS_SECRET_ACCESS_KEY", "api_key", "apiKey", "X-API-Key", "apikey", "private_key", "accessKey",
    "token", "access_token", "refreshToken", "id_token", "csrfToken", "Authorization", "proxy-authorization", "auth", "cookie",
    "Set-Cookie", "session", "session_id", "sessionid", "credentials", "card_number", "cardNumber", "ccNumber", "cvv", "CVC",
    "pin", "user_pin", "otp", "ssn", "jwt", "connectionString", "contraseña", "senha",
]  # fmt: skip
HARMLESS = [
    "passenger", "bypass", "compass", "author", "authority", "secretary", "tokenize", "token_count", "token_type",
    "password_changed_at", "sessions_count", "keyboard", "monkey", "key", "shipping", "company", "pinned", "discard", "cardinal",
    "description", "japan", "boarding_pass", "opinion", "cookbook",
]  # fmt: skip


def gone(body: str | bytes, secret: str = CANARY, redactor: Redactor = REDACTOR) -> bytes:
    """Redact a body and see that the secret is gone and counted."""
    data = body.encode() if isinstance(body, str) else body
    safe, count = redactor.body(data)
    assert secret.encode() not in safe
    assert count >= 1
    assert b"[redacted:" in safe
    return safe


# ---- names ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_telling_names_in_every_kind_of_text(name: str) -> None:
    pairs = {"a": 1, name: CANARY, "z": [1.50, None]}
    safe = json.loads(gone(json.dumps(pairs)))
    assert safe == {"a": 1, name: safe[name], "z": [1.5, None]}
    gone(json.dumps(pairs, indent=2))
    gone(json.dumps({"x": [{"y": pairs}]}))
    gone(json.dumps({"payload": json.dumps(pairs)}))
    gone(json.dumps({"payload": json.dumps({"more": json.dumps(pairs)})}))
    gone(repr(pairs))
    gone(json.dumps(pairs)[: json.dumps(pairs).index(CANARY) + len(CANARY)])
    gone(urlencode({"a": 1, name: CANARY, "z": 2}))
    gone(f"2026-10-18 12:00:00 INFO login {name}={CANARY} ok")
    gone(f"user: ada\n{name}: {CANARY}\n")
    if name.isascii() and "." not in name:
        gone(f"<r><a>1</a><{name}>{CANARY}</{name}></r>")
    gone(f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{CANARY}\r\n--x--')


@pytest.mark.parametrize("name", HARMLESS)
def test_harmless_names_stay(name: str) -> None:
    data = json.dumps({name: "value-17", "n": 5}).encode()
    assert REDACTOR.body(data) == (data, 0)
    assert not name_verdict(name).label


def test_a_number_is_a_secret_under_some_names_only() -> None:
    safe, count = REDACTOR.body(
        b'{"cvv":123,"pin":4711,"tokens":17,"session":{"clicks":3},"password":true,"secret":null}'
    )
    assert count == 2
    assert json.loads(safe) == {
        "cvv": "[redacted:cvv]", "pin": "[redacted:pin]", "tokens": 17, "session": {"clicks": 3}, "password": True, "secret": None,
    }  # fmt: skip


def test_everything_inside_a_secret_object_goes_and_its_structure_stays() -> None:
    safe, _ = REDACTOR.body(b'{"credentials":{"user":"ada","more":[1,{"x":"y"}],"ok":true},"after":"kept"}')
    label = "[redacted:credential]"
    assert json.loads(safe) == {
        "credentials": {"user": label, "more": [label, {"x": label}], "ok": True},
        "after": "kept",
    }


@pytest.mark.parametrize(
    "body",
    [
        '{"\\u0070assword":"%s"}', '{"pass\\u0077ord":"%s"}', '{"password":"%s","password":"%s"}', '{"a":{"token":"%s"},"a":1}',
        '{"password" : "%s"}', '{"password"\n:\t"%s"}', '{"password":["%s",["%s"]]}', '{"p":"{\\"password\\":\\"%s\\"}"}',
        '{"p":"\\u007b\\u0022password\\u0022:\\u0022%s\\u0022}"}', "{'password': '%s'}", "{password: '%s'}", '[{"token":"%s"}',
        '{"log":"login with password=%s failed"}', '{"log":"x: token=%s"}', '{"a":1}\n{"password":"%s"}\n', '\ufeff{"password":"%s"}',
        "pass%%77ord=%s&x=1", "a=1;password=%s;b=2", "Authorization: Basic %s", "Cookie: a=%s; b=1", 'curl -H "X-Api-Key: %s"',
        "--password=%s", "token => '%s'", '<input name="x" password="%s"/>', "<ns:password type='a'>%s</ns:password>",
        'note: password: "%s"', "if password == '%s'", "password==%s", "password === %s", "a=b&password==%s",
    ],
)  # fmt: skip
def test_as_an_attacker_would_write_it(body: str) -> None:
    gone(body.replace("%s", CANARY).replace("%%", "%"))


def test_json_deeper_than_we_follow_is_not_let_through() -> None:
    body = json.dumps({"password": CANARY})
    for _ in range(12):
        body = json.dumps({"p": body})
    gone(body)


def test_a_body_that_is_no_utf8_keeps_its_bytes() -> None:
    safe = gone(b'\xff\xfe{"n": "\xe9"} password=' + CANARY.encode() + b" \x80tail")
    assert safe.startswith(b'\xff\xfe{"n": "\xe9"} password=')
    assert safe.endswith(b" \x80tail")


# ---- patterns ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("secret", SECRETS)
def test_patterns_wherever_they_stand(secret: str) -> None:
    telling = (
        secret.rsplit("://", maxsplit=1)[-1].split(":")[1].split("@", maxsplit=1)[0]
        if "://" in secret
        else secret.removeprefix("Bearer ")
    )
    for body in (
        secret, f"see {secret} there", json.dumps({"note": secret}), json.dumps({"note": f"see {secret} there"}),
        json.dumps([[secret]]), json.dumps({secret: 1}), json.dumps({"p": json.dumps({"q": secret})}),
    ):  # fmt: skip
        gone(body, telling if telling in body else json.dumps(telling)[1:-1])
    escaped = "".join(f"\\u{ord(c):04x}" for c in secret)
    assert REDACTOR.body(f'{{"note":"{escaped}"}}'.encode())[1] >= 1
    assert REDACTOR.body(json.dumps({"u": secret}).replace("/", "\\/").encode())[1] >= 1


def test_card_numbers_as_json_numbers_and_in_lists() -> None:
    gone(b'{"n":4111111111111111}', "4111111111111111")
    safe = gone("4111 1111 1111 1111 5555 5555 5555 4444", "1111 1111")
    assert safe.count(b"[redacted:card]") == 2


@pytest.mark.parametrize(
    "text",
    [
        "1700000000000", "1700000000000000000", "4111111111111112", "0.4111111111111111", "41111111111111111111111",
        "550e8400-e29b-41d4-4716-446655440000", "2026-10-18 2026-10-19", "+49 4111 1111 11", "abc4111111111111111",
        "a3f4111111111111111b", "https://example.com:8080/a@b", "mail ada@example.com", "10.2.3.4:5672",
        "UgmxjmdT+GX2mGq7bUM6TyeqG2sqhYPLAlZP5EhVPVNevIJGGyHCvv8wsQ==", "password =",
    ],
)  # fmt: skip
def test_what_only_looks_like_a_secret_stays(text: str) -> None:
    for body in (text, json.dumps({"t": text}), json.dumps([text, text])):
        assert REDACTOR.body(body.encode()) == (body.encode(), 0)


def test_an_aws_secret_key_beside_its_id() -> None:
    key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
    gone(f"AKIAIOSFODNN7EXAMPLE {key}", key)
    sha1 = "2fd4e1c67a2d28fced849ee1bb76e7391b93eb12"
    assert sha1.encode() in REDACTOR.body(f"aws build AKIAIOSFODNN7EXAMPLE {sha1}".encode())[0]


def test_a_private_key_that_is_cut_off() -> None:
    gone(PEM[:80], "MIIEpAIBAAK")
    gone(json.dumps({"k": PEM})[:90], "MIIEpAIBAAK")


# ---- trees, headers, command lines ------------------------------------------------------------------------------------


def test_a_tree_is_redacted_without_being_changed() -> None:
    tree = {
        "a": [1, {"Password": CANARY, "n": 2.5}],
        "url": "amqp://u:pw@h",
        "raw": b"token=abcdef",
        "card": 4111111111111111,
        5: "x",
    }
    before = repr(tree)
    safe, count = REDACTOR.tree(tree)
    assert repr(tree) == before
    assert count == 4
    assert safe == {
        "a": [1, {"Password": "[redacted:password]", "n": 2.5}], "url": "amqp://u:[redacted:password]@h",
        "raw": b"token=[redacted:token]", "card": "[redacted:card]", 5: "x",
    }  # fmt: skip
    clean = {"a": [1, 2], "b": "text"}
    assert REDACTOR.tree(clean)[0] is clean


def test_a_tree_deeper_than_any_reader_follows() -> None:
    tree: Any = CANARY
    for _ in range(500):
        tree = [tree]
    safe, count = REDACTOR.tree(tree)
    assert CANARY not in repr(safe)
    assert count == 1


@pytest.mark.parametrize(
    ("name", "value"), [("Authorization", "Basic abc"), ("x-api-key", b"abcdef"), ("X-Token", "t")]
)
def test_headers(name: str, value: Any) -> None:
    safe, count = REDACTOR.named(name, value)
    assert count == 1
    assert type(safe) is type(value)
    assert safe != value


def test_command_lines() -> None:
    safe, count = REDACTOR.arguments(
        ["app", "--password", CANARY, "--user=ada", f"--token={CANARY}", f"amqp://u:{CANARY}@h", "--token", "--verbose"]
    )
    assert CANARY not in " ".join(safe)
    assert count == 3
    assert safe[3] == "--user=ada"
    assert safe[-2:] == ["--token", "--verbose"]


# ---- options ----------------------------------------------------------------------------------------------------------


def test_options() -> None:
    redactor = Redactor(Options.parse(r"name:customer_email name:oauth2-id keep:session pattern:INV-\d{6}"))
    gone('{"customerEmail":"ada@example.com"}', "ada@", redactor)
    gone('{"CUSTOMER-EMAIL":"ada@example.com"}', "ada@", redactor)
    gone('{"oauth2Id":"abc"}', '"abc"', redactor)
    gone('{"note":"see INV-123456"}', "INV-123456", redactor)
    data = b'{"session":"abc"}'
    assert redactor.body(data) == (data, 0)
    off = Redactor(Options.parse("off"))
    assert off.body(b'{"password":"x"}')[1] == off.named("password", "x")[1] == off.text("password=abc")[1] == 0
    assert Options.parse("") == Options()


@pytest.mark.parametrize("text", ["password", "name:", "pattern:(", "hide:x"])
def test_options_that_make_no_sense_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="MSGTRACE_REDACT"):
        Options.parse(text)


# ---- properties -------------------------------------------------------------------------------------------------------

SCALARS = st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.floats(allow_nan=False) | st.text(max_size=20)
TREES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4)
)


def planted(tree: Any, name: str, secret: str, chance: random.Random) -> Any:
    """The tree with a secret somewhere in it."""
    if isinstance(tree, dict) and tree and chance.random() < 0.7:
        key = chance.choice(sorted(tree))
        return {**tree, key: planted(tree[key], name, secret, chance)}
    if isinstance(tree, list) and tree and chance.random() < 0.7:
        place = chance.randrange(len(tree))
        return [*tree[:place], planted(tree[place], name, secret, chance), *tree[place + 1 :]]
    return {name: secret, "other": tree}


@settings(max_examples=200, deadline=None)
@given(TREES, st.sampled_from(NAMES), st.randoms(use_true_random=False), st.booleans(), st.sampled_from([None, 1]))
def test_a_secret_anywhere_in_any_document(
    tree: Any, name: str, chance: random.Random, ascii_only: bool, indent: int | None
) -> None:
    document = planted(tree, name, CANARY, chance)
    safe = gone(json.dumps(document, ensure_ascii=ascii_only, indent=indent))
    json.loads(safe)
    assert CANARY not in repr(REDACTOR.tree(document)[0])


@settings(max_examples=200, deadline=None)
@given(
    TREES,
    st.sampled_from([*NAMES, "plain"]),
    st.sampled_from([CANARY, *SECRETS, "harmless"]),
    st.randoms(use_true_random=False),
)
def test_no_quick_look_lets_pass_what_the_long_way_finds(
    tree: Any, name: str, secret: str, chance: random.Random
) -> None:
    body = json.dumps(planted(tree, name, secret, chance), ensure_ascii=chance.random() < 0.5).encode()
    if chance.random() < 0.3:
        body = body[: chance.randrange(len(body)) + 1]
    found: list[str] = []
    REDACTOR._any(body.decode("utf-8", "surrogateescape"), found, 0)
    if found:
        assert REDACTOR._suspicious(body)
        assert pc.match_substring_regex(pa.array([body], pa.binary()), REDACTOR.suspect_expression).to_pylist() == [
            True
        ]


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
def test_anything_can_be_redacted_and_once_is_enough(data: bytes) -> None:
    safe, count = REDACTOR.body(data)
    assert (safe is data) == (count == 0)
    assert REDACTOR.body(safe)[0] == safe


@settings(max_examples=200, deadline=None)
@given(TREES.filter(lambda tree: not isinstance(tree, str)))
def test_what_is_clean_stays_byte_for_byte(tree: Any) -> None:
    data = json.dumps({"order": tree}).encode()
    safe, count = REDACTOR.body(data)
    if not count:
        assert safe is data
    else:
        assert b"[redacted:" in safe


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "unit",
    [
        "eyJ", "eyJa.", "a", "1", "1 ", "4111 ", "://a:", "a@", "password=", 'password="', "password='", "{", '{"a":', '"', "\\",
        '\\"', "-----BEGIN PRIVATE KEY-----", "bearer ", "<password>", "<password ", 'name="password"\n', "aws ", "token: ", "AKIA",
        "[", "%70", "\\u0070", "password ", "cookie:", "'", ", ",
    ],
)  # fmt: skip
def test_64_kib_of_anything_takes_no_time(unit: str) -> None:
    """Quadratic work on such a body would take minutes: the limit above is the test."""
    for body in (
        unit * (65_536 // len(unit)),
        "password " + unit * (65_536 // len(unit)),
        json.dumps({"token x": unit * 20_000}),
    ):
        REDACTOR.body(body.encode())


def test_an_encoded_secret_is_not_seen() -> None:
    """A limit, and documented as one: what is encoded or encrypted again is opaque."""
    data = base64.b64encode(json.dumps({"password": CANARY}).encode())
    assert REDACTOR.body(data) == (data, 0)
    assert quote(CANARY) == CANARY
    assert set(CANARY) <= set(string.ascii_letters + string.digits + "-")


def test_names_and_ids_by_pattern_alone() -> None:
    redactor = Redactor()
    for clean in ("session:7", "auth:login", "token.created", "4532015112830367", "orders"):
        assert redactor.identifier(clean) == (clean, 0)
    assert redactor.identifier("user.4532015112830366") == ("user.[redacted:card]", 1)
    assert redactor.identifier("4532015112830366", cards=False) == ("4532015112830366", 0)
    assert redactor.identifier("inbox.eyJhbGciOiJIUzI1NiJ9.eyJzdWIi.c2ln") == ("inbox.[redacted:jwt]", 1)
    assert Redactor(Options(enabled=False)).identifier("AKIA0123456789ABCDEF") == ("AKIA0123456789ABCDEF", 0)


def test_personal_data_when_asked_for() -> None:
    redactor = Redactor(Options.parse("personal"))
    assert redactor.body(b'{"to": "ada@example.org", "firstName": "Ada", "n": 1}') == (
        b'{"to": "[redacted:pattern]", "firstName": "[redacted:firstname]", "n": 1}', 2,
    )  # fmt: skip
    assert redactor.text("call +49 170 1234567")[1] == 1
    assert redactor.identifier("user.ada@example.org.inbox")[1] == 1
