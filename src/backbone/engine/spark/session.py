"""A session on Spark: one step's view of the data."""

import re
import shutil
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backbone.engine.duckdb.session import cast_column
from backbone.engine.protocol import Written, parts_of
from backbone.engine.spark.failures import explained
from backbone.engine.spark.giving import can_be_given, reading_given, schema_of, write_given
from backbone.engine.spark.here import Here, are_few
from backbone.engine.spark.kinds import name_sql
from backbone.engine.spark.planner import Planned, plan_query
from backbone.engine.spark.refusal import refuse
from backbone.engine.spark.tables import Tables, parquet_frame
from backbone.errors import EngineError
from backbone.model.domains import domain_of, sql_type
from backbone.model.names import literal, parquet_table, quoted, stem_of, zone_of
from backbone.model.relations import Attribute, Relation
from backbone.model.statements import bare

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyspark.sql import DataFrame, SparkSession

    from backbone.engine.duckdb.session import DuckDBSession
    from backbone.engine.spark.expressions import Node
    from backbone.engine.spark.ml import SparkLearning
    from backbone.engine.spark.tables import CountRows
    from backbone.model.steps import Extent

_LEAVES = "__leaf"
_CREATE = re.compile(r"\s*CREATE\s+(?:OR\s+REPLACE\s+)?(?:TEMP\s+)?TABLE\s+(\S+)\s+AS\s+(.*)", re.DOTALL)
_INSERT = re.compile(r"\s*INSERT\s+INTO\s+(\S+)\s+BY\s+NAME\s+(.*)", re.DOTALL)
_DROP = re.compile(r"\s*DROP\s+TABLE\s+(\S+)\s*")
_FETCHED = "__fetched"


class SparkStep:
    """Implements `Session`: DuckDB binds each query to empty tables, Spark carries it out; or DuckDB, for few rows.

    `planner` holds the empty tables; `driver` is a session of DuckDB's that sees the lake, for what Spark can't read
    by itself; `here` is another, which answers what is asked of few rows; `reader` a third, for the forms that people's
    Python wants: batches are read while other queries run.
    """

    def __init__(
        self,
        spark: "Callable[[], SparkSession]",
        planner: "DuckDBSession",
        *,
        driver: "DuckDBSession",
        here: "DuckDBSession",
        reader: "DuckDBSession",
        scratch: Path,
        catalogue: str = "main",
        remote: bool = False,
    ) -> None:
        self._spark = spark
        self._remote = remote
        self._learning: SparkLearning | None = None
        self._planner = planner
        self._driver = driver
        self._here = Here(here)
        self._reader = reader
        self._scratch = scratch
        self._tables = Tables(spark, driver, scratch, scratch.name, catalogue)
        self._system = False
        self._schemas: set[str] = set()
        self._number = 0
        self._rows: dict[Path, int] = {}
        self._given: dict[str, str] = {}
        self._made_there: set[str] = set()
        self._leaf_of: dict[str, str] = {}

    @property
    def learning(self) -> "SparkLearning":
        """See `Session`: Spark ML."""
        if self._learning is None:
            from backbone.engine.spark.ml import SparkLearning

            self._learning = SparkLearning(self._spark, lambda query: self.fetch(query, "spark"), remote=self._remote)
        return self._learning

    def show_system(self, shown: bool) -> None:
        """See `Session`."""
        self._system = shown
        self._here.tell(lambda here: here.show_system(shown))

    def show(self, extent: "Extent") -> None:
        """See `Session`."""
        zone, stem, whole = zone_of(extent.dataset), stem_of(extent.dataset), extent.relation
        shown = whole if self._system else Relation(whole.visible)
        self._here.tell(lambda here: here.show(extent))
        self._name(zone, stem, self._leaf(shown, lambda: self._tables.dataset(extent, shown), lambda: extent.rows))
        if extent.since is None:
            return
        for which in ("__inserted", "__deleted"):
            make, rows = self._tables.changes(extent, which, whole)
            self._name(which, f"{zone}__{stem}", self._leaf(whole, make, rows))

    def _name(self, schema: str, name: str, leaf: str) -> None:
        self._schema(schema)
        self._planner.execute(f"CREATE OR REPLACE VIEW {quoted(schema)}.{quoted(name)} AS FROM {leaf}")

    def _schema(self, schema: str) -> None:
        if schema not in self._schemas:
            self._planner.execute(f"CREATE SCHEMA IF NOT EXISTS {quoted(schema)}")
            self._schemas.add(schema)

    def _leaf(self, relation: Relation, make: "Callable[[], DataFrame]", rows: "CountRows") -> str:
        """An empty table for the planner, which stands for one that Spark can make."""
        return self._typed_leaf([(a.name, sql_type(a.domain)) for a in relation.attributes], make, rows)

    def _typed_leaf(
        self, columns: Sequence[tuple[str, str]], make: "Callable[[], DataFrame]", rows: "CountRows"
    ) -> str:
        self._schema(_LEAVES)
        self._number += 1
        name = f"t{self._number}"
        listed = ", ".join(f"{quoted(column)} {kind}" for column, kind in columns)
        self._planner.execute(f"CREATE TABLE {quoted(_LEAVES)}.{name} ({listed})")
        self._tables.add(name, make, rows)
        return f"{quoted(_LEAVES)}.{name}"

    def _scan(self, node: "Node") -> str:
        """The name of the table of a scan."""
        data = node.get("function_data") or {}
        if node["name"] == "read_parquet":
            return self._files(data["files"], list(zip(data["names"], data["types"], strict=True)))
        return self._checked(node)

    def _checked(self, node: "Node") -> str:
        """The name of the table of a scan, if it is one of those that were shown."""
        data = node.get("function_data") or {}
        if data.get("schema") != _LEAVES:
            raise refuse(f"{node['name']}(…) in a FROM", word=node["name"])
        return str(data["table"])

    def _files(self, paths: Sequence[str], columns: Sequence[tuple[str, Any]]) -> str:
        from backbone.engine.spark.kinds import kind_of, spark_type

        name = f"files{abs(hash(tuple(paths))):x}"
        schema = ", ".join(f"{name_sql(column)} {spark_type(kind_of(kind))}" for column, kind in columns)
        known = [self._rows.get(Path(path).absolute()) for path in paths]
        rows = None if None in known else sum(one or 0 for one in known)
        self._tables.add(
            name,
            lambda: self._spark().read.schema(schema).parquet(*(Path(path).absolute().as_uri() for path in paths)),
            lambda: rows,
        )
        return name

    def _plan(self, query: str) -> Planned:
        return plan_query(self._planner, bare(query), self._scan, self._tables.view, strict=False)

    def _is_few(self, planned: Planned) -> bool:
        return are_few(planned.plan, {scan: self._tables.rows_of(name) for scan, name in planned.tables.items()})

    def _frame(self, planned: Planned) -> "DataFrame":
        if can_be_given(planned, self._given, self._made_there):
            planned = reading_given(planned, self._given, self._tables.view)
        with explained():
            for table in planned.tables.values():
                self._tables.show(table)
            return self._spark().sql(planned.sql)

    def execute(self, sql: str) -> None:
        """See `Session`."""
        for statement in self._planner.statements(sql):
            if found := _CREATE.fullmatch(statement):
                self._create(found[1], found[2])
            elif found := _INSERT.fullmatch(statement):
                self._create(found[1], f"FROM {found[1]} UNION ALL BY NAME {found[2]}")
            elif found := _DROP.fullmatch(statement):
                self._planner.execute(f"DROP VIEW {found[1]}")
                self._given.pop(self._leaf_of.pop(found[1], ""), None)
                self._here.execute(statement)
            else:
                self._planner.execute(statement)
                self._here.execute(statement)

    def _create(self, name: str, query: str) -> None:
        """A temporary table: its rows are written once, so that all who read it see the same."""
        planned = self._plan(query)
        write = cache(lambda: self._kept(planned))
        if self._is_few(planned):
            rows: int | None = self._here.make(name, query)
        else:
            rows = None
            self._here.stand_in(name, planned.columns)
            write()
        self._given.pop(self._leaf_of.get(name, ""), None)  # the name means other rows now
        leaf = self._typed_leaf(planned.columns, write, lambda: rows)
        self._leaf_of[name] = made = f"t{self._number}"
        if rows is None:
            self._made_there.add(made)
        else:
            self._give(made, name, planned.columns)
        self._planner.execute(f"CREATE OR REPLACE VIEW {name} AS FROM {leaf}")

    def _give(self, leaf: str, table: str, columns: Sequence[tuple[str, str]]) -> None:
        """Let Spark read a table that was made here, when it first does."""
        schema = schema_of(columns)
        if schema is None:
            return
        path, given = (self._scratch / f"{leaf}_given.parquet").absolute(), f"{leaf}_given"

        def make() -> "DataFrame":
            write_given(self._here.asked(), table, columns, path)
            return self._spark().read.schema(schema).parquet(path.as_uri())

        self._tables.add(given, make, lambda: None)
        self._given[leaf] = given

    def _kept(self, planned: Planned) -> "DataFrame":
        folder, self._number = self._scratch / f"table{self._number}", self._number + 1
        place, frame = folder.absolute().as_uri(), self._frame(planned)
        with explained():
            frame.write.parquet(place)
            names = (column for column, _ in planned.columns)
            return self._spark().read.schema(frame.schema).parquet(place).toDF(*names)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """See `Session`."""
        planned = self._plan(query)
        if self._is_few(planned):
            return self._here.asked().rows(query)
        frame = self._frame(planned)
        with explained():
            table = frame.toArrow()
        self._driver.register(_FETCHED, table)
        return self._driver.rows(_typed(f'"{_FETCHED}"', planned))

    def describe(self, query: str) -> Relation:
        """See `Session`. What isn't known to give the same on Spark is refused here: before anything runs."""
        columns = plan_query(self._planner, bare(query), self._checked, strict=True).columns
        return Relation(tuple(Attribute(name, domain_of(kind)) for name, kind in columns))

    def write(self, query: str, path: Path, *, ordered: bool = False, relation: Relation | None = None) -> Written:
        """See `Session`. Spark keeps an order that a query has, asked or not."""
        del ordered
        query = bare(query)
        kinds = self._planner.columns(query)
        wanted = relation or Relation(tuple(Attribute(name, domain_of(kind)) for name, kind in kinds))
        known = dict(kinds)
        columns = ", ".join(cast_column(a, known[a.name]) for a in wanted.attributes)
        frame = self._frame(self._plan(f"SELECT {columns} FROM ({query}\n)"))
        folder = self._scratch / f"{path.stem}-{self._number}"
        self._number += 1
        try:
            with explained():
                frame.toDF(*wanted.names).write.parquet(folder.absolute().as_uri())
            return self._taken(sorted(folder.glob("part-*.parquet")), path, wanted)
        except BaseException:
            for part in parts_of(path):
                part.unlink(missing_ok=True)
            raise
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _taken(self, parts: Sequence[Path], path: Path, relation: Relation) -> Written:
        """The parts that Spark wrote, less those without rows, where a dataset's files belong."""
        files = ", ".join(literal(str(part)) for part in parts)
        counted = self._driver.rows(f"SELECT file_name, num_rows FROM parquet_file_metadata([{files}])")
        rows = {Path(name): int(number) for name, number in counted}
        kept = [part for part in parts if rows[part]] or list(parts[:1])
        path.parent.mkdir(parents=True, exist_ok=True)
        paths = [path] if len(kept) == 1 else [path.with_name(f"{path.stem}_{n:05}.parquet") for n in range(len(kept))]
        for part, place in zip(kept, paths, strict=True):
            shutil.move(part, place)
            self._rows[place.absolute()] = rows[part]
        return Written(tuple(paths), sum(rows.values()), sum(p.stat().st_size for p in paths), relation)

    def fetch(self, query: str, form: str) -> Any:
        """See `Session`. `spark` is a form too: Spark's own DataFrame, of which nothing is read yet."""
        planned = self._plan(query)
        if form == "spark":
            return self._frame(planned).toDF(*(name for name, _ in planned.columns))
        if self._is_few(planned):
            return self._here.fetch(bare(query), form, self._reader)
        frame = self._frame(planned)
        folder = self._scratch / f"fetched{self._number}"
        self._number += 1
        with explained():
            frame.write.parquet(folder.absolute().as_uri())
        table = parquet_table(sorted(folder.glob("part-*.parquet")))
        return self._reader.fetch(_typed(table, planned), form)

    def register(self, name: str, table: Any) -> None:
        """See `Session`."""
        if type(table).__module__.startswith("pyspark."):
            columns = [(field.name, _duckdb_type(field.dataType.simpleString())) for field in table.schema.fields]
            self._here.stand_in(quoted(name), columns)
            leaf = self._typed_leaf(columns, lambda: table, lambda: None)
        else:
            # A relation of DuckDB's belongs to the session that it was fetched from.
            home = self._reader if "duckdb" in type(table).__module__ else self._driver
            home.register(name, table)
            # Spark takes files whose names begin with _ for none of the data.
            path = self._scratch / f"returned{self._number}.parquet"
            written = home.write(f"SELECT * FROM {quoted(name)}", path, ordered=True)
            self._here.execute(f"CREATE OR REPLACE VIEW {quoted(name)} AS FROM {written.table}")
            leaf = self._leaf(
                written.relation,
                lambda: parquet_frame(self._spark(), written.paths, written.relation),
                lambda: written.rows,
            )
        self._planner.execute(f"CREATE OR REPLACE VIEW {quoted(name)} AS FROM {leaf}")

    def close(self) -> None:
        """Forget all tables, and remove what was written for a while."""
        self._tables.close()
        if self._learning is not None:
            self._learning.close()
        shutil.rmtree(self._scratch, ignore_errors=True)


def _typed(table: str, planned: Planned) -> str:
    """A SELECT of what Spark gave, with the names and types that DuckDB gives."""
    columns = ", ".join(f"CAST(c{n} AS {kind}) AS {quoted(name)}" for n, (name, kind) in enumerate(planned.columns))
    return f"SELECT {columns} FROM {table}"


_DUCKDB = {
    "string": "VARCHAR", "bigint": "BIGINT", "int": "INTEGER", "smallint": "SMALLINT", "tinyint": "TINYINT",
    "double": "DOUBLE", "float": "FLOAT", "boolean": "BOOLEAN", "date": "DATE", "timestamp_ntz": "TIMESTAMP",
    "timestamp": "TIMESTAMP WITH TIME ZONE", "binary": "BLOB",
}  # fmt: skip


def _duckdb_type(kind: str) -> str:
    """DuckDB's type for Spark's."""
    if kind.startswith("decimal("):
        return kind.upper()
    if kind.startswith("array<"):
        return f"{_duckdb_type(kind[6:-1])}[]"
    if kind not in _DUCKDB:
        raise EngineError(f"a column of Spark's type {kind} can't be kept. Cast it to a plain type, or to JSON text")
    return _DUCKDB[kind]
