"""Who may send spans: whoever can reach this machine alone, or whoever shows the token."""

from __future__ import annotations

import hmac
import ipaddress
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import grpc

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_BEARER: Final = "bearer "


@dataclass(frozen=True, slots=True)
class Admission:
    """What is asked of a sender.

    Attributes:
        token: that it must show; None where only this machine can reach us.
        certificate: ours, in PEM, for TLS; None without.
        key: its private key.
    """

    token: str | None = None
    certificate: Path | None = None
    key: Path | None = None

    def admits(self, authorization: str | None) -> bool:
        """Whether a sender may come in, by its `authorization` header."""
        if self.token is None:
            return True
        shown = authorization or ""
        if not shown.lower().startswith(_BEARER):
            return False
        return hmac.compare_digest(shown[len(_BEARER) :].strip().encode("utf-8", "replace"), self.token.encode())

    def grpc_credentials(self) -> grpc.ServerCredentials | None:
        """For a gRPC server.

        Raises:
            OSError: a file can't be read.
        """
        if self.certificate is None or self.key is None:
            return None
        return grpc.ssl_server_credentials([(self.key.read_bytes(), self.certificate.read_bytes())])

    def context(self) -> ssl.SSLContext | None:
        """For an HTTP server.

        Raises:
            OSError: a file can't be read, or is no such thing.
        """
        if self.certificate is None or self.key is None:
            return None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(self.certificate, self.key)
        return context


class AskingToken(grpc.ServerInterceptor):  # type: ignore[misc]  # grpc has no types
    """Lets in whoever shows the token.

    Args:
        admission: knows it.
    """

    def __init__(self, admission: Admission) -> None:
        self._admission = admission

        def refuse(_request: Any, context: Any) -> None:
            context.abort(grpc.StatusCode.UNAUTHENTICATED, "a token is needed: authorization=Bearer TOKEN")

        self._refusal = grpc.unary_unary_rpc_method_handler(refuse)

    def intercept_service(self, continuation: Callable[[Any], Any], handler_call_details: Any) -> Any:
        """As grpc calls it."""
        shown = dict(handler_call_details.invocation_metadata or ()).get("authorization")
        if self._admission.admits(shown if isinstance(shown, str) else None):
            return continuation(handler_call_details)
        return self._refusal


def is_own_machine(host: str) -> bool:
    """Whether an address is one that only this machine can reach.

    >>> is_own_machine("127.0.0.1"), is_own_machine("::1"), is_own_machine("localhost"), is_own_machine("0.0.0.0")
    (True, True, True, False)
    """
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
