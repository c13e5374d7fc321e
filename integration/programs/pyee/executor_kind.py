"""The executor emitter: listeners in threads, one that fails; executors of the program's own."""

from concurrent.futures import ThreadPoolExecutor

from account import Account
from pyee.executor import ExecutorEventEmitter

account = Account()
with ThreadPoolExecutor(1) as executor, ExecutorEventEmitter(executor) as emitter:

    @emitter.on("order")
    def slow(number: int) -> None:
        account.ran("slow", number)
        account.emit(emitter, "shipped", number)

    @emitter.on("shipped")
    def shipped(number: int) -> None:
        account.ran("shipped", number)

    @emitter.on("fails")
    def failing() -> None:
        raise LookupError("failed in a thread")

    @emitter.on("error")
    def on_error(error: Exception) -> None:
        account.ran("on_error", str(error))

    for event in (1, 2):
        account.emit(emitter, "order", event)
        executor.submit(int).result(10)
        executor.submit(int).result(10)
    account.emit(emitter, "fails")
    executor.submit(int).result(10)
    executor.submit(int).result(10)
    # Not the emitter's business, although it goes through the same door.
    account.notes["own"] = executor.submit(sum, [1, 2]).result(10)
account.tell()
