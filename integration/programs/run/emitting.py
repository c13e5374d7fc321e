"""Emits two events on a bus and says so; exits with what it is told."""

import sys

from pyee.base import EventEmitter

bus = EventEmitter()


@bus.on("greeting")
def greet(name: str) -> None:
    print("hello", name)


def main() -> None:
    bus.emit("greeting", "world")
    bus.emit("greeting", sys.argv[1] if len(sys.argv) > 1 else "nobody")
    sys.exit(int(sys.argv[2]) if len(sys.argv) > 2 else 0)


if __name__ == "__main__":
    main()
