"""Which of the workloads are measured: all, or those named, with what a difference needs."""

import sys
from collections.abc import Sequence

from benchmarks.workload import Difference, Measurable


def selected(known: Sequence[Measurable], only: Sequence[str]) -> list[Measurable]:
    """The workloads whose name begins with one of `only` (none: all), in their order, and those they are made of."""
    names = {one.name for one in known if not only or any(one.name.startswith(start) for start in only)}
    if not names:
        sys.exit(f"No workload begins with {', '.join(only)}. There are:\n  " + "\n  ".join(one.name for one in known))
    parts = {
        part for one in known if isinstance(one, Difference) and one.name in names for part in (one.whole, one.part)
    }
    return [one for one in known if one.name in names | parts]
