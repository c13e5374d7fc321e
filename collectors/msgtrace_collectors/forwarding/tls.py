"""TLS between forwarders and the central collector: 1.3 only, each shows the other a certificate of the same authority."""

from __future__ import annotations

import hashlib
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Credentials:
    """Files in PEM.

    Attributes:
        ca: the authority that both ends' certificates must be of.
        certificate: one's own, and what leads from it to the authority.
        key: its private key.
    """

    ca: Path
    certificate: Path
    key: Path

    def server(self) -> ssl.SSLContext:
        """For who listens: a peer without a certificate of the authority's gets nothing.

        Raises:
            OSError: a file can't be used; ssl.SSLError is one.
        """
        return self._filled(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))

    def client(self) -> ssl.SSLContext:
        """For who connects: the server's name is checked.

        Raises:
            OSError: a file can't be used; ssl.SSLError is one.
        """
        return self._filled(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))

    def _filled(self, context: ssl.SSLContext) -> ssl.SSLContext:
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(cafile=self.ca)
        context.load_cert_chain(self.certificate, self.key)
        return context


def identity(certificate: dict[str, Any] | None, der: bytes | None) -> str:
    """Who a checked certificate is of: its common name, its first name, or its digest."""
    for part in (certificate or {}).get("subject", ()):
        for name, value in part:
            if name == "commonName" and value:
                return str(value)
    for _, value in (certificate or {}).get("subjectAltName", ()):
        if value:
            return str(value)
    return hashlib.sha256(der or b"").hexdigest()
