"""Keeps files small enough to be read whole: entries that don't fit into one go into further files. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from msgtrace_analysis.renderers.json_values import text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

BUDGET_BYTES: Final = 48_000
"""Of a file: about 12,000 tokens of a language model."""


def fitted(
    name: str, head: Mapping[str, Any], entries: Sequence[Mapping[str, Any]], budget: int = BUDGET_BYTES
) -> dict[str, str]:
    """A document, and further ones where it would be larger than the budget.

    Each entry is whole, and in one file. An entry that alone is larger than the budget has a file of its own. The first file
    then says which are where: by their names or, where these are too many, by the first and the last of each file.

    Args:
        name: of the file, without its ending.
        head: what stands before the entries.
        entries: in the order in which they are written; each has a `name`.
        budget: bytes.

    Returns:
        text by the name of the file, the first one first.
    """
    whole = text({**head, "entries": entries})
    if _size(whole) <= budget:
        return {f"{name}.json": whole}
    parts = {
        f"{name}~{number}.json": part
        for number, part in enumerate(_parts(entries, budget - _size(text({**head, "part": 99_999, "entries": []}))), 1)
    }
    first = _first(head, {file: [str(each["name"]) for each in part] for file, part in parts.items()}, budget)
    written = {
        file: text({**head, "part": number, "entries": part}) for number, (file, part) in enumerate(parts.items(), 1)
    }
    return {f"{name}.json": first, **written}


def _first(head: Mapping[str, Any], names: Mapping[str, Sequence[str]], budget: int) -> str:
    """What says which entry is in which file."""
    total = {"total": sum(map(len, names.values()))}
    by_name = text({**head, **total, "entries_in": names})
    if _size(by_name) <= budget:
        return by_name
    ends = {file: {"number": len(each), "first": each[0], "last": each[-1]} for file, each in names.items()}
    return text({**head, **total, "entries_in": ends})


def _parts(entries: Sequence[Mapping[str, Any]], room: int) -> Iterator[list[Mapping[str, Any]]]:
    """As many entries at a time as fit."""
    part: list[Mapping[str, Any]] = []
    used = 0
    for entry in entries:
        alone = text(entry)
        size = _size(alone) + 4 * alone.count("\n") + 2  # each line stands two levels deeper there
        if part and used + size > room:
            yield part
            part, used = [], 0
        part.append(entry)
        used += size
    if part:
        yield part


def _size(written: str) -> int:
    return len(written.encode())
