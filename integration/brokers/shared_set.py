"""The brokers that `up` has left running for every test session of this checkout: .brokers/state.json."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from integration.brokers import descendants, kept
from integration.brokers.address import Address
from integration.brokers.answering import answers
from integration.brokers.kept import Kept

STATE_FOLDER = Path(os.environ.get("MSGTRACE_TEST_BROKERS_STATE") or kept.REPOSITORY / ".brokers")


@dataclass(frozen=True, slots=True)
class State:
    """What `up` has started, one entry for each time that it did."""

    sets: tuple[Kept, ...] = ()


def _path(kind: type, value: str) -> Path:
    if kind is not Path:
        raise NotImplementedError(kind)
    return Path(value)


def read() -> State:
    """What is written down, whether or not it still runs."""
    try:
        return msgspec.json.decode((STATE_FOLDER / "state.json").read_bytes(), type=State, dec_hook=_path)
    except (OSError, msgspec.DecodeError, msgspec.ValidationError):
        return State()


def write(state: State) -> None:
    """Replaces the file as a whole."""
    STATE_FOLDER.mkdir(exist_ok=True)
    fresh = STATE_FOLDER / "state.json.new"
    fresh.write_bytes(msgspec.json.format(msgspec.json.encode(state, enc_hook=str)))
    fresh.replace(STATE_FOLDER / "state.json")


@contextmanager
def locked() -> Iterator[None]:
    """Keeps a second `up` or `down` waiting until this one is done."""
    STATE_FOLDER.mkdir(exist_ok=True)
    with (STATE_FOLDER / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def addresses() -> dict[str, Address]:
    """Brokers of the shared set that answer now, by name."""
    found: dict[str, Address] = {}
    for one in read().sets:
        if descendants.alive(one.keeper):
            for report in one.reports:
                address = kept.address_of(report)
                if answers(address):
                    found[report.name] = address
    return found


def add(one: Kept) -> None:
    """Writes down what was started; a failed broker is not."""
    started = tuple(report for report in one.reports if not report.failure)
    if started:
        write(State((*read().sets, Kept(one.keeper, one.folder, started))))


def end() -> int:
    """Ends every broker that is written down, says how many, and forgets them."""
    state = read()
    for one in state.sets:
        kept.end(one.keeper, one.folder)
    write(State())
    return sum(len(one.reports) for one in state.sets)
