"""The address of a broker as the user gives it, and the password apart from what is stored or shown. Pure.

`amqp://`, `amqps://`, `http://`, `https://` (RabbitMQ's management API), `kafka://` (several addresses with commas),
`redis://`, `rediss://`. Options stand behind `?`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, unquote, urlsplit

from msgtrace_collectors.inspection.found import InspectionError

if TYPE_CHECKING:
    from collections.abc import Mapping

USER: Final = "MSGTRACE_INSPECT_USER"
PASSWORD: Final = "MSGTRACE_INSPECT_PASSWORD"  # noqa: S105 - the name of a variable
SYSTEMS: Final = {
    "amqp": ("rabbitmq", 15672), "amqps": ("rabbitmq", 15671), "http": ("rabbitmq", 15672),
    "https": ("rabbitmq", 15671), "kafka": ("kafka", 9092), "redis": ("redis", 6379), "rediss": ("redis", 6379),
}  # fmt: skip
_ENCRYPTED: Final = frozenset({"amqps", "https", "rediss"})


@dataclass(frozen=True, slots=True)
class Target:
    """A broker.

    Attributes:
        hosts: name and port; one but for Kafka.
        path: of the URL; for RabbitMQ what stands before `/api`.
    """

    system: str
    hosts: tuple[tuple[str, int], ...]
    tls: bool
    path: str
    options: Mapping[str, str]
    user: str | None = None
    password: str | None = field(default=None, repr=False)

    @property
    def authority(self) -> str:
        """Hosts and ports as a URL has them, without user and password."""
        return ",".join(f"[{host}]:{port}" if ":" in host else f"{host}:{port}" for host, port in self.hosts)

    @property
    def server(self) -> str:
        """The same, as it is stored."""
        return self.authority


def target_of(url: str, environment: Mapping[str, str]) -> Target:
    """Read a URL.

    Args:
        url: see above.
        environment: has user and password, where the URL has none.

    Raises:
        InspectionError: it is none of ours. The URL is not repeated: it may hold a password.
    """
    scheme, _, rest = url.partition("://")
    if not rest or scheme not in SYSTEMS:
        raise InspectionError(f"an address begins with one of {', '.join(f'{each}://' for each in SYSTEMS)}")
    system, port = SYSTEMS[scheme]
    try:
        parts = urlsplit(url)
        user_info, _, addresses = parts.netloc.rpartition("@")
        user, colon, password = user_info.partition(":")
        hosts = tuple(_host(each, port, amqp=scheme.startswith("amqp")) for each in addresses.split(","))
        options = dict(parse_qsl(parts.query, strict_parsing=bool(parts.query)))
    except ValueError:
        raise InspectionError(f"{scheme}://...: this is no address") from None
    if len(hosts) > 1 and system != "kafka":
        raise InspectionError(f"{scheme}://...: one address at a time; give several URLs")
    return Target(
        system=system,
        hosts=hosts,
        tls=scheme in _ENCRYPTED,
        path="" if scheme.startswith("amqp") else parts.path,
        options=options,
        user=unquote(user) if user else environment.get(USER) or None,
        password=unquote(password) if colon else environment.get(PASSWORD) or None,
    )


def _host(text: str, default: int, *, amqp: bool) -> tuple[str, int]:
    parts = urlsplit(f"//{text}")
    if not parts.hostname:
        raise ValueError(text)
    # The port of AMQP says nothing about that of the management API.
    return parts.hostname, default if amqp else parts.port or default
