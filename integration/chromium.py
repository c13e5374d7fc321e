"""A real browser for tests: Debian's Chromium, without a window. `python -m integration.chromium` installs it where it may.

It is driven by Playwright; Playwright's own browsers come from elsewhere than package registries and are not used.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import pytest
from playwright.sync_api import Browser, sync_playwright

NAMES: Final = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS: Final = (
    "--no-sandbox",  # root may not have one
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--hide-scrollbars",
)


def found() -> str | None:
    """The browser's program."""
    return next(filter(None, map(shutil.which, NAMES)), None)


def install() -> None:
    """Install what is missing.

    Raises:
        SystemExit: it can't be, with what to do.
    """
    if found():
        return
    if not shutil.which("apt-get") or os.geteuid() != 0:
        sys.exit("no Chromium: install it, for example by `apt-get install chromium`")
    command = ["apt-get", "install", "-y", "--no-install-recommends", "chromium", "fonts-liberation"]
    subprocess.run(command, check=True)


@contextmanager
def browser() -> Iterator[Browser]:
    """A browser; skipped by name where there is none, failed where all tests must run."""
    program = found()
    if program is None:
        why = "no Chromium: `python -m integration.chromium`"
        if os.environ.get("CI") == "true":
            pytest.fail(why)
        pytest.skip(why)
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=program, args=list(ARGUMENTS))
        try:
            yield opened
        finally:
            opened.close()


if __name__ == "__main__":
    install()
