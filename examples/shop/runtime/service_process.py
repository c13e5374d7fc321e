"""One process of the shop: started, waited for until it is ready, listened to, ended."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator
from pathlib import Path

from shop.runtime.lifecycle import READY

READY_SECONDS = 30.0
STOP_SECONDS = 20.0
SOURCES = Path(__file__).resolve().parents[2]


class ServiceError(Exception):
    """A process did not start, or ended when it should not, or not well."""


class ServiceProcess:
    """A process that runs one of the shop's modules."""

    def __init__(self, name: str, process: Process) -> None:
        self.name = name
        self._process = process
        self._output: asyncio.Task[None] | None = None
        self._was_ready = False

    @classmethod
    async def spawn(cls, name: str, module: str, environment: dict[str, str]) -> "ServiceProcess":
        """Start `module` with `environment` added to this process's own."""
        search = [os.environ["PYTHONPATH"]] if os.environ.get("PYTHONPATH") else []
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            module,
            stdin=PIPE,  # never written to: it ends when this process does, and so does the service
            stdout=PIPE,
            process_group=0,  # Ctrl-C is this process's business: it stops the services one after the other
            env={
                **os.environ,
                **environment,
                "PYTHONPATH": os.pathsep.join([*search, str(SOURCES)]),
                "SHOP_SUPERVISED": "1",
            },
        )
        return cls(name, process)

    async def ready(self) -> str:
        """Wait until the service says that it is ready, and return its address.

        Raises:
            ServiceError: it ended, or was not ready in time.
        """
        try:
            address = await asyncio.wait_for(self._ready_address(), READY_SECONDS)
        except TimeoutError:
            raise ServiceError(f"{self.name} was not ready within {READY_SECONDS:.0f} s.") from None
        if address is None:
            raise ServiceError(f"{self.name} ended with code {await self.ended()} before it was ready.")
        self._was_ready = True
        self.pass_on_output()
        return address

    def pass_on_output(self) -> None:
        """Print from now on what the process prints, under its name."""
        self._output = asyncio.create_task(self._pass_on())

    async def ended(self) -> int:
        """Wait until the process has ended and return its exit code."""
        code = await self._process.wait()
        if self._output is not None:
            await asyncio.wait({self._output})
        return code

    async def end(self) -> int:
        """Ask the process to end, by force if it does not heed; return its exit code."""
        asked = self._process.returncode is None
        if asked:
            self._process.terminate()
        try:
            await asyncio.wait_for(self._process.wait(), STOP_SECONDS)
        except TimeoutError:
            self._process.kill()
        code = await self.ended()
        # Stopped before it listened to signals: that is no failure of its.
        return 0 if asked and not self._was_ready and code == -signal.SIGTERM else code

    async def _lines(self) -> AsyncGenerator[str]:
        if self._process.stdout is not None:
            async for line in self._process.stdout:
                yield line.decode(errors="replace").rstrip("\n")

    async def _ready_address(self) -> str | None:
        async for line in self._lines():
            word, _, address = line.partition(" ")
            if word == READY:
                return address
            print(f"{self.name}: {line}", flush=True)
        return None

    async def _pass_on(self) -> None:
        async for line in self._lines():
            print(f"{self.name}: {line}", flush=True)
