"""dbt with DuckDB: it sees changes of code (`state:modified+`), none of data; SQL of one's own names the files."""

from pathlib import Path

from benchmarks.inputs import both
from benchmarks.measuring import Side, after, copy_of
from benchmarks.peers.environments import files, program
from benchmarks.projects import write
from benchmarks.workloads.flow import arrived, one_more

DBT = program("dbt", "dbt")
NOTES = {
    "start": "`dbt --help`: `--version` asks the package index",
    "changed": "with `--state`: code alone is compared",
    "nothing": "with `--state`: code alone is compared, a new file would not be seen",
    "day": "a variable names the file; no quarantine, ledger, audits, profile",
    "full": "a variable names the file; no quarantine, ledger, audits, profile",
}
RUN = (DBT, "run", "--quiet")
CHANGED = (*RUN, "--select", "state:modified+", "--state", "before")


def start() -> Side:
    """The command line alone."""
    return Side((DBT, "--help"))


def first(views: int) -> Side:
    """Every model as a table."""
    texts = {"models/one.sql": "SELECT n FROM read_csv('data/one.csv')\n", "data/one.csv": "n\n1\n"}
    texts |= {f"models/v{i}.sql": _view(i) for i in range(views)}
    settings = files("dbt", "dbt_project.yml", "profiles.yml")
    return Side(RUN, both(settings, lambda folder: write(folder, texts)))


def changed(views: int, one: int) -> Side:
    """One view is changed after a run."""
    change = {f"models/v{one}.sql": _view(one, plus=2)}
    return Side(CHANGED, both(nothing(views).prepare, lambda folder: write(folder, change)))


def nothing(views: int) -> Side:
    """After a run, whose state is kept as `before`."""
    side = first(views)
    return Side(CHANGED, copy_of(f"dbt-{views}", both(after(side.command, side.prepare), _keep_state)))


def full(rows: int) -> Side:
    """All flights."""
    return Side((*RUN, "--vars", "{part: '01'}"), both(arrived(rows), files("dbt")))


def day(rows: int) -> Side:
    """Incremental models; one more file after a run."""
    side = full(rows * 9 // 10)
    ran = copy_of(f"dbt-nine-{rows}", after(side.command, side.prepare))
    return Side((*RUN, "--vars", "{part: '02'}"), both(ran, one_more(rows)))


def _view(i: int, plus: int = 1) -> str:
    read = "one" if i % 10 == 0 else f"v{i - 1}"
    return f"SELECT n + {plus} AS n FROM {{{{ ref('{read}') }}}}\n"


def _keep_state(folder: Path) -> None:
    write(folder, {"before/manifest.json": (folder / "target" / "manifest.json").read_text(encoding="utf-8")})
