"""`make demo`: record the example shop, write its guide, and show what came of it.

    python -m examples.demo [--brokers] [--out FOLDER]

With `--brokers` the shop also uses RabbitMQ, Kafka and Redis, started privately as the tests start them.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
VARIABLES = {"rabbitmq": "SHOP_RABBITMQ", "redis": "SHOP_REDIS", "kafka": "SHOP_KAFKA"}


def main() -> int:
    """Run the demo; the exit code of the first step that failed, or 0."""
    parser = argparse.ArgumentParser(description="Record the example shop and show its messaging guide.")
    parser.add_argument("--brokers", action="store_true", help="with real brokers: RabbitMQ, Kafka, Redis")
    parser.add_argument("--out", type=Path, default=ROOT / "demo-out", help="where trace and guide go")
    options = parser.parse_args()
    shutil.rmtree(options.out, ignore_errors=True)
    options.out.mkdir(parents=True)
    with contextlib.ExitStack() as stack:
        addresses = brokers(stack) if options.brokers else {}
        return show(options.out, addresses)


def brokers(stack: contextlib.ExitStack) -> dict[str, str]:
    """Find or start the brokers; the shop's variables that say where they are."""
    from integration.brokers.gather import gathered

    print("finding or starting RabbitMQ, Redis and Kafka ...", flush=True)
    addresses = {}
    for name, address in stack.enter_context(gathered(list(VARIABLES))).items():
        if isinstance(address, str):
            raise SystemExit(f"no {name}: {address}")
        addresses[VARIABLES[name]] = address.url.removeprefix("kafka://")
    return addresses


def show(out: Path, addresses: dict[str, str]) -> int:
    """Record, report, and print the flows."""
    trace, report = out / "trace.duckdb", out / "report"
    environment = {**os.environ, **addresses, "SHOP_PREFIX": "shop." if addresses else ""}
    steps = [
        ["run", "--db", str(trace), "--", sys.executable, str(ROOT / "examples" / "shop")],
        ["report", "--db", str(trace), "--out", str(report)],
        ["flows", "--db", str(trace)],
    ]
    for step in steps:
        print(f"\n$ msgtrace {' '.join(step)}", flush=True)
        code = subprocess.run([sys.executable, "-m", "msgtrace", *step], env=environment, check=False).returncode
        if code:
            return code
    print(f"\nThe guide: {report / 'MESSAGING_GUIDE.md'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
