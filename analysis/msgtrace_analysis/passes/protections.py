"""What protects messages in themselves, and bodies that are dangerous to read."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from msgtrace_analysis.findings import Evidence, Hazard, Protection
from msgtrace_analysis.passes.evidence import EVIDENCE, evidence
from msgtrace_analysis.passes.personal import read

if TYPE_CHECKING:
    from collections.abc import Iterator

    from msgtrace_analysis.study import Study

SIGNATURES: Final = r"(?i)^(x[-_])?([a-z0-9]+[-_])*(signature|hmac|sig|jws)([-_]?(sha)?[0-9]+)?$"
"""Names of headers that carry a signature, as RE2 knows them: `X-Hub-Signature-256`, `hmac`."""
ENCRYPTED_TYPES: Final = r"(?i)(jose|pkcs7-mime|pgp-encrypted|octet-stream\+encrypted|cose-encrypt|encrypted)"
"""In content types and encodings of encrypted bodies."""
EVEN_BITS: Final = 7.2
"""Bits of entropy a byte from which 512 bytes or more are as even as what is encrypted; JPEG and the like reach them, too."""
MIN_BYTES: Final = 512
SAMPLES: Final = 10

# One row per channel and header that carries a signature.
SIGNED: Final = f"""
    with named as (
        select t.system, t.place, coalesce(t.channel_kind, '') as channel_kind, t.operation_id, t.observed_ns,
        unnest(json_keys(t.headers)) as header
        from timed as t
        where t.kind = 'send' and t.headers is not null and starts_with(t.headers, '{{')
    ), sent as (
        select system, place, coalesce(channel_kind, '') as channel_kind, count(*) as many
        from timed
        where kind = 'send'
        group by all
    )
    select n.system, n.place, n.channel_kind, n.header, any_value(s.many), {EVIDENCE}
    from named as n
    inner join sent as s using (system, place, channel_kind)
    where regexp_matches(n.header, $1)
    group by n.system, n.place, n.channel_kind, n.header
    order by all
"""

# One row per channel whose bodies say that they are encrypted.
SAID: Final = f"""
    select
        system, place, coalesce(channel_kind, ''), coalesce(content_type, content_encoding), count(*), {EVIDENCE}
    from timed
    where kind = 'send' and (regexp_matches(content_type, $1) or regexp_matches(content_encoding, $1))
    group by all
    order by all
"""

# One row per channel with bodies that no format explains: how many, and the first of them that are long enough.
UNEXPLAINED: Final = """
    select
        system, place, coalesce(channel_kind, ''), count(*) filter (encoding = 'binary'), count(*),
        min(operation_id, $1) filter (encoding = 'binary' and body_size >= $2), min(observed_ns), max(observed_ns)
    from timed
    where kind = 'send' and system is not null
    group by all
    having count(*) filter (encoding = 'binary' and body_size >= $2) > 0
    order by all
"""

# One row per channel and encoding with pickles.
PICKLED: Final = f"""
    select
        system, place, coalesce(channel_kind, ''), encoding, list_sort(list(distinct service) filter (kind = 'send')),
        list_sort(list(distinct service) filter (kind = 'receive')), count(*), {EVIDENCE}
    from timed
    where kind in ('send', 'receive') and contains(encoding, 'pickle')
    group by system, place, channel_kind, encoding
    order by all
"""

# One row per channel with bodies that are JSON objects: the first of them.
OBJECTS: Final = """
    select min(operation_id, 5), system, place, coalesce(channel_kind, ''), count(*), min(observed_ns), max(observed_ns)
    from timed
    where kind = 'send' and is_object
    group by system, place, channel_kind
    order by all
"""


def hazards(study: Study) -> tuple[Hazard, ...]:
    """Find pickles. Needs `timed`."""
    return tuple(
        Hazard(system or "", place, kind, encoding, tuple(senders or ()), tuple(takers or ()), many, evidence(rest))
        for system, place, kind, encoding, senders, takers, many, *rest in study.rows(PICKLED)
    )


def protections(study: Study) -> tuple[Protection, ...]:
    """Find signatures and encrypted bodies. Needs `timed`."""
    return tuple(_protections(study))


def _protections(study: Study) -> Iterator[Protection]:
    for system, place, kind, header, many, *rest in study.rows(SIGNED, [SIGNATURES]):
        proof = evidence(rest, "likely")
        yield Protection(
            "signature", system or "", place, kind, f"header {header}", proof.operations, many, "likely", proof
        )
    for system, place, kind, said, many, *rest in study.rows(SAID, [ENCRYPTED_TYPES]):
        yield Protection(
            "encrypted body", system or "", place, kind, said, many, many, "likely", evidence(rest, "likely")
        )
    for system, place, kind, binary, many, samples, first, last in study.rows(UNEXPLAINED, [SAMPLES, MIN_BYTES]):
        bodies = study.some_bytes(samples or [])
        if bodies and all(is_even(body) for _, body in bodies):
            proof = Evidence(binary, tuple(each for each, _ in bodies[:5]), first, last, "guess")
            yield Protection("encrypted body", system, place, kind, "entropy", binary, many, "guess", proof)
    yield from _sealed(study)


def _sealed(study: Study) -> Iterator[Protection]:
    """Bodies in JSON that hold a ciphertext with what it takes to open it (RFC 7516 has `ciphertext` and `iv`)."""
    for ids, system, place, kind, many, first, last in study.rows(OBJECTS):
        bodies = [read(text) for _, text in study.some_bodies(ids)]
        if bodies and all(_is_sealed(body) for body in bodies):
            proof = Evidence(many, tuple(ids), first, last, "likely")
            yield Protection(
                "encrypted body", system or "", place, kind, "field ciphertext", many, many, "likely", proof
            )


def _is_sealed(body: Any) -> bool:
    names = {name.lower() for name in body} if isinstance(body, dict) else set()
    return "ciphertext" in names and not names.isdisjoint({"iv", "nonce", "tag", "protected", "key_id", "kid"})


def is_even(data: bytes) -> bool:
    """Whether bytes are as even as what is encrypted.

    >>> is_even(bytes(range(256)) * 4), is_even(b"plain text, repeated " * 40)
    (True, False)
    """
    if len(data) < MIN_BYTES:
        return False
    counts = Counter(data)
    return -sum(count / len(data) * math.log2(count / len(data)) for count in counts.values()) >= EVEN_BITS
