"""The twisted emitter: listeners that return at once, of which one fails."""

from importlib import import_module

from account import Account

TwistedEventEmitter = import_module("pyee.twisted").TwistedEventEmitter  # typed only where twisted is installed
account = Account()
emitter = TwistedEventEmitter()


@emitter.on("order")
def charge(number: int) -> None:
    account.ran("charge", number)


@emitter.on("fails")
def failing() -> None:
    raise LookupError("failed at once")


@emitter.on("error")
def on_error(error: Exception) -> None:
    account.ran("on_error", str(error))


account.emit(emitter, "order", 1)
account.emit(emitter, "fails")
account.tell()
