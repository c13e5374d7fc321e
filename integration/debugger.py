"""Installs the debugger that `msgtrace attach` needs up to Python 3.13: `python -m integration.debugger`, as root on Debian."""

import shutil
import sys

from integration.brokers.install import install_packages

if __name__ == "__main__":
    sys.exit(0 if shutil.which("gdb") else install_packages(["gdb"]))
