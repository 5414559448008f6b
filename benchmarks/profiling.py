"""Where the CPU seconds of a workload go: `python -m benchmarks --profile "full run"`.

A call of C code (DuckDB's above all) counts for the Python function that made it. Profiling itself costs something, to
small functions most.
"""

import pstats
import tempfile
from collections import Counter
from pathlib import Path

from benchmarks.measuring import PYTHON, WORK, Side, compile_bytecode, cost

RUNNER = str(WORK.parent / "under_profiler.py")
Place = tuple[str, int, str]
SHOWN = 30
NO_FILE = "~"
"""How cProfile calls the file of C code."""


def profiled(side: Side) -> str:
    """Run a side's command, a Python program, under a profiler; what it spent, by part and by function."""
    WORK.mkdir(exist_ok=True)
    compile_bytecode()
    with tempfile.TemporaryDirectory(dir=WORK, prefix="profile-") as name:
        folder = Path(name)
        side.prepare(folder)
        out = WORK / "profile.pstats"
        spent = cost((PYTHON, RUNNER, str(out), *side.command), folder)["cpu_s"]
        return f"{spent:.2f} CPU-s, profiler included\n\n{told(pstats.Stats(str(out)))}"


def told(stats: pstats.Stats) -> str:
    """Tables of CPU seconds by part (Backbone's layers, other packages) and by function."""
    spent, calls = _own(stats)
    parts: Counter[str] = Counter()
    for place, seconds in spent.items():
        parts[_part(place[0])] += seconds
    lines = [f"{seconds:8.3f}  {part}" for part, seconds in parts.most_common(SHOWN) if seconds > 0]
    functions = [
        f"{seconds:8.3f}  {calls[place]:>8,}  {place[2]}  {_short(place[0])}:{place[1]}"
        for place, seconds in spent.most_common(SHOWN)
    ]
    tables = {
        "CPU-s by part": lines,
        "CPU-s and calls by function, C code included": functions,
        "CPU-s by function of Backbone, with all that it calls": _called(stats),
    }
    return "\n\n".join("\n".join([title, *rows]) for title, rows in tables.items())


def _called(stats: pstats.Stats) -> list[str]:
    found = Counter({place: total for place, (_, _, _, total, _) in stats.stats.items() if "/backbone/" in place[0]})  # type: ignore[attr-defined] # as below
    return [f"{total:8.3f}  {place[2]}  {_short(place[0])}:{place[1]}" for place, total in found.most_common(2 * SHOWN)]


def _own(stats: pstats.Stats) -> tuple[Counter[Place], Counter[Place]]:
    """Seconds and calls of each Python function: its own, and those of the C code that it calls."""
    spent: Counter[Place] = Counter()
    calls: Counter[Place] = Counter()
    for place, (_, times, own, _, callers) in stats.stats.items():  # type: ignore[attr-defined] # typeshed lacks it
        if place[0] != NO_FILE or not callers:
            spent[place] += own
            calls[place] += times
            continue
        for caller, (_, _, own_there, _) in callers.items():
            spent[caller] += own_there
    return spent, calls


def _part(file: str) -> str:
    if "/backbone/" in file:
        return "backbone." + file.rpartition("/backbone/")[2].partition("/")[0].removesuffix(".py")
    if "/site-packages/" in file:
        return file.rpartition("/site-packages/")[2].partition("/")[0].removesuffix(".py")
    return "imports" if "importlib" in file else "Python"


def _short(file: str) -> str:
    return "/".join(file.split("/")[-3:])
