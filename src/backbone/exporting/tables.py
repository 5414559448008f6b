"""A folder of tables with a history of their own: new ones appear together, those that are there change one by one."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

from backbone.errors import ExportError
from backbone.exporting.content import Content, Table
from backbone.exporting.outcome import Outcome
from backbone.exporting.places import alone, check_folder, kept_tables, size_of_folder, write_mark
from backbone.exporting.target import Target
from backbone.model.operations import ExportedTable

Write = Callable[[Path, Table], int]
"""Writes one table in a folder, and returns its rows."""


def write_tables(
    content: Content,
    target: Target,
    write: Write,
    new: Callable[[Path, Path], AbstractContextManager[Path]],
    *,
    replacing: bool,
    on_table: Callable[[str], None],
) -> Outcome:
    """Write all tables of an export.

    Args:
        content: what is exported.
        target: the folder.
        write: writes one of them.
        new: makes the folder where it isn't there, given it and one beside: in the block, the path to write to.
        replacing: whether tables that are there may be replaced.
        on_table: called with each dataset before it is written.

    Raises:
        UsageError: the target is there, and is not to be replaced.
        ExportError: a table can't be written; it says which ones have been replaced before.
    """
    folder = Path(target.location)
    with alone(folder) as beside:
        if check_folder(folder, target, replace=replacing):
            return replace(_replaced(content, target, folder, write, on_table), replaced=True)
        with new(folder, beside) as part:
            tables = [_one(table, target, part, write, on_table) for table in content.tables]
            write_mark(part, content, target.kind, {one.dataset: one.rows for one in tables})
    return Outcome(tuple(tables), sum(one.bytes or 0 for one in tables))


def _replaced(content: Content, target: Target, folder: Path, write: Write, on_table: Callable[[str], None]) -> Outcome:
    """Replace tables one by one; the folder says what it holds even if that ends in the midst."""
    done: list[ExportedTable] = []
    try:
        for table in content.tables:
            done.append(_one(table, target, folder, write, on_table))  # noqa: PERF401 - those before one that fails count
    except ExportError as error:
        names = ", ".join(one.dataset for one in done) or "none"
        raise ExportError(f"{error}\nReplaced before it: {names}; the others are as they were") from error
    finally:
        rows = {one.dataset: one.rows for one in done}
        written = replace(content, tables=tuple(t for t in content.tables if t.dataset in rows))
        kept = kept_tables(folder, written)
        write_mark(folder, written, target.kind, rows, kept)
    return Outcome(tuple(done), sum(one.bytes or 0 for one in done), kept=tuple(str(one["table"]) for one in kept))


def _one(table: Table, target: Target, folder: Path, write: Write, on_table: Callable[[str], None]) -> ExportedTable:
    on_table(table.dataset)
    rows = write(folder, table)
    shown = str(Path(target.shown) / table.name)
    return ExportedTable(table.dataset, rows, size_of_folder(folder / table.name), shown)
