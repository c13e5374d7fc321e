"""Starts the services, runs a program among them, stops them in the opposite order."""

import asyncio
import json
from pathlib import Path

from shop.runtime.service_process import ServiceError, ServiceProcess


class Supervisor:
    """The processes of one shop."""

    def __init__(self, ledgers: Path) -> None:
        self._services: list[ServiceProcess] = []
        self._ledgers = ledgers

    async def start(self, name: str, module: str, **environment: str) -> str:
        """Start a service and return the address at which it says it is ready.

        Raises:
            ServiceError: it ended, or was not ready in time.
        """
        service = await self._spawn(name, module, environment)
        self._services.append(service)
        return await service.ready()

    async def run(self, name: str, module: str, **environment: str) -> None:
        """Run a program to its end, with the services at its disposal.

        Raises:
            ServiceError: it ended with a code other than 0, or a service ended before it.
        """
        program = await self._spawn(name, module, environment)
        program.pass_on_output()
        ends = {asyncio.create_task(process.ended()): process.name for process in [program, *self._services]}
        try:
            done, _ = await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for waiting in ends:
                waiting.cancel()
            await program.end()
        problems = [f"{ends[end]} ended too early." for end in done if ends[end] != name]
        problems += [f"{name} ended with code {end.result()}." for end in done if ends[end] == name and end.result()]
        if problems:
            raise ServiceError(" ".join(problems))

    async def stop(self) -> None:
        """Stop the services that still run, last started first.

        Raises:
            ServiceError: some did not end when asked, or not with code 0.
        """
        codes = {service.name: await service.end() for service in reversed(self._services)}
        problems = [f"{name} ended with code {code}." for name, code in codes.items() if code != 0]
        if problems:
            raise ServiceError(" ".join(problems))

    def collect_ledgers(self, path: str) -> None:
        """Write the ledgers of all processes into one file: what each process said, by its name."""
        parts = [json.loads(part.read_text("utf-8")) for part in sorted(self._ledgers.iterdir())]
        ledger = {part.pop("service"): part for part in parts}
        Path(path).write_text(json.dumps(ledger, indent=1) + "\n", encoding="utf-8")

    async def _spawn(self, name: str, module: str, environment: dict[str, str]) -> ServiceProcess:
        ledger = str(self._ledgers / f"{name}.json")
        return await ServiceProcess.spawn(name, module, {**environment, "SHOP_LEDGER": ledger})
