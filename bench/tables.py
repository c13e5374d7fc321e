"""The figures as a table: for a terminal, and in Markdown for docs/performance.md."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.results import Added, Figures

COLUMNS: Final = (
    "workload", "base", "msgtrace adds", "operations", "per operation", "target", "OpenTelemetry adds", "ddtrace adds",
    "OTel / msgtrace", "waits", "linked", "collector per operation", "lost",
)  # fmt: skip
LEGEND: Final = (
    "CPU microseconds of the program per message, user and system: median of all runs, smallest and largest in brackets.",
    "What a mode adds is its difference to the base run beside it, with the interval in which their median lies, and how certainly;",
    "~ marks one below 10% of the base. A target is held or missed when the whole interval is.",
    "`waits`: how often the program waits, per message, untraced and traced; where they differ, so do the two runs' loops.",
    "`operations` were recorded per message, by the recording's own count; `per operation` is both phases.",
    "`spans` arrived at a local sink, per message.",
)


def row(each: Figures) -> tuple[str, ...]:
    """One workload's cells."""
    share = each.per_operation_us
    kinds = ", ".join(f"{kind} {count:g}" for kind, count in each.operations.items())
    ratio = each.times_less
    return (
        each.workload,
        f"{_us(each.base_us)} ({_us(each.base_low_us)} to {_us(each.base_high_us)})",
        _added(each.added.get("msgtrace")),
        f"{each.operations_per_message:.3g}: {kinds}" if each.operations else "none",
        "-" if share is None else _mark(each, share),
        f"{each.target_us:g}: {each.verdict}",
        _added(each.added.get("otel")),
        _added(each.added.get("ddtrace")),
        "-" if ratio is None else f"{ratio:.0f}",
        " / ".join(f"{each.waits[mode]:.2f}" for mode in ("base", "msgtrace") if mode in each.waits),
        "-" if each.linked is None else f"{each.linked:.1%}",
        "-" if each.beside_us is None else _us(each.beside_us),
        ", ".join(f"{reason}: {count}" for reason, count in each.losses.items()) or "nothing",
    )


def table(figures: Sequence[Figures]) -> Table:
    """For a terminal."""
    made = Table(title="What recording costs", caption=" ".join(LEGEND))
    for name in COLUMNS:
        made.add_column(name)
    for each in figures:
        made.add_row(*row(each))
    return made


def markdown(figures: Sequence[Figures]) -> str:
    """For a document."""
    lines = [COLUMNS, ("---",) * len(COLUMNS), *(row(each) for each in figures)]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines) + "\n"


def _us(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def _added(added: Added | None) -> str:
    if added is None:
        return "-"
    text = f"{'~' if added.noise else ''}{_us(added.median_us)} ({_us(added.low_us)} to {_us(added.high_us)}, {added.confidence:.0%})"
    return text if added.spans is None else f"{text}, {added.spans:.2g} spans"


def _mark(each: Figures, share: float) -> str:
    return f"~{_us(share)}" if each.added["msgtrace"].noise else _us(share)
