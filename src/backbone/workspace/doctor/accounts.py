"""What governance says of the datasets: does it agree with itself, with their rows, and with the cache of it?"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from backbone.lake.catalogue import last_snapshot
from backbone.model.names import zone_of
from backbone.model.steps import Published
from backbone.runs.plan import make_plan
from backbone.runs.run import landed_files, published_in
from backbone.runs.state import State, read_state
from backbone.workspace.doctor.lake import rows_by_dataset
from backbone.workspace.doctor.verdict import REPAIR, Verdict, counted, sound
from backbone.workspace.reading import Reading

if TYPE_CHECKING:
    from backbone.workspace.workspace import Workspace


@dataclass(slots=True)
class _Sum:
    """What the ledgers of a dataset's present generation come to."""

    rows_in: int = 0
    rows_out: int = 0
    quarantined: int = 0
    merged_away: int = 0

    def take(self, row: Mapping[str, Any]) -> None:
        """Add one ledger."""
        for part in fields(self):
            setattr(self, part.name, getattr(self, part.name) + row[part.name])


def check_ledger(reading: Reading) -> Verdict:
    """Whether ledgers balance, and come to what is there: rows, those in quarantine and those merged away."""
    published = published_in(reading.lake)
    wrong: dict[str, str] = {}
    for dataset, text in (*_unequal(reading, published), *_unbalanced(reading, published)):
        wrong.setdefault(dataset, f"{dataset}: {text}")
    unbalanced = reading.records(
        "SELECT DISTINCT dataset FROM lake.governance.ledger WHERE rows_in <> rows_out + quarantined + merged_away"
    )
    for row in unbalanced:
        wrong.setdefault(row["dataset"], f"{row['dataset']}: rows in aren't rows out + quarantined + merged away")
    detail = f"rows in = rows out + quarantined + merged away, and so they are in {counted(len(published), 'dataset')}"
    lost = frozenset(dataset for dataset in wrong if dataset in published)
    return Verdict("ledger", detail, tuple(wrong.values()), f"Make them again: {REPAIR}", lost)


def _unequal(reading: Reading, published: Mapping[str, Published]) -> Iterator[tuple[str, str]]:
    for dataset, rows in rows_by_dataset(reading, list(published)).items():
        if rows is not None and rows != published[dataset].rows:
            yield dataset, f"{rows:,} rows, and {published[dataset].rows:,} were published"


def _unbalanced(reading: Reading, published: Mapping[str, Published]) -> Iterator[tuple[str, str]]:
    aside, merged = _set_aside(reading), _merged(reading)
    for dataset, total in _sums(reading, published).items():
        for what, there, booked in (
            ("rows", published[dataset].rows, total.rows_out),
            ("rows in quarantine", aside.get(dataset, 0), total.quarantined),
            ("rows merged away", merged.get(dataset, 0), total.merged_away),
        ):
            if there != booked:
                yield dataset, f"{there:,} {what}, and {booked:,} in the ledger"


def _sums(reading: Reading, published: Mapping[str, Published]) -> dict[str, _Sum]:
    """The ledgers of datasets that are made row by row, added up from the last one of the whole dataset on.

    Of a dataset that got its rows without a ledger, by a rollback, nothing is told until it is made anew.
    """
    rows = reading.records(
        "SELECT s.dataset, s.status, s.committed, l.* EXCLUDE (run, dataset) FROM lake.governance.step s "
        "LEFT JOIN lake.governance.ledger l ON s.run = l.run AND s.dataset = l.dataset "
        "WHERE s.status <> 'failed' ORDER BY s.committed, l.scope"
    )
    sums: dict[str, _Sum] = {}
    whole: dict[str, int] = {}
    for row in rows:
        dataset = row["dataset"]
        if dataset not in published or zone_of(dataset) not in {"formatted", "trusted"}:
            continue
        if row["scope"] == "dataset":
            sums[dataset], whole[dataset] = _Sum(), row["committed"]
            sums[dataset].take(row)
        elif row["scope"] == "run" and dataset in sums and row["committed"] != whole[dataset]:
            sums[dataset].take(row)
        elif row["scope"] is None and row["status"] != "unchanged":
            sums.pop(dataset, None)
    return sums


def _set_aside(reading: Reading) -> dict[str, int]:
    failed = "SELECT run, dataset FROM lake.governance.step WHERE status = 'failed'"
    rows = reading.records(
        "SELECT dataset, count(DISTINCT (file, record)) AS rows FROM lake.governance.quarantine "
        f"ANTI JOIN ({failed}) USING (run, dataset) GROUP BY dataset"
    )
    return {row["dataset"]: row["rows"] for row in rows}


def _merged(reading: Reading) -> dict[str, int]:
    rows = reading.records("SELECT dataset, count(*) AS rows FROM lake.governance.merged_away GROUP BY dataset")
    return {row["dataset"]: row["rows"] for row in rows}


def check_state(workspace: "Workspace", reading: Reading) -> Verdict:
    """Whether the cache of what is published says what the lake says; one of another snapshot isn't used."""
    environment = workspace.environment
    state, known = read_state(environment.state_path), last_snapshot(environment.site)
    if state is None or (state.lake, state.snapshot) != known:
        return sound("state cache", "out of date; the next run reads the lake instead")
    published = published_in(reading.lake)
    wrong = [*_differing(state, published), *_forgetting(workspace, state, published)]
    detail = f"says what the lake says, at snapshot {state.snapshot}"
    return Verdict("state cache", detail, tuple(wrong), f"Write it again: {REPAIR}")


def _differing(state: State, published: Mapping[str, Published]) -> Iterator[str]:
    for dataset in sorted({*state.published, *published}):
        if state.published.get(dataset) != published.get(dataset):
            yield f"{dataset} isn't as in the lake"


def _forgetting(workspace: "Workspace", state: State, published: Mapping[str, Published]) -> Sequence[str]:
    """What a cache that says that all is up to date leaves undone."""
    if not state.fingerprint or state.fingerprint != workspace.fingerprint or state.upstream is not None:
        return ()
    landed = landed_files(workspace.environment)
    newest = {source: files[-1].id for source, files in landed.items()}
    if newest != state.newest_files:
        return ()
    waiting = make_plan(workspace.steps, published, landed).runs
    return [f"it says that all is up to date, and {step.step.dataset} isn't" for step in waiting]
