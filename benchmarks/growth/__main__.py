"""Measures how costs grow: `make bench-growth`, or `python -m benchmarks.growth --most 0.1` for a tenth of the way."""

import argparse
import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.growth.curves import CURVES, measured, tell
from benchmarks.growth.plotting import plot
from benchmarks.growth.telling import HEADER, Growth, curves_of, rows_of
from benchmarks.measuring import WORK, CommandError, compile_bytecode
from benchmarks.records import machine, versions
from benchmarks.tables import plain


def main() -> None:
    """Measure, or read what was measured; print exponents; draw."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.growth", description=__doc__)
    parser.add_argument("--most", type=float, default=1.0, help="share of the full numbers (default 1)")
    parser.add_argument("--only", action="append", choices=CURVES, help="only these; others stay as they were")
    parser.add_argument("--json", type=Path, default=WORK / "growth.json")
    parser.add_argument("--plot", type=Path, default=WORK / "growth.png", help="a .svg or .png file")
    options = parser.parse_args()
    WORK.mkdir(exist_ok=True)
    compile_bytecode()
    found: dict[str, Growth] = json.loads(options.json.read_text(encoding="utf-8")) if options.json.exists() else {}
    failures = 0
    for name in options.only or CURVES:
        try:
            found[name] = _measured(name, options.most)
        except CommandError as error:  # the other curves are worth having
            tell(f"{name}: {error}")
            failures += 1
        options.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(plain(HEADER, rows_of(found)))
    plot(curves_of(found), options.plot)
    sys.exit(failures)


def _measured(name: str, most: float) -> Growth:
    before = os.getloadavg()[0]
    curve = measured(name, most, tell)
    return {
        "curve": curve,
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "load": (round(before, 2), round(os.getloadavg()[0], 2)),
        "machine": machine(),
        "versions": versions(),
    }


if __name__ == "__main__":
    main()
