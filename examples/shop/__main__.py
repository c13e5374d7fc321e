"""Runs the whole shop: starts its services, lets the customers in, stops everything when they have left."""

import asyncio
import os
import signal
import sys
import tempfile
from pathlib import Path

if not __package__:  # started by its path rather than with -m
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from shop.runtime import settings
from shop.runtime.lifecycle import STOP_SIGNALS
from shop.runtime.preflight import BrokerMissingError, check_brokers
from shop.runtime.service_process import ServiceError
from shop.runtime.settings import Settings
from shop.runtime.supervisor import Supervisor


async def serve_customers(supervisor: Supervisor, shop: Settings) -> None:
    """Start the services that the settings ask for, and run the customers' scenario."""
    await check_brokers(shop)
    notifier = await supervisor.start("notifier", "shop.notifier")
    if shop.redis is not None:
        await supervisor.start("activity", "shop.activity")
    if shop.kafka is not None:
        await supervisor.start("billing", "shop.fulfilment.billing")
        await supervisor.start("shipping", "shop.fulfilment.shipping")
    if shop.rabbitmq is not None:
        await supervisor.start("payments", "shop.payments")
    storefront = await supervisor.start("web", "shop.web", SHOP_NOTIFIER=notifier)
    await supervisor.run("customers", "shop.customers", SHOP_NOTIFIER=notifier, SHOP_STOREFRONT=storefront)


async def run_shop(supervisor: Supervisor) -> int:
    """Run the shop; return 0, or 1 when something failed, or 128 and the signal when interrupted."""
    serving = asyncio.create_task(serve_customers(supervisor, settings.from_environment()))
    interrupted: list[signal.Signals] = []

    def interrupt(number: signal.Signals) -> None:
        if not interrupted:
            serving.cancel()
        interrupted.append(number)

    for number in STOP_SIGNALS:
        asyncio.get_running_loop().add_signal_handler(number, interrupt, number)
    problems = []
    try:
        await serving
    except asyncio.CancelledError:
        print("shop: stopping", file=sys.stderr)
    except (BrokerMissingError, ServiceError) as error:
        problems.append(error)
    finally:
        try:
            await supervisor.stop()
        except ServiceError as error:
            problems.append(error)
    for problem in problems:
        print(f"shop: {problem}", file=sys.stderr)
    return 128 + interrupted[0] if interrupted else bool(problems)


def main() -> int:
    """Run the shop, and write its ledger to the file named by SHOP_LEDGER; return the exit code."""
    with tempfile.TemporaryDirectory(prefix="shop-ledgers-") as ledgers:
        supervisor = Supervisor(Path(ledgers))
        code = asyncio.run(run_shop(supervisor))
        if path := os.environ.get("SHOP_LEDGER"):
            supervisor.collect_ledgers(path)
    return code


if __name__ == "__main__":
    sys.exit(main())
