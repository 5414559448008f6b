"""Measures how costs grow: `make bench-growth`, or `python -m benchmarks.growth --most 0.1` for a tenth of the way."""

import argparse
import json
import os
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.growth.curves import measured, tell
from benchmarks.growth.plotting import plot
from benchmarks.growth.telling import HEADER, rows_of
from benchmarks.measuring import WORK
from benchmarks.records import machine, versions
from benchmarks.tables import plain


def main() -> None:
    """Measure, or read what was measured; print exponents; draw."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.growth", description=__doc__)
    parser.add_argument("--most", type=float, default=1.0, help="share of the full numbers (default 1)")
    parser.add_argument("--json", type=Path, default=WORK / "growth.json")
    parser.add_argument("--plot", type=Path, default=WORK / "growth.png", help="a .svg or .png file")
    parser.add_argument("--again", action="store_true", help="draw what the JSON holds, measure nothing")
    options = parser.parse_args()
    WORK.mkdir(exist_ok=True)
    if not options.again:
        before = os.getloadavg()[0]
        curves = measured(options.most, tell)
        facts = {"when": datetime.now(UTC).isoformat(timespec="seconds"), "load": [before, os.getloadavg()[0]]}
        found = facts | {"machine": machine(), "versions": versions(), "curves": curves}
        options.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    curves = json.loads(options.json.read_text(encoding="utf-8"))["curves"]
    print(plain(HEADER, rows_of(curves)))
    plot(curves, options.plot)


if __name__ == "__main__":
    main()
