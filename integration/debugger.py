"""Installs what tests need of Debian beside brokers, as root: `python -m integration.debugger`.

The debugger that `msgtrace attach` needs up to Python 3.13, and what makes a program's clock wrong.
"""

import shutil
import sys
from pathlib import Path

from integration.brokers.install import install_packages


def missing() -> list[str]:
    """Packages that are not there."""
    found = {
        "gdb": shutil.which("gdb") is not None,
        "libfaketime": any(Path("/usr/lib").glob("*/faketime/libfaketime.so.1")),
    }
    return [name for name, is_there in found.items() if not is_there]


if __name__ == "__main__":
    wanted = missing()
    sys.exit(install_packages(wanted) if wanted else 0)
