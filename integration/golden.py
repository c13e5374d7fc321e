"""The documents of examples/shop with all brokers, as they were reviewed, and the recording that they are of: tests/golden.

    python -m integration.golden             # records the shop anew, keeps it, and writes its documents; `git diff` shows what changed
    python -m integration.golden --render    # writes the documents of the kept recording: after a change to the analysis or a renderer

Two runs of the shop do the same, but not in the same time: `normalised` replaces what depends on that by its kind, and sorts what may
come in another order, so that what is left is the same for every run.
"""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from integration.brokers.gather import gathered
from integration.kept_trace import keep, restored
from integration.shop_program import REPOSITORY, environment

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

GOLDEN: Final = REPOSITORY / "tests" / "golden"
KEPT: Final = GOLDEN / "shop"
"""The recording."""
PREFIX: Final = "shop."
"""That names in it begin with."""
DOCUMENTS: Final = ("MESSAGING_GUIDE.md", "EVENT_FLOWS.json", "asyncapi.yaml")
GUIDE: Final = GOLDEN / "MESSAGING_GUIDE.md"
MSGTRACE: Final = (sys.executable, "-m", "msgtrace")
VARIABLES: Final = {"rabbitmq": "SHOP_RABBITMQ", "redis": "SHOP_REDIS", "kafka": "SHOP_KAFKA"}
TIMED: Final = frozenset({
    "Operations", "Settlements", "A second (95%)", "Peak a second", "Burstiness", "Most waiting", "Waiting at the end", "Waited p50",
    "p95", "Longest", "Threshold", "Observed", "Because", "Points", "At best", "Delays", "Age at that time", "Connections",
    "Smallest and largest number, or length of text", "Examples", "Certainty", "Error", "Example", "In part", "Triggers followed by it",
})  # fmt: skip
"""Columns whose cells depend on time."""
REPLACED: Final = (
    (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}", "TIME"),
    (r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", "UUID"),
    (r"\b\d{13}\b", "ID"),
    (r"127\.0\.0\.1:\d+", "127.0.0.1:PORT"),
    (r"(?:\[E\d+\]\(#e\d+\) ?)+", "[E] "),
    (r"`(\w+) \d[\w.]*`", r"`\1 VERSION`"),
    (r"(?<![\d.])\d+\.\d+\.\d+(?![\d.])", "VERSION"),
    (r"[\d.,]*\d (?:ms|s|min|h)\b", "DURATION"),
    (r"[\d,]+ operations", "N operations"),
    (r"\((?:exact|likely|guess)(?: [\d,]+)?(?:, (?:exact|likely|guess) [\d,]+)*\)", "(CERTAINTY)"),
    (r"\*\*[\d.]+ of 100\*\*; [\d.]+", "**N of 100**; N"),
    (r"^- [\d.]+ a second over", "- N a second over"),
    (r"^(The (?:usual|most frequent) way.*?), \d+ of \d+", r"\1, N of M"),
    (r"^(Play what went wrong|- Play what went wrong).*", r"- Play what went wrong ..."),
    (r"^\d+\. ", "1. "),
    (r"^ +'(?:initial_delay_s|max_delay_s|step_s|multiplier|jitter)': .*\n", ""),
    (r"^Left out of this diagram.*\n\n", ""),
    (r"^(1\. \[.*\) by .*): in \d+", r"\1"),
    (r"^\| Service \| Channel \| What \| Declared \|.*\n(?:\|.*\n)+\n", ""),
    (r"^- backoff: let delays grow.*\n", ""),
    (r"(?:fixed|exponential|linear|irregular) (?:from )?DURATION.*?, at most (\d)", r"DELAYS, at most \1"),
    (r"^( +'delays': ).*$", r"\1'DELAYS',"),
    (r"([<>]=? )[\d.]+$", r"\1N"),
    (r"\d+ rebalances?", "N rebalances"),
    (r"^\| (?:Operations by kind|kafka \| .* \| rebalance) \|.*\n", ""),
    (r"(?:(?:exact|likely|guess) \d[\d,]*(?:, )?)+", "CERTAINTIES"),
    (r"CERTAINTIES(?: CERTAINTIES)+", "CERTAINTIES"),
    (r"\n\n\n+", "\n\n"),
)


@contextlib.contextmanager
def shop(addresses: Mapping[str, str], prefix: str) -> Iterator[tuple[Path, str]]:
    """A recorded run of the shop: the trace, and its guide."""
    with tempfile.TemporaryDirectory() as folder:
        trace = Path(folder) / "trace.duckdb"
        subprocess.run(
            [*MSGTRACE, "run", "--quiet", "--db", str(trace), "--", sys.executable, "examples/shop"],
            cwd=REPOSITORY, env=environment(SHOP_PREFIX=prefix, **addresses), check=True, timeout=240, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        yield trace, written(trace, Path(folder), GUIDE.name)[GUIDE.name]


def written(trace: Path, folder: Path, *names: str) -> dict[str, str]:
    """Documents of a trace, by name, written by the command."""
    only = [part for name in names for part in ("--only", name)]
    command = [*MSGTRACE, "report", "--db", str(trace), "--out", str(folder), *only]
    subprocess.run(command, check=True, timeout=240, stdout=subprocess.DEVNULL, env=os.environ)
    return {name: (folder / name).read_text() for name in names}


def normalised(guide: str, prefix: str) -> str:
    """What every run says."""
    guide = guide.replace(str(REPOSITORY), "/srv/shop").replace(prefix.rstrip("."), "shop")
    guide = re.sub(r"<details>\n<summary>Evidence: .*?</details>\n", "", guide, flags=re.DOTALL)
    guide = re.sub(r"```mermaid\n(.*?)\n```", lambda found: _drawn(found[1]), guide, flags=re.DOTALL)
    guide = re.sub(
        r"(<summary>)\d+ ways.*?</summary>.*?</details>", r"\1ways</summary></details>", guide, flags=re.DOTALL
    )
    guide = re.sub(r"\n\nThe most frequent way in which something failed.*?</details>", "", guide, flags=re.DOTALL)
    guide = re.sub(r"Of \d+ of them it can't be told what followed.*\n", "", guide)
    for pattern, instead in REPLACED:
        guide = re.sub(pattern, instead, guide, flags=re.MULTILINE)
    return "\n".join(line.rstrip() for line in _sorted(_masked(guide.splitlines()))) + "\n"


def _drawn(diagram: str) -> str:
    """A chart by its arrows between names, sorted; of other diagrams what stands in them, without order."""
    kind, _, rest = diagram.partition("\n")
    if kind.startswith("sequence"):
        return "```mermaid\nsequenceDiagram\n```"
    names = dict(re.findall(r"^ +(n\d+)\[(\".*?\")\]$", rest, re.MULTILINE))
    names |= {number: f'"{name}"' for name, number in re.findall(r"^ +state \"(.*?)\" as (s\d+)$", rest, re.MULTILINE)}
    lines = [line for line in rest.splitlines() if "-->" in line or "-.->" in line]
    if kind.startswith("state"):
        return "\n".join(["```mermaid", kind, *sorted(names.values()), "```"])
    lines = [re.sub(r"\bn\d+\b", lambda found: names[found[0]], line.replace("-.->", "-->")) for line in lines]
    return "\n".join(["```mermaid", kind, *sorted(re.sub(r", p95 [^|]*", '"', line) for line in lines), "```"])


def _masked(lines: Iterable[str]) -> Iterator[str]:
    header: list[str] = []
    for line in lines:
        if not line.startswith("|"):
            header = []
            yield line
            continue
        cells = re.split(r"(?<!\\)\|", line)
        if not header:
            header = [cell.strip() for cell in cells]
        elif "---" not in line and len(cells) == len(header):
            cells = [" ~ " if name in TIMED else cell for cell, name in zip(cells, header, strict=True)]
        yield "|".join(cells)


def _sorted(lines: Iterable[str]) -> Iterator[str]:
    """Rows of tables, and lines of lists, in the order of their text."""
    rows: list[str] = []
    kind = ""
    for line in [*lines, ""]:
        now = "row" if line.startswith("|") else "item" if line.startswith(("- ", "1. ")) else ""
        if now != kind or not now:
            start = 2 if kind == "row" else 0
            yield from (*rows[:start], *sorted(rows[start:]))
            rows, kind = [], now
        if now:
            rows.append(line)
        else:
            yield line


def recorded() -> int:
    """Record the shop with all brokers and keep it; 1 where a broker is missing."""
    with contextlib.ExitStack() as stack:
        found = stack.enter_context(gathered(list(VARIABLES)))
        addresses = {}
        for name, address in found.items():
            if isinstance(address, str):
                print(f"no {name}: {address}", file=sys.stderr)
                return 1
            addresses[VARIABLES[name]] = address.url.removeprefix("kafka://")
        trace, _ = stack.enter_context(shop(addresses, PREFIX))
        keep(trace, KEPT)
    return 0


def main() -> int:
    """Write the files."""
    if "--render" not in sys.argv and recorded():
        return 1
    with tempfile.TemporaryDirectory() as folder:
        for name, text in written(restored(KEPT, Path(folder) / "trace.duckdb"), Path(folder), *DOCUMENTS).items():
            (GOLDEN / name).write_text(text)
            print(GOLDEN / name)
    return 0


if __name__ == "__main__":
    sys.exit(main())
