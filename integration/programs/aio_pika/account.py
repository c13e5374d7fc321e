"""What a program of this folder says that it did, in order, printed as JSON when it ends."""

import base64
import datetime as dt
import decimal
import json
import random
from typing import Any

DONE: list[dict[str, Any]] = []
random.seed(1)  # aiormq draws ids from it: two runs are to be the same


def plain(value: Any) -> Any:
    """A header's value as JSON has it."""
    match value:
        case bytes() | bytearray():
            return "base64:" + base64.b64encode(value).decode()
        case dt.datetime():
            return value.isoformat()
        case decimal.Decimal():
            return str(value)
        case dict():
            return {name: plain(each) for name, each in value.items()}
        case list():
            return [plain(each) for each in value]
    return value


def did(what: str, **facts: Any) -> None:
    """Put one thing on the account."""
    DONE.append({"did": what, **plain(facts)})


def received(queue: Any, message: Any) -> None:
    """Put a message on the account that the program got."""
    did(
        "receive",
        queue=str(queue),
        exchange=message.exchange,
        routing_key=message.routing_key,
        body=message.body,
        message_id=message.message_id,
        correlation_id=message.correlation_id,
        reply_to=message.reply_to,
        content_type=message.content_type,
        content_encoding=message.content_encoding,
        expiration=message.expiration,
        priority=message.priority,
        delivery_mode=int(message.delivery_mode),
        timestamp=None if message.timestamp is None else int(message.timestamp.timestamp()),
        type=message.type,
        app_id=message.app_id,
        user_id=message.user_id,
        headers=message.headers,
        redelivered=message.redelivered,
        delivery_tag=message.delivery_tag,
        consumer_tag=message.consumer_tag,
    )


def tell() -> None:
    """Print the account."""
    print(json.dumps(DONE))
