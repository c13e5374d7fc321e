"""A producer, a worker that has an effect and acknowledges after it, and a fault. Arguments: ledgers, url, prefix, fault.

`none`; `killed`: the first worker is killed between the effect and the acknowledgement of message 5; `cut`: the driver waits
until the test has cut the connections, restarted the broker or set clocks, and says so by a file `go`, and traffic goes on all the
while; `slow`: the worker takes 30 ms a message, and is ended before it has had them all; `early`: it acknowledges
first; `automatic`: it does not acknowledge at all.
"""

import signal
import subprocess
import sys
import time
from pathlib import Path

from ledger import environment, noted

COUNT = 40
folder, url, prefix, fault = sys.argv[1:]
HERE = Path(__file__).parent


def start(role: str, *arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, HERE / "amqp_party.py", folder, url, prefix, role, *arguments], env=environment(role)
    )


def until(what: str, count: int) -> None:
    deadline = time.monotonic() + 60
    while len({each["number"] for each in noted(what)}) < count:
        assert time.monotonic() < deadline, f"not {count} {what}"
        time.sleep(0.05)


worker = start("worker", fault)
until("ready", 1)
producer = start("producer", str(COUNT), "20" if fault == "cut" else "2")
if fault == "killed":
    assert worker.wait(60) == -signal.SIGKILL
    worker = start("worker", "none")
if fault == "cut":
    until("received", 10)
    print("ready", flush=True)
    while not (Path(folder) / "go").exists():
        time.sleep(0.05)
assert producer.wait(90) == 0
if fault == "slow":
    time.sleep(0.3)
else:
    until("received", COUNT)
    time.sleep(0.5)  # the last acknowledgement
worker.terminate()
worker.wait(60)
