"""Cold start."""

from benchmarks.measuring import BACKBONE, PYTHON, Side
from benchmarks.workload import Budget, Measurable, Workload

ENGINE = Side((PYTHON, "-c", "import duckdb"))


def workloads(_: int) -> list[Measurable]:
    """The command line's and the library's."""
    budgets = (Budget(0.2),)
    about = "a new process; floor: import duckdb"
    return [
        Workload("backbone --version", about, Side((BACKBONE, "--version")), ENGINE, budgets, 9),
        Workload("import backbone", about, Side((PYTHON, "-c", "import backbone")), ENGINE, budgets, 9),
    ]
