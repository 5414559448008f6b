"""SQLMesh with DuckDB: a plan compares models with its state, and runs what is due by time, not by what has arrived."""

from benchmarks import inputs
from benchmarks.inputs import both, link
from benchmarks.measuring import Side, after, copy_of
from benchmarks.peers.environments import files, program
from benchmarks.projects import write
from benchmarks.workloads.flow import arrived, day_file

SQLMESH = program("sqlmesh", "sqlmesh")
NOTES = {
    "nothing": "`plan`: code is compared; a new file would not be seen",
    "day": "the interval that is due names the file; no quarantine, ledger, audits, profile",
    "full": "the interval that is due names the file; no quarantine, ledger, audits, profile",
}
PLAN = (SQLMESH, "plan", "--auto-apply", "--no-prompts")
FIRST_DAY, NEXT_DAY = "2026-01-01", "2026-01-02"


def start() -> Side:
    """The command line alone."""
    return Side((SQLMESH, "--version"))


def first(views: int) -> Side:
    """Every model as a table."""
    texts = {
        "models/one.sql": _model("one", "SELECT n::BIGINT FROM read_csv('data/one.csv')"),
        "data/one.csv": "n\n1\n",
    }
    texts |= {f"models/v{i}.sql": _view(i) for i in range(views)}
    return Side(PLAN, both(files("sqlmesh", "config.yaml"), lambda folder: write(folder, texts)))


def changed(views: int, one: int) -> Side:
    """One view is changed after a plan was applied."""
    change = {f"models/v{one}.sql": _view(one, plus=2)}
    return Side(PLAN, both(nothing(views).prepare, lambda folder: write(folder, change)))


def nothing(views: int) -> Side:
    """After a plan was applied."""
    side = first(views)
    return Side(PLAN, copy_of(f"sqlmesh-{views}", after(side.command, side.prepare)))


def full(rows: int) -> Side:
    """All flights, as those of the first day."""
    by_date = link(lambda: inputs.flights(rows), f"data/flights-{FIRST_DAY}.csv")
    return Side((*PLAN, "--execution-time", NEXT_DAY), both(arrived(rows), by_date, files("sqlmesh")))


def day(rows: int) -> Side:
    """Incremental models; the second day after the first."""
    side = full(rows * 9 // 10)
    ran = copy_of(f"sqlmesh-nine-{rows}", after(side.command, side.prepare))
    more = link(lambda: day_file(rows), f"data/flights-{NEXT_DAY}.csv")
    return Side((SQLMESH, "run", "--ignore-cron", "--end", NEXT_DAY), both(ran, more))


def _view(i: int, plus: int = 1) -> str:
    read = "one" if i % 10 == 0 else f"v{i - 1}"
    return _model(f"v{i}", f"SELECT n + {plus} AS n FROM bench.{read}")


def _model(name: str, query: str) -> str:
    return f"MODEL (name bench.{name}, kind FULL);\n{query}\n"
