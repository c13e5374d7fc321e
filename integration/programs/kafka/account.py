"""What a program of this folder says that it did, in order, printed as JSON when it ends."""

import base64
import json
from typing import Any

DONE: list[dict[str, Any]] = []


def plain(value: Any) -> Any:
    """A value as JSON has it."""
    if isinstance(value, bytes | bytearray | memoryview):
        return "base64:" + base64.b64encode(value).decode()
    if isinstance(value, dict):
        return {name: plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    return value


def did(what: str, **facts: Any) -> None:
    """Put one thing on the account."""
    DONE.append({"did": what, **plain(facts)})


def received(record: Any, key: bytes | None, value: bytes | None) -> None:
    """Put a record on the account that the program got.

    Args:
        record: the `ConsumerRecord`.
        key: the bytes that its key was made of.
        value: the bytes that its value was made of.
    """
    did(
        "receive",
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        key=key,
        value=value,
        headers=record.headers,
        timestamp=record.timestamp,
        timestamp_type=record.timestamp_type,
    )


def tell() -> None:
    """Print the account."""
    print(json.dumps(DONE))
