"""A folder of files: one for each dataset, in Parquet, CSV or Arrow IPC."""

from collections.abc import Callable
from pathlib import Path

from backbone.engine.protocol import Session
from backbone.errors import MissingExtraError
from backbone.exporting.content import Column, Content, Table
from backbone.exporting.outcome import Outcome
from backbone.exporting.places import alone, check_folder, staged_folder, write_mark
from backbone.exporting.target import Target
from backbone.model.names import literal, quoted
from backbone.model.operations import ExportedTable

_COPIED = {
    "parquet": "FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1, DICTIONARY_SIZE_LIMIT 10000, "
    "PRESERVE_ORDER false",
    "csv": "FORMAT csv, HEADER true",
}
"""Parquet as every reader knows it (version 1); without an order of rows, wide rows keep within memory_limit."""


def write_folder(
    content: Content, target: Target, session: Session, *, replace: bool, on_table: Callable[[str], None]
) -> Outcome:
    """Write a folder of files, and let it take the target's place when it is whole.

    Raises:
        UsageError: the target is there, and is not to be replaced.
    """
    folder = Path(target.location)
    with alone(folder) as beside:
        replaced = check_folder(folder, target, replace=replace)
        with staged_folder(folder, beside) as part:
            tables = _written(content, target, part, session, on_table)
    return Outcome(tuple(tables), sum(one.bytes or 0 for one in tables), replaced=replaced)


def _written(
    content: Content, target: Target, part: Path, session: Session, on_table: Callable[[str], None]
) -> list[ExportedTable]:
    tables = []
    for table in content.tables:
        on_table(table.dataset)
        path = part / f"{table.name}.{target.kind}"
        rows = _write(table, path, target.kind, session)
        place = str(Path(target.shown) / path.name)
        tables.append(ExportedTable(table.dataset, rows, path.stat().st_size, place))
    write_mark(part, content, target.kind, {one.dataset: one.rows for one in tables})
    return tables


def _write(table: Table, path: Path, kind: str, session: Session) -> int:
    if kind == "arrow":
        return _write_arrow(table, path, session)
    form = {c.name: _as_text(c) for c in table.columns if kind == "csv" and _is_nested(c)}
    copied = session.rows(f"COPY ({table.query(form)}) TO {literal(str(path))} ({_COPIED[kind]})")
    return int(copied[0][0])


def _is_nested(column: Column) -> bool:
    return column.domain.endswith("[]") or column.domain == "binary"


def _as_text(column: Column) -> str:
    """What CSV has no notation for: lists as JSON, bytes as base64."""
    return f"base64({quoted(column.name)})" if column.domain == "binary" else f"to_json({quoted(column.name)})"


def _write_arrow(table: Table, path: Path, session: Session) -> int:
    """Write batches as they come. Not compressed: readers can then map the file into memory."""
    try:
        import pyarrow as pa
    except ImportError as error:
        raise MissingExtraError("Exporting to Arrow files", "dataframes") from error
    rows = 0
    reader = session.fetch(table.query(), "arrow_batches")
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, reader.schema) as writer:
        for batch in reader:
            writer.write_batch(batch)
            rows += batch.num_rows
    return rows
