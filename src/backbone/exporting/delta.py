"""A folder of Delta tables: one that is there is replaced by a commit, and its former versions stay readable."""

from collections.abc import Callable
from pathlib import Path

from backbone.engine.protocol import Session
from backbone.errors import ExportError, MissingExtraError
from backbone.exporting.arrow import Batches
from backbone.exporting.content import Content, Table
from backbone.exporting.outcome import Outcome
from backbone.exporting.places import staged_folder
from backbone.exporting.tables import write_tables
from backbone.exporting.target import Target
from backbone.model.names import quoted


def write_delta(
    content: Content, target: Target, session: Session, *, replace: bool, on_table: Callable[[str], None]
) -> Outcome:
    """Write Delta tables.

    Raises:
        UsageError: the target is there, and is not to be replaced.
    """
    try:
        import deltalake  # noqa: F401 - before anything is done
    except ImportError as error:
        raise MissingExtraError("Exporting Delta tables", "delta") from error

    def write(folder: Path, table: Table) -> int:
        return _write(content, table, folder / table.name, session)

    return write_tables(content, target, write, staged_folder, replacing=replace, on_table=on_table)


def _write(content: Content, table: Table, path: Path, session: Session) -> int:
    """Write one table, and return its rows. Delta has no times of day: they are written as text."""
    from deltalake import CommitProperties, DeltaTable, write_deltalake
    from deltalake.exceptions import DeltaError

    times = {c.name: f"CAST({quoted(c.name)} AS VARCHAR)" for c in table.columns if c.domain == "time"}
    batches = Batches(table, session, times)
    said = {"backbone.dataset": table.dataset, "backbone.snapshot": str(content.snapshot)}
    try:
        write_deltalake(
            str(path), batches.reader(), mode="overwrite", schema_mode="overwrite", name=table.name,
            description=table.comment or None, commit_properties=CommitProperties(custom_metadata=said),
        )  # fmt: skip
        written = DeltaTable(str(path))
        if table.comment and written.metadata().description != table.comment:
            written.alter.set_table_description(table.comment)
    except DeltaError as error:
        if batches.failed is not None:
            raise batches.failed from error
        raise ExportError(f"{table.dataset} can't be written as a Delta table: {error}") from error
    return batches.rows
