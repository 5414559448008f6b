"""A folder of Iceberg tables with its catalogue, an SQLite file: one that is there is replaced by a commit.

Iceberg's metadata name their files by full paths, so such a folder can't be written beside and moved, nor moved later.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from warnings import catch_warnings, simplefilter

from backbone.engine.protocol import Session
from backbone.errors import ExportError, MissingExtraError
from backbone.exporting.arrow import Batches
from backbone.exporting.content import Content, Table
from backbone.exporting.outcome import Outcome
from backbone.exporting.places import built_folder
from backbone.exporting.tables import write_tables
from backbone.exporting.target import Target

if TYPE_CHECKING:
    from pyiceberg.catalog.sql import SqlCatalog
    from pyiceberg.table import Transaction

CATALOGUE = "catalog.sqlite"
FILE_BYTES = 128 * 1024**2
"""What is written to one file, as Arrow has it in memory: pyiceberg collects so much, by default half a gigabyte."""
_NO_KEYS = ("float", "json", "binary")
"""Domains that Iceberg takes for no part of an identifier, or that identify nothing."""


def write_iceberg(
    content: Content, target: Target, session: Session, *, replace: bool, on_table: Callable[[str], None]
) -> Outcome:
    """Write Iceberg tables.

    Raises:
        UsageError: the target is there, and is not to be replaced.
    """
    try:
        import pyiceberg.catalog.sql  # noqa: F401 - before anything is done
    except ImportError as error:
        raise MissingExtraError("Exporting Iceberg tables", "iceberg") from error

    def write(folder: Path, table: Table) -> int:
        return _write(content, table, target.schema, folder, session)

    return write_tables(
        content, target, write, lambda folder, _: built_folder(folder, content, target.kind), replacing=replace,
        on_table=on_table,
    )  # fmt: skip


def open_catalogue(folder: Path) -> "SqlCatalog":
    """The catalogue of a folder of tables."""
    from pyiceberg.catalog.sql import SqlCatalog

    return SqlCatalog("backbone", uri=f"sqlite:///{folder / CATALOGUE}", warehouse=folder.as_uri())


def _write(content: Content, table: Table, namespace: str, folder: Path, session: Session) -> int:
    """Write one table in one commit, and return its rows."""
    batches = Batches(table, session, {})
    said = {"backbone.dataset": table.dataset, "backbone.snapshot": str(content.snapshot)}
    try:
        with catch_warnings():
            simplefilter("ignore")  # of deletes that match nothing, and of threads: nothing people could act on
            catalogue = open_catalogue(folder)
            try:
                catalogue.create_namespace_if_not_exists(namespace)
                _commit(catalogue, (namespace, table.name), table, folder, batches, said)
            finally:
                catalogue.close()
    except Exception as error:  # its errors, SQLAlchemy's and Arrow's have nothing else in common
        if batches.failed is not None:
            raise batches.failed from error
        raise ExportError(f"{table.dataset} can't be written as an Iceberg table: {error}") from error
    return batches.rows


def _commit(
    catalogue: "SqlCatalog", name: tuple[str, str], table: Table, folder: Path, batches: Batches, said: dict[str, str]
) -> None:
    reader = batches.reader()
    properties = {
        **said,
        "write.target-file-size-bytes": str(FILE_BYTES),
        **({"comment": table.comment} if table.comment else {}),
    }
    if not catalogue.table_exists(name):
        location = (folder / table.name).as_uri()
        with catalogue.create_table_transaction(name, reader.schema, location=location, properties=properties) as new:
            _identify(new, table)
            new.append(reader, snapshot_properties=said)
        return
    present = catalogue.load_table(name)
    with present.transaction() as change:
        _reshape(change, present.schema().as_arrow(), reader.schema)
        _identify(change, table)
        change.set_properties(properties)
        change.overwrite(reader, snapshot_properties=said)


def _identify(transaction: "Transaction", table: Table) -> None:
    """Say which columns identify a row."""
    domains = {column.name: column.domain for column in table.columns}
    key = table.constraints.key
    fit = all(domains[name] not in _NO_KEYS and not domains[name].endswith("[]") for name in key)
    with transaction.update_schema() as schema:
        schema.set_identifier_fields(*(key if fit else ()))


def _reshape(change: "Transaction", present: Any, wanted: Any) -> None:
    """Give a table the columns that are wanted: those of another type, or that may not be null now, are made anew."""
    known = {field.name: field for field in wanted}
    gone = [f.name for f in present if f.name not in known or _shape(f) != _shape(known[f.name])]
    with change.update_schema(allow_incompatible_changes=True) as schema:
        schema.set_identifier_fields()
    with change.update_schema(allow_incompatible_changes=True) as schema:
        for name in gone:
            schema.delete_column(name)
    with change.update_schema(allow_incompatible_changes=True) as schema:
        schema.union_by_name(wanted)


def _shape(field: Any) -> tuple[object, ...]:
    """A column's type, whatever its parts are called, and whether it may be null."""
    import pyarrow as pa

    inner, depth = field.type, 0
    while pa.types.is_list(inner) or pa.types.is_large_list(inner):
        inner, depth = inner.value_type, depth + 1
    name = str(inner).removeprefix("large_")
    return (name, depth, field.nullable)
