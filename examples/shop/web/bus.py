"""The web service's event bus, and what happens to an exception that a handler lets go."""

from pyee.asyncio import AsyncIOEventEmitter

from shop.runtime import ledger

bus = AsyncIOEventEmitter()
failures: list[str] = []


def note_failure(error: Exception) -> None:
    """Remember a handler's failure: the other handlers of the event are not affected by it."""
    ledger.received("pyee", "error")
    failures.append(f"{type(error).__name__}: {error}")


async def settle() -> None:
    """Wait until every handler has ended, and every handler of the events that these emitted."""
    while not bus.complete:
        await bus.wait_for_complete()


bus.add_listener("error", note_failure)
