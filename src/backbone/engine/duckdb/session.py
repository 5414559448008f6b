"""A session on DuckDB: one step's view of the data."""

from pathlib import Path
from typing import TYPE_CHECKING, Any
from warnings import catch_warnings, simplefilter

import duckdb

from backbone.engine.duckdb.reading import deleted_sql, extent_sql, inserted_sql
from backbone.engine.protocol import Written
from backbone.errors import EngineError, MissingExtraError
from backbone.model.domains import domain_of, sql_type
from backbone.model.names import literal, quoted, stem_of, zone_of
from backbone.model.passwords import without_passwords
from backbone.model.relations import Attribute, Relation
from backbone.model.statements import bare
from backbone.troubles import trouble

if TYPE_CHECKING:
    from backbone.model.steps import Extent

_PARQUET = "FORMAT parquet, PARQUET_VERSION v2, COMPRESSION zstd, COMPRESSION_LEVEL 1"
"""Half the CPU of DuckDB's defaults, in files that are no larger and read in two thirds of the time (ADR 18)."""

_SMALL_DICTIONARIES = ", DICTIONARY_SIZE_LIMIT 10000"
"""Values beyond which a column's dictionary isn't worth its making; the memory for it is taken beforehand."""
_WIDE = 500
_BATCH_ROWS = 65_536
"""Rows of an Arrow batch: by a million, as DuckDB has it, a few wide batches are more than memory_limit."""


class DuckDBSession:
    """Implements `Session` on one DuckDB cursor with a catalogue of its own."""

    def __init__(self, cursor: duckdb.DuckDBPyConnection, scratch: Path) -> None:
        self._cursor = cursor
        self._scratch = scratch
        self._system = False
        self._schemas: set[str] = set()
        self._described: dict[str, tuple[tuple[str, str], ...]] = {}

    @property
    def learning(self) -> None:
        """See `Session`: DuckDB has none."""

    def show_system(self, shown: bool) -> None:
        """See `Session`."""
        self._system = shown

    def show(self, extent: "Extent") -> None:
        """See `Session`."""
        zone, stem = zone_of(extent.dataset), stem_of(extent.dataset)
        names = extent.relation.names if self._system else tuple(a.name for a in extent.relation.visible)
        self._view(zone, stem, extent_sql(extent, names))
        if extent.since is None:
            return
        self._view("__inserted", f"{zone}__{stem}", inserted_sql(extent))
        self._view("__deleted", f"{zone}__{stem}", deleted_sql(extent))

    def _view(self, schema: str, name: str, sql: str) -> None:
        if schema not in self._schemas:
            self._cursor.execute(f"CREATE SCHEMA IF NOT EXISTS {quoted(schema)}")
            self._schemas.add(schema)
        self.execute(f"CREATE OR REPLACE VIEW {quoted(schema)}.{quoted(name)} AS {sql}")

    def _run(self, sql: str) -> duckdb.DuckDBPyConnection:
        try:
            return self._cursor.execute(sql)
        except duckdb.Error as error:
            raise EngineError(trouble(error, self._scratch) or without_passwords(str(error))) from error

    def execute(self, sql: str) -> None:
        """See `Session`."""
        self._described.clear()
        self._run(sql)

    def statements(self, sql: str) -> list[str]:
        """The statements of a text, one by one."""
        return [statement.query for statement in self._cursor.extract_statements(sql)]

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """See `Session`."""
        return self._run(query).fetchall()

    def describe(self, query: str) -> Relation:
        """See `Session`."""
        return Relation(tuple(Attribute(name, domain_of(kind)) for name, kind in self.columns(bare(query))))

    def columns(self, query: str) -> tuple[tuple[str, str], ...]:
        """Names and types of what a SELECT would return; asked once, as long as nothing else is shown."""
        if query not in self._described:
            rows = self._run(f"DESCRIBE {query}").fetchall()
            self._described[query] = tuple((name, kind) for name, kind, *_ in rows)
        return self._described[query]

    def write(self, query: str, path: Path, *, ordered: bool = False, relation: Relation | None = None) -> Written:
        """See `Session`."""
        query = bare(query)
        kinds = dict(self.columns(query))
        wanted = relation or self.describe(query)
        columns = ", ".join(cast_column(a, kinds[a.name]) for a in wanted.attributes)
        path.parent.mkdir(parents=True, exist_ok=True)
        dictionaries = _SMALL_DICTIONARIES if len(wanted.attributes) <= _WIDE else ""
        options = f"{_PARQUET}{dictionaries}, PRESERVE_ORDER {'true' if ordered else 'false'}"
        try:
            copied = self._run(
                f"COPY (SELECT {columns} FROM ({query}\n)) TO {literal(str(path))} ({options})"
            ).fetchone()
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        return Written((path,), copied[0] if copied else 0, path.stat().st_size, wanted)

    def fetch(self, query: str, form: str) -> Any:
        """See `Session`."""
        if form == "spark":
            raise EngineError("a DataFrame of Spark's needs the engine Spark: write `engine: spark` into backbone.yml")
        try:
            result = self._cursor.sql(bare(query))
            if form == "pandas":
                with catch_warnings():  # DuckDB's conversion uses what newer pandas deprecate
                    simplefilter("ignore", DeprecationWarning)
                    return result.df()
            if form == "polars":
                return result.pl()
            if form == "arrow":
                return result.to_arrow_table()
            if form == "arrow_batches":
                return result.to_arrow_reader(_BATCH_ROWS)
        except ImportError as error:
            raise MissingExtraError(f"Reading data as {form}", "dataframes") from error
        except duckdb.Error as error:
            raise EngineError(trouble(error, self._scratch) or without_passwords(str(error))) from error
        return result

    def register(self, name: str, table: Any) -> None:
        """See `Session`."""
        self._described.clear()
        if isinstance(table, duckdb.DuckDBPyRelation):
            table.create(name)
        else:
            self._cursor.register(name, table)


def cast_column(attribute: Attribute, kind: str) -> str:
    """A column of DuckDB's type `kind` as one of its attribute's domain."""
    name, wanted = quoted(attribute.name), sql_type(attribute.domain)
    if attribute.domain == "json" and kind != "JSON":
        return f"to_json({name}) AS {name}"
    return name if kind == wanted else f"CAST({name} AS {wanted}) AS {name}"
