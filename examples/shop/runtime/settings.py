"""The shop's settings, read from environment variables. Nothing else reads them."""

import os
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the brokers are, and what this installation's channels are called."""

    rabbitmq: str | None
    """AMQP address, or None when payments are collected inside the web service."""
    kafka: str | None
    """Bootstrap servers as host:port, separated by commas, or None when nobody bills and ships."""
    redis: str | None
    """Redis address, or None when prices and activity are not announced."""
    prefix: str
    """Stands before every queue, topic, stream and channel name, so that shops can share brokers."""
    notifier: str
    """WebSocket address of the notifier."""
    storefront: str
    """HTTP address of the web service."""

    def name(self, channel: str) -> str:
        """Return the name that `channel` has on the brokers of this installation."""
        return f"{self.prefix}{channel}"


def from_environment(environ: Mapping[str, str] = os.environ) -> Settings:
    """Read the settings: `BROKERS=1` means all three brokers, at their usual local addresses."""
    local = environ.get("BROKERS") == "1"
    return Settings(
        rabbitmq=environ.get("SHOP_RABBITMQ") or ("amqp://guest:guest@127.0.0.1:5672/" if local else None),
        kafka=environ.get("SHOP_KAFKA") or ("127.0.0.1:9092" if local else None),
        redis=environ.get("SHOP_REDIS") or ("redis://127.0.0.1:6379/0" if local else None),
        prefix=environ.get("SHOP_PREFIX", ""),
        notifier=environ.get("SHOP_NOTIFIER", ""),
        storefront=environ.get("SHOP_STOREFRONT", ""),
    )
