"""The order of means by which a broker is found: the environment, the shared set, a Docker engine, native packages."""

import os
from collections.abc import Iterable

from integration.brokers import engine, native, shared_set
from integration.brokers.address import Address, from_environment

INSTALL = "`python -m integration.brokers install` installs what is missing, or says what to install"


def running(names: Iterable[str]) -> dict[str, Address]:
    """Those of `names` that need no starting: named in the environment, else in the shared set.

    An address in the environment is believed, so that a broker which is down fails tests and doesn't skip them.
    """
    shared = shared_set.addresses()
    found: dict[str, Address] = {}
    for name in names:
        address = from_environment(name, dict(os.environ)) or shared.get(name)
        if address is not None:
            found[name] = address
    return found


def means(name: str) -> str | None:
    """How broker `name` would be started here: `docker`, `native` or not at all.

    MSGTRACE_TEST_MEANS names the one to use.
    """
    wanted = os.environ.get("MSGTRACE_TEST_MEANS", "")
    if wanted != "native" and engine.missing() is None:
        return "docker"
    return "native" if wanted != "docker" and native.missing(name) is None else None


def why_not(name: str) -> str:
    """One line for the user when there are no means."""
    return f"{name}: {engine.missing()}, and {native.missing(name)}; {INSTALL}"
