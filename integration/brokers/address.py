"""Where a broker is: three addresses, read from and written to the environment. Opens no connection."""

from dataclasses import dataclass, replace
from typing import Protocol, Self
from urllib.parse import urlsplit


class Address(Protocol):
    """What the three addresses have in common."""

    @property
    def url(self) -> str: ...
    @property
    def host(self) -> str: ...
    @property
    def port(self) -> int: ...

    def exports(self) -> dict[str, str]:
        """Environment variables from which `from_environment` reads this address back."""
        ...


def _host_and_port(url: str, default_port: int) -> tuple[str, int]:
    parts = urlsplit(url)
    if not parts.hostname:
        raise ValueError(f"{url!r} names no host")
    return parts.hostname, parts.port or default_port


@dataclass(frozen=True, slots=True)
class Rabbitmq:
    """A RabbitMQ with its management plugin.

    Attributes:
        url: `amqp://user:password@host:port/`, the default virtual host.
        host: Name or address of the AMQP listener.
        port: TCP port of the AMQP listener.
        management_url: `http://user:password@host:port`, without a path.
    """

    url: str
    host: str
    port: int
    management_url: str

    @classmethod
    def at(cls, url: str, management_url: str = "") -> Self:
        """Reads an AMQP url; a management API that isn't named is taken to be on port 15672 of that host."""
        host, port = _host_and_port(url, 5672)
        if not management_url:
            user_info, separator, _ = urlsplit(url).netloc.rpartition("@")
            management_url = f"http://{user_info if separator else 'guest:guest'}@{host}:15672"
        return cls(url=url, host=host, port=port, management_url=management_url)

    def exports(self) -> dict[str, str]:
        return {
            "MSGTRACE_TEST_RABBITMQ": self.url,
            "MSGTRACE_TEST_RABBITMQ_MANAGEMENT": self.management_url,
        }


@dataclass(frozen=True, slots=True)
class Redis:
    """A Redis.

    Attributes:
        url: `redis://host:port/0`.
        host: Name or address it listens on.
        port: TCP port.
    """

    url: str
    host: str
    port: int

    @classmethod
    def at(cls, url: str) -> Self:
        host, port = _host_and_port(url, 6379)
        return cls(url=url, host=host, port=port)

    def exports(self) -> dict[str, str]:
        return {"MSGTRACE_TEST_REDIS": self.url}


@dataclass(frozen=True, slots=True)
class Kafka:
    """An Apache Kafka of one node.

    Attributes:
        url: `kafka://host:port`.
        host: Name or address of the bootstrap listener.
        port: TCP port of the bootstrap listener.
        bootstrap: `host:port`, as clients want it in `bootstrap_servers`.
        proxied_port: A second listener, which sends its clients to `proxy_port` of 127.0.0.1; 0 for none.
            Clients follow the address that a broker advertises: a proxy before the first is soon left behind.
        proxy_port: Where a proxy in front of `proxied_port` has to listen.
    """

    url: str
    host: str
    port: int
    bootstrap: str
    proxied_port: int = 0
    proxy_port: int = 0

    @classmethod
    def at(cls, bootstrap: str, proxied: str = "") -> Self:
        """Reads `host:port` (the first of a list, `kafka://` or not) and `PROXIED_PORT:PROXY_PORT`."""
        first = bootstrap.removeprefix("kafka://").split(",")[0].strip()
        host, port = _host_and_port(f"kafka://{first}", 9092)
        proxied_port, _, proxy_port = proxied.partition(":")
        address = cls(url=f"kafka://{host}:{port}", host=host, port=port, bootstrap=f"{host}:{port}")
        return replace(address, proxied_port=int(proxied_port or 0), proxy_port=int(proxy_port or 0))

    def exports(self) -> dict[str, str]:
        proxied = f"{self.proxied_port}:{self.proxy_port}" if self.proxied_port else ""
        return {"MSGTRACE_TEST_KAFKA": self.bootstrap, "MSGTRACE_TEST_KAFKA_PROXIED": proxied}


ADDRESS_TYPES: dict[str, type[Rabbitmq | Redis | Kafka]] = {
    "rabbitmq": Rabbitmq,
    "redis": Redis,
    "kafka": Kafka,
}
NAMES = tuple(ADDRESS_TYPES)


def from_environment(name: str, environment: dict[str, str]) -> Address | None:
    """Reads the address of broker `name` from MSGTRACE_TEST_*, or None when the variable is absent or empty.

    Raises:
        ValueError: The variable is there and names no host, or no port where there should be one.
    """
    variable = f"MSGTRACE_TEST_{name.upper()}"
    value = environment.get(variable, "")
    if not value:
        return None
    try:
        if name == "rabbitmq":
            return Rabbitmq.at(value, environment.get("MSGTRACE_TEST_RABBITMQ_MANAGEMENT", ""))
        if name == "redis":
            return Redis.at(value)
        return Kafka.at(value, environment.get("MSGTRACE_TEST_KAFKA_PROXIED", ""))
    except ValueError as error:
        raise ValueError(f"{variable} is no address: {error}") from error
