"""The order in which a broker is looked for: environment, shared set, Docker engine, native packages."""

import os
from collections.abc import Iterable

from integration.brokers import engine, native, shared_set
from integration.brokers.address import Address, from_environment

INSTALL = "`python -m integration.brokers install` installs what is missing, or says what to install"


def running(names: Iterable[str]) -> dict[str, Address]:
    """Those of `names` that need no starting: named in the environment, else in the shared set.

    An address in the environment is believed: a broker which is down then fails tests and doesn't skip them.
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

    MSGTRACE_TEST_MEANS names the only one to use; `none` starts nothing.
    """
    wanted = os.environ.get("MSGTRACE_TEST_MEANS", "")
    if wanted in ("", "docker") and engine.missing() is None:
        return "docker"
    return "native" if wanted in ("", "native") and native.missing(name) is None else None


def why_not(name: str) -> str:
    """One line for the user when there are no means."""
    if wanted := os.environ.get("MSGTRACE_TEST_MEANS"):
        return f"MSGTRACE_TEST_MEANS={wanted} leaves no way to start it"
    return f"{engine.missing()}, and {native.missing(name)}; {INSTALL}"
