"""How fast a forwarder sends a spool to a central collector over TLS on the loopback, and in how much memory. `python -m bench.forwarding`.

A process leaves a spool full of messages; then a central and a forwarder start, and the time is that from the forwarder's start until
the central has stored everything. The central decodes, redacts and stores beside it, on the same processors: what is measured is both.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from integration.traced import clean_environment
from msgtrace_collectors.forwarding.certificates import make
from msgtrace_collectors.trace import open_trace

MESSAGES: Final = 200_000
MADE: Final = """
import json, sys
from msgtrace import start
from msgtrace.settings import Settings
import redis
redis.Redis.execute_command = lambda self, *args, **options: 1
start.start_with(Settings(spool=sys.argv[1], service="bench", spool_limit=8 << 30))
client, filler = redis.Redis(), "x" * 140
for number in range(int(sys.argv[2])):
    body = {"type": "order.created", "number": number, "customer": number % 1000, "filler": filler}
    client.execute_command("PUBLISH", f"orders.{number % 50}", json.dumps(body))
start.stop()
"""


def peak_mb(process: subprocess.Popen[bytes]) -> float:
    """The most memory that a process had so far."""
    for line in Path(f"/proc/{process.pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return 0.0


def seconds_of_processor(process: subprocess.Popen[bytes]) -> float:
    """What a process has used of processors so far."""
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _await_listening(central: subprocess.Popen[bytes], port: int) -> None:
    while central.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            time.sleep(0.02)
        else:
            return
    sys.exit("the central ended")


def measured(messages: int, memory: Path, folder: Path) -> None:
    """One run, and its figures."""
    spools = memory / "sender", memory / "central"
    for spool in spools:
        spool.mkdir(mode=0o700)
    subprocess.run([sys.executable, "-c", MADE, str(spools[0]), str(messages)], env=clean_environment(), check=True)
    size = sum(path.stat().st_size for path in spools[0].rglob("*.segment"))
    make(folder, ("localhost", "sender"), 1)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    def part(command: str, spool: Path, name: str, *options: str) -> subprocess.Popen[bytes]:
        words = [
            sys.executable, "-m", "msgtrace", command, "--spool", str(spool), *options,
            "--ca", f"{folder}/ca.pem", "--certificate", f"{folder}/{name}.pem", "--key", f"{folder}/{name}.key",
            "--token-file", f"{folder}/token",
        ]  # fmt: skip
        return subprocess.Popen(words, env=clean_environment(), stderr=subprocess.DEVNULL)

    db = folder / "trace.duckdb"
    central = part("collect", spools[1], "localhost", "--db", str(db), "--listen", f"127.0.0.1:{port}")
    _await_listening(central, port)
    began = time.perf_counter()
    sender = part("forward", spools[0], "sender", "--to", f"localhost:{port}", "--spool-limit", "8GB")
    try:
        while any(spools[0].rglob("*.segment")):
            if sender.poll() is not None or central.poll() is not None:
                sys.exit("a part ended")
            time.sleep(0.02)
        took = time.perf_counter() - began
        costs = [(peak_mb(each), seconds_of_processor(each)) for each in (sender, central)]
    finally:
        for each in (sender, central):
            each.send_signal(signal.SIGTERM)
            each.wait(120)
    with open_trace(db) as trace:
        ((stored, lost),) = [
            tuple(row.values())
            for row in trace.query(
                "select (select count(*) from operations), (select coalesce(sum(lost), 0) from losses)"
            ).to_pylist()
        ]
    print(
        f"{messages:,} messages, {size / 1e6:.0f} MB of segments: {took:.1f} s: {stored / took:,.0f} operations/s, {size / took / 1e6:.1f} MB/s; "
        f"stored {stored:,}, lost {lost}"
    )
    for name, (peak, processor) in zip(("forwarder", "central"), costs, strict=True):
        print(
            f"  {name}: at most {peak:.0f} MB, {processor:.1f} s of processor, {processor / stored * 1e6:.0f} us an operation"
        )


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--messages", type=int, action="append")
    print(f"load average {os.getloadavg()[0]:.1f} of {os.cpu_count()} processors")
    for messages in parser.parse_args().messages or [MESSAGES // 4, MESSAGES]:
        memory = Path(tempfile.mkdtemp(prefix="msgtrace-bench-", dir="/dev/shm"))
        with tempfile.TemporaryDirectory() as folder:
            try:
                measured(messages, memory, Path(folder))
            finally:
                shutil.rmtree(memory)


if __name__ == "__main__":
    main()
