"""Finds the Python interpreter in a process's memory, and the addresses of what is to be called there.

Read from the files that are mapped, so that a debugger need not load any symbols while the process is stopped: that is most of
what stopping costs (docs/decisions). Only what the dynamic linker itself uses is read (`.dynsym`), which no strip removes.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from elftools.common.exceptions import ELFError
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection
from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterator

CALLED: Final = (
    "Py_AddPendingCall", "PyRun_SimpleString", "PyGILState_Ensure", "Py_MakePendingCalls", "PyGILState_Release",
)  # fmt: skip
VERSION: Final = "Py_Version"
"""An integer like 0x030b07f0, exported since 3.11."""
FREE_THREADED: Final = "_Py_MergeZeroLocalRefcount"
"""Exported by interpreters without a global lock alone."""
ALLOCATES: Final = "mmap"


class NoInterpreter(Exception):  # noqa: N818 - reads as what it is
    """A process has no Python in it that can be called; the text goes on from the process's name."""


class Interpreter(Struct, frozen=True):
    """The Python in a process.

    Attributes:
        file: of its code, as the process sees it.
        version: major and minor; (0, 0) before 3.11, which does not say.
        free_threaded: it has no global lock.
        addresses: in the process's memory, of the functions of `CALLED` and of `mmap`.
    """

    file: str
    version: tuple[int, int]
    free_threaded: bool
    addresses: dict[str, int]


def interpreter_of(pid: int) -> Interpreter:
    """Find it.

    Raises:
        NoInterpreter: there is none.
        OSError: the process may not be looked at.
    """
    executable = str(Path(f"/proc/{pid}/exe").readlink())
    files = dict(_mapped(pid))
    candidates = [path for path in files if "libpython" in Path(path).name] + [executable]
    if gone := [path for path in candidates if path.endswith(" (deleted)")]:
        raise NoInterpreter(f"runs what is no longer there ({gone[0]}): it was replaced; start it again")
    try:
        for path in candidates:
            symbols = _symbols(pid, path, files[path], (*CALLED, VERSION, FREE_THREADED)) if path in files else {}
            if all(name in symbols for name in CALLED):
                version = _value(pid, symbols[VERSION]) if VERSION in symbols else 0
                addresses = {name: symbols[name] for name in CALLED} | {ALLOCATES: _allocating(pid, files)}
                return Interpreter(path, (version >> 24, version >> 16 & 0xFF), FREE_THREADED in symbols, addresses)
    except ELFError as error:
        raise NoInterpreter(f"can't be read: {error}") from None
    raise NoInterpreter(f"is no Python that can be called from outside: {executable}")


def _mapped(pid: int) -> Iterator[tuple[str, int]]:
    """Each file that is mapped from its beginning, and where it is."""
    seen = set()
    for line in Path(f"/proc/{pid}/maps").read_text(errors="surrogateescape").splitlines():
        place, _, offset, _, _, *rest = line.split(maxsplit=5)
        if rest and rest[0].startswith("/") and int(offset, 16) == 0 and rest[0] not in seen:
            seen.add(rest[0])
            yield rest[0], int(place.partition("-")[0], 16)


def _symbols(pid: int, path: str, base: int, names: tuple[str, ...]) -> dict[str, int]:
    """The addresses of those names that a file defines."""
    found = {}
    with Path(f"/proc/{pid}/root{path}").open("rb") as file:
        elf = ELFFile(file)
        table = elf.get_section_by_name(".dynsym")
        if not isinstance(table, SymbolTableSection):
            return {}
        lowest = min(segment["p_vaddr"] for segment in elf.iter_segments("PT_LOAD"))
        for name in names:
            for symbol in table.get_symbol_by_name(name) or ():
                if symbol["st_shndx"] != "SHN_UNDEF":
                    found[name] = base + symbol["st_value"] - lowest
    return found


def _allocating(pid: int, files: dict[str, int]) -> int:
    """Where `mmap` is: in glibc's libc, or in musl's, which is its dynamic linker too."""
    for path, base in files.items():
        name = Path(path).name
        if name.startswith(("libc.so", "libc-", "ld-musl")) and (found := _symbols(pid, path, base, (ALLOCATES,))):
            return found[ALLOCATES]
    raise NoInterpreter(
        "has no C library that is known: it is linked statically, or replaced since it started; start it again"
    )


def _value(pid: int, address: int) -> int:
    with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
        memory.seek(address)
        return int.from_bytes(memory.read(4), "little")
