"""`python -m bench [NAME …]`: run the benches and print one table."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

NOT_BENCHES = {"__init__", "__main__", "row", "spatial", "objects"}
NAMES = sorted(p.stem for p in Path(__file__).parent.glob("*.py") if p.stem not in NOT_BENCHES)


def main(wanted: list[str]) -> int:
    unknown = sorted(set(wanted) - set(NAMES))
    if unknown:
        print(f"no bench {', '.join(unknown)}: there are {', '.join(NAMES)}", file=sys.stderr)
        return 2
    table = Table("bench", "what", "figure", "target", "", box=None, pad_edge=False)
    missed = 0
    for name in wanted or NAMES:
        for row in importlib.import_module(f"bench.{name}").run():
            reached = row.target is None or row.figure >= row.target
            missed += not reached
            table.add_row(
                name,
                f"{row.name} ÷ {row.ratio_to}" if row.ratio_to else row.name,
                f"{row.figure:,.4g} {row.unit}",
                "" if row.target is None else f"≥ {row.target:,.4g}",
                "" if row.target is None else ("reached" if reached else "MISSED"),
            )
    Console(width=None if sys.stdout.isatty() else 160).print(table)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
