"""Real brokers for the tests: found where they are, else started, and stopped without a trace.

`python -m integration.brokers up|down|status|install` by hand; the fixtures are in integration/conftest.py.
docs/brokers.md says how brokers are found and how to add one.
"""

from integration.brokers.address import Address, Kafka, Rabbitmq, Redis

__all__ = ["Address", "Kafka", "Rabbitmq", "Redis"]
