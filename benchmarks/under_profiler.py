"""Runs a Python program under a profiler that counts CPU seconds of all threads: `under_profiler.py OUT PROGRAM …`."""

import cProfile
import runpy
import sys
import time
from pathlib import Path


def main(out: str, program: str) -> None:
    """Run a program with the arguments that follow, and write its profile."""
    sys.argv = sys.argv[2:]
    sys.path[0] = str(Path(program).parent)
    profiler = cProfile.Profile(time.process_time)
    try:
        profiler.runcall(runpy.run_path, program, run_name="__main__")
    finally:
        profiler.dump_stats(out)


if __name__ == "__main__":
    main(*sys.argv[1:3])
