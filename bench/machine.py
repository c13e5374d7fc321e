"""What the measurements were made on and with: stated beside every result."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def facts(distributions: Iterable[str]) -> dict[str, str]:
    """Name -> what a reader needs to compare figures with their own."""
    names = ["msgtrace", "opentelemetry-sdk", "opentelemetry-instrumentation", "ddtrace", *distributions]
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "processor": _processor(),
        "cores": str(os.cpu_count()),
        "system": f"{_system()}, Linux {platform.release()}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "load average at the start": " ".join(f"{load:.2f}" for load in os.getloadavg()),
        **{name: found for name in dict.fromkeys(names) if (found := _version(name))},
    }


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def _system() -> str:
    return platform.freedesktop_os_release().get("PRETTY_NAME", "Linux")


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
