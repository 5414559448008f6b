"""Tables as Spark sees them: made readable when a query first names them."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backbone.engine.spark.failures import explained
from backbone.engine.spark.kinds import name_sql
from backbone.errors import EngineError
from backbone.model.names import literal, quoted, quoted_dataset, stem_of, zone_of
from backbone.model.relations import Attribute, Relation

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    from backbone.engine.duckdb.session import DuckDBSession
    from backbone.engine.protocol import Written
    from backbone.model.steps import Extent, Removal

CountRows = Callable[[], int | None]
"""About how many rows a table has; None where nobody knows."""
_DOMAINS = {
    "text": "STRING",
    "integer": "BIGINT",
    "float": "DOUBLE",
    "boolean": "BOOLEAN",
    "date": "DATE",
    "timestamp": "TIMESTAMP_NTZ",
    "timestamp_tz": "TIMESTAMP",
    "binary": "BINARY",
    "json": "STRING",
}


def spark_domain(domain: str) -> str | None:
    """Spark's type for a domain; None for times of day, which it hasn't."""
    if domain.endswith("[]"):
        element = spark_domain(domain[:-2])
        return element and f"ARRAY<{element}>"
    if domain.startswith("decimal("):
        return f"DECIMAL(18,{domain[8:-1]})"
    return _DOMAINS.get(domain)


def parquet_frame(spark: "SparkSession", paths: Sequence[Path], relation: Relation) -> "DataFrame":
    """Parquet files as a table: columns that a file lacks are NULL in its rows, as are all where there are no files.

    Nothing is read to find the columns: they are known.
    """
    known = [(a.name, kind) for a in relation.attributes if (kind := spark_domain(a.domain))]
    schema = ", ".join(f"{name_sql(name)} {kind}" for name, kind in known)
    if not paths:
        return spark.createDataFrame([], schema)
    return spark.read.schema(schema).parquet(*(path.absolute().as_uri() for path in paths))


@dataclass(slots=True)
class Tables:
    """The tables of one step. `prefix` tells its views in Spark from those of other steps.

    Spark reads a dataset's own Parquet files where they say all: none of their rows deleted since, no column renamed,
    no rows in the catalogue, no object store that only DuckDB is told how to reach. Else DuckDB writes the rows as they
    are in that snapshot, and Spark reads those; so too what came and went, which is little.
    """

    spark: "Callable[[], SparkSession]"
    driver: "DuckDBSession"
    scratch: Path
    prefix: str
    catalogue: str = "main"
    makers: dict[str, Callable[[], "DataFrame"]] = field(default_factory=dict)
    counts: dict[str, CountRows] = field(default_factory=dict)
    shown: set[str] = field(default_factory=set)
    numbers: Iterator[int] = field(default_factory=count)

    def add(self, name: str, make: "Callable[[], DataFrame]", rows: CountRows) -> None:
        """Say how a table is made, and about how many rows it has."""
        self.makers[name], self.counts[name] = make, rows
        self.shown.discard(name)

    def view(self, name: str) -> str:
        """What Spark calls a table that is shown to it."""
        return name_sql(f"{self.prefix}_{name}")

    def rows_of(self, name: str) -> int | None:
        """About how many rows a table has; None where nobody knows."""
        return self.counts[name]()

    def show(self, name: str) -> None:
        """Make a table readable in Spark, if it isn't yet."""
        if name not in self.shown:
            self.makers[name]().createOrReplaceTempView(f"{self.prefix}_{name}")
            self.shown.add(name)

    def close(self) -> None:
        """Drop the views. Where Spark is gone, so are they."""
        with suppress(EngineError), explained():
            for name in self.shown:
                self.spark().catalog.dropTempView(f"{self.prefix}_{name}")
        self.shown.clear()

    def dataset(self, extent: "Extent", relation: Relation) -> "DataFrame":
        """All the rows of a dataset, with the columns of `relation`."""
        if extent.snapshot is None:
            return self._chosen(parquet_frame(self.spark(), extent.added, relation), relation)
        files = self._own_files(extent)
        if files is None:
            return self._read(self._exported(extent, quoted_dataset(extent.dataset), relation), relation)
        held = extent.relation.names if extent.held is None else extent.held
        rows = parquet_frame(
            self.spark(), files, Relation(tuple(a for a in extent.relation.attributes if a.name in held))
        )
        for removal in extent.removed:
            rows = self._without(rows, removal, extent.relation)
        there = self._chosen(rows, relation)
        if not extent.added:
            return there
        return there.unionAll(self._chosen(parquet_frame(self.spark(), extent.added, relation), relation))

    def changes(self, extent: "Extent", which: str, relation: Relation) -> "tuple[Callable[[], DataFrame], CountRows]":
        """The rows of a dataset that came (`__inserted`) or went (`__deleted`) since its reader saw it; how many."""
        table = f"{quoted(which)}.{quoted(f'{zone_of(extent.dataset)}__{stem_of(extent.dataset)}')}"
        written = cache(lambda: self._exported(extent, table, relation))
        return lambda: self._read(written(), relation), lambda: written().rows

    def _exported(self, extent: "Extent", table: str, relation: Relation) -> "Written":
        self.driver.show_system(True)
        self.driver.show(extent)
        columns = ", ".join(quoted(name) for name in relation.names)
        path = self.scratch / f"export{next(self.numbers)}.parquet"
        return self.driver.write(f"SELECT {columns} FROM {table}", path, relation=relation)

    def _read(self, written: "Written", relation: Relation) -> "DataFrame":
        return self._chosen(parquet_frame(self.spark(), written.paths, relation), relation)

    def _without(self, rows: "DataFrame", removal: "Removal", relation: Relation) -> "DataFrame":
        keys = Relation(tuple(Attribute(c, relation.domain(c) or "text") for c in removal.columns))
        gone = parquet_frame(self.spark(), removal.paths, keys).toDF(*(f"k{n}" for n in range(len(removal.columns))))
        condition: Any = None
        for n, column in enumerate(removal.columns):
            same = rows[name_sql(column)].eqNullSafe(gone[f"k{n}"])
            condition = same if condition is None else condition & same
        return rows.join(gone, condition, "left_anti")

    def _chosen(self, rows: "DataFrame", relation: Relation) -> "DataFrame":
        there = set(rows.columns)
        known = [(a.name, kind) for a in relation.attributes if (kind := spark_domain(a.domain))]
        return rows.selectExpr(
            *(name_sql(name) if name in there else f"CAST(NULL AS {kind}) AS {name_sql(name)}" for name, kind in known)
        )

    def _own_files(self, extent: "Extent") -> list[Path] | None:
        """The files that hold exactly a dataset's rows at its snapshot; None where there are no such."""
        if extent.lake != "lake":  # where another project has its catalogue, this one isn't told
            return None
        zone, stem = literal(zone_of(extent.dataset)), literal(stem_of(extent.dataset))
        listed = self.driver.rows(
            f"SELECT data_file, delete_file IS NOT NULL, data_file_encryption_key IS NOT NULL FROM ducklake_list_files("
            f"'lake', {stem}, schema => {zone}, snapshot_version => {extent.snapshot})"
        )
        if any(deleted or encrypted or "://" in path for path, deleted, encrypted in listed):
            return None
        catalogue = f"__ducklake_metadata_lake.{quoted(self.catalogue)}"
        ((inlined, renamed),) = self.driver.rows(
            f"WITH t AS (SELECT table_id FROM {catalogue}.ducklake_table JOIN {catalogue}.ducklake_schema AS s "
            f"USING (schema_id) WHERE schema_name = {zone} AND table_name = {stem} AND s.end_snapshot IS NULL) "
            f"SELECT (SELECT count(*) FROM {catalogue}.ducklake_inlined_data_tables WHERE table_id IN (FROM t)), "
            f"(SELECT count(*) FROM (SELECT 1 FROM {catalogue}.ducklake_column WHERE table_id IN (FROM t) "
            f"GROUP BY table_id, column_id HAVING count(DISTINCT column_name) > 1))"
        )
        return None if inlined or renamed else [Path(path) for path, _, _ in listed]
