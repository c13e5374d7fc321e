"""Three machines out of network namespaces: a central one that is the switch of the others, with delay and loss on each link.

Needs root and Linux's namespaces; `available` says whether they can be had. Each machine has a host name of its own. A link is two
TAP devices and a thread that carries frames between them, late, and not all of them: netem is not in every kernel.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import random
import select
import struct
import subprocess
import sys
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

DELAY_S = 0.02
LOSS = 0.02
_TUNSETIFF = 0x400454CA
_TAP_WITHOUT_HEADER = 0x1002


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True, text=True)


def _tap(name: str) -> int:
    file = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    fcntl.ioctl(file, _TUNSETIFF, struct.pack("16sH", name.encode(), _TAP_WITHOUT_HEADER))
    return file


@cache
def available() -> bool:
    """Whether namespaces and their links can be made here."""
    if os.geteuid() != 0:
        return False
    try:
        with hosts("probe"):
            return True
    except (OSError, subprocess.CalledProcessError):
        return False


@dataclass(slots=True)
class Link:
    """Carries frames between two TAP devices.

    Attributes:
        ends: their descriptors.
        cut: nothing comes through.
    """

    ends: tuple[int, int]
    cut: bool = False
    _over: bool = False
    _late: deque[tuple[float, int, bytes]] = field(default_factory=deque)
    _chance: random.Random = field(default_factory=lambda: random.Random(7))
    _thread: threading.Thread = field(init=False)

    def __post_init__(self) -> None:
        self._thread = threading.Thread(target=self._carry, daemon=True)
        self._thread.start()

    def _carry(self) -> None:
        here, there = self.ends
        while not self._over:
            wait_s = max(0.0, self._late[0][0] - time.monotonic()) if self._late else 0.1
            for file in select.select(self.ends, [], [], wait_s)[0]:
                with contextlib.suppress(OSError):
                    frame = os.read(file, 1 << 16)
                    if not self.cut and self._chance.random() >= LOSS:
                        self._late.append((time.monotonic() + DELAY_S, there if file == here else here, frame))
            while self._late and self._late[0][0] <= time.monotonic():
                _, file, frame = self._late.popleft()
                with contextlib.suppress(OSError):
                    os.write(file, frame)

    def close(self) -> None:
        """Stop, and let the devices go."""
        self._over = True
        self._thread.join()
        for file in self.ends:
            os.close(file)


@dataclass(frozen=True, slots=True)
class Host:
    """One machine.

    Attributes:
        name: its host name.
        namespace: as `ip netns` calls it.
        address: in the network of the three.
        link: to the central; None of the central itself.
    """

    name: str
    namespace: str
    address: str
    link: Link | None = None

    def start(self, *command: str, env: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
        """Start Python there, with arguments."""
        named = f'hostname {self.name} && exec "$0" "$@"'
        words = ["ip", "netns", "exec", self.namespace, "unshare", "--uts", "sh", "-c", named, sys.executable, *command]
        return subprocess.Popen(words, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@contextlib.contextmanager
def hosts(*names: str) -> Iterator[list[Host]]:
    """The central machine and the named ones, gone with the context."""
    number = os.getpid()
    made = [Host("central", f"msgtrace-{number}-central", "10.77.0.1")]
    inside = ("-n", made[0].namespace)
    with contextlib.ExitStack() as stack:
        _namespace(made[0], stack)
        _ip(*inside, "link", "add", "br0", "type", "bridge")
        _ip(*inside, "address", "add", "10.77.0.1/24", "dev", "br0")
        _ip(*inside, "link", "set", "br0", "up")
        for place, name in enumerate(names, 2):
            devices = f"mt{number}a{place}", f"mt{number}b{place}"
            link = Link((_tap(devices[0]), _tap(devices[1])))
            stack.callback(link.close)
            host = Host(name, f"msgtrace-{number}-{name}", f"10.77.0.{place}", link)
            _namespace(host, stack)
            made.append(host)
            _ip("link", "set", devices[0], "netns", made[0].namespace)
            _ip(*inside, "link", "set", devices[0], "master", "br0", "up")
            _ip("link", "set", devices[1], "netns", host.namespace)
            _ip("-n", host.namespace, "address", "add", f"{host.address}/24", "dev", devices[1])
            _ip("-n", host.namespace, "link", "set", devices[1], "up")
        yield made


def _namespace(host: Host, stack: contextlib.ExitStack) -> None:
    _ip("netns", "add", host.namespace)
    stack.callback(_ip, "netns", "delete", host.namespace)
    _ip("-n", host.namespace, "link", "set", "lo", "up")
