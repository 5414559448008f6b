"""What becomes of a run that doesn't end as it should: it is recorded, and what it had staged is removed."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime

from backbone.governance.tables import TABLES
from backbone.lake.catalogue import committed_runs
from backbone.lake.store import Lake
from backbone.lake.transactions import Transaction
from backbone.model.names import literal
from backbone.runs import journal
from backbone.runs.environment import Environment, new_run_id

_KILLED = "it did not end; what it had staged was removed"


@contextmanager
def entered(environment: Environment, lake: Lake, project: str) -> Iterator[str]:
    """A run with its entry in the journal. If the block fails before it has published, so it is recorded.

    Yields:
        The run's id.
    """
    run, site = new_run_id(), environment.site
    entry = {"run": run, "started_at": datetime.now(UTC).isoformat(), "pid": os.getpid(), "project": project}
    with site.books.entering(run, entry):
        try:
            yield run
        except BaseException as error:
            said = "interrupted" if isinstance(error, KeyboardInterrupt) else str(error) or type(error).__name__
            # What can't be written down now (the disk is full), the next run writes down. The error itself is shown.
            with suppress(Exception):
                site.books.note_failure(run, said)
            with suppress(Exception):
                recover(environment, lake, {run: said})
            raise


def recover(environment: Environment, lake: Lake, failed: Mapping[str, str] | None = None) -> None:
    """Record the runs that didn't end, and remove what they had staged.

    Args:
        environment: where they ran.
        lake: its lake.
        failed: why runs failed, by their ids; else their entries tell, and a run of which nothing is told was killed.
    """
    site = environment.site
    if not failed and not journal.has_entries(site):
        return
    with site.books.ended(failed or ()) as entries:
        committed = committed_runs(site)
        dead = [entry for entry in entries if entry["run"] not in committed]
        journal.sweep(site, [str(entry["run"]) for entry in dead], others=site.books.shared)
        recorded = _recorded(lake, [str(entry["run"]) for entry in dead])
        rows = [_row(entry, environment, failed or {}) for entry in dead if entry["run"] not in recorded]
        if rows:
            lake.publish(f"recovery after {rows[0]['run']}", lambda transaction: _record(transaction, rows))
        site.books.forget([str(entry["run"]) for entry in entries])


def _record(transaction: Transaction, rows: Sequence[Mapping[str, object]]) -> None:
    for name in ("run", "step"):
        transaction.ensure(f"governance.{name}", TABLES[name])
    transaction.insert("governance.run", TABLES["run"], rows)


def _row(entry: Mapping[str, object], environment: Environment, failed: Mapping[str, str]) -> dict[str, object]:
    said = failed.get(str(entry["run"])) or entry.get("failed")
    return {
        "run": entry["run"],
        "environment": environment.name,
        "project": entry.get("project"),
        "status": "failed" if said else "killed",
        "started_at": entry["started_at"],
        "message": said or _KILLED,
    }


def _recorded(lake: Lake, runs: list[str]) -> set[object]:
    """Those recorded by a recovery that was itself killed before it could close their entries."""
    if not runs or not lake.has("governance.run"):
        return set()
    found = lake.records(f"SELECT run FROM lake.governance.run WHERE run IN ({', '.join(map(literal, runs))})")
    return {row["run"] for row in found}
