"""Events whose name and arguments hold text that UTF-8 has no form for, as names of files do."""

import sys

from account import Account
from pyee import EventEmitter

account = Account()
emitter = EventEmitter()


@emitter.on("found \udc80")
def found(name: str) -> None:
    account.ran("found", name)


for name in (sys.argv[1], "plain"):
    account.emit(emitter, "found \udc80", name)
account.tell()
