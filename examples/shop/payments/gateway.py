"""The card company, as far as the shop can see it. The card's token decides what happens."""

import asyncio
from uuid import uuid4

MAX_ATTEMPTS = 3


class CardDeclinedError(Exception):
    """The bank said no: asking again will not help."""


class GatewayTimeoutError(Exception):
    """The card company did not answer in time: worth another attempt."""


async def charge(card_token: str, amount_cents: int, attempt: int) -> str:
    """Charge a card and return the transaction's id; `attempt` counts from 1.

    Raises:
        CardDeclinedError: the bank declined.
        GatewayTimeoutError: no answer.
    """
    await asyncio.sleep(0.003)  # the card company's answer
    if card_token.startswith("tok_declined"):
        raise CardDeclinedError(f"card declined for {amount_cents} cents")
    if card_token.startswith("tok_down") or (card_token.startswith("tok_slow") and attempt == 1):
        raise GatewayTimeoutError(f"no answer to attempt {attempt}")
    return f"tx-{uuid4()}"
