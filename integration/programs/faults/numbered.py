"""Emits numbered events; waits for a line of input after the tenth, and emits as many more as its argument says.

numbered.py COUNT
"""

import sys

from pyee import EventEmitter

heard: list[int] = []
emitter = EventEmitter()
emitter.on("ticked", heard.append)
for number in range(10):
    emitter.emit("ticked", number)
print("ready", flush=True)
sys.stdin.readline()
for number in range(10, 10 + int(sys.argv[1])):
    emitter.emit("ticked", number)
print(len(heard), sum(heard))
