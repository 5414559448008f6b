"""Parquet files as records. Their values become exact text like all others, and keep the domain that the file says."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from backbone.engine.protocol import Session
from backbone.errors import UsageError, shown_value
from backbone.formats.records import Part, Records, Scan, attempt, counted, field_name, fresh_names
from backbone.model.domains import domain_of, sql_type
from backbone.model.files import Template
from backbone.model.names import path_literal, quoted

_NATIVES = frozenset({"BIGINT", "DOUBLE", "BOOLEAN", "DATE", "TIME", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE"})
"""Types of which a domain holds every value, but those that a guard names."""


@dataclass(frozen=True, slots=True)
class ParquetScan:
    """Implements `Scan`: Parquet numbers its rows itself."""

    headers: tuple[str, ...]
    natives: tuple[str, ...]
    lists: frozenset[int]
    _part: Part
    ways: tuple[bool, ...] = (False,)

    def waves(
        self,
        session: Session,  # noqa: ARG002 - the protocol's
        *,
        whole: bool,  # noqa: ARG002 - the protocol's
        nulls: tuple[str, ...] = (),  # noqa: ARG002 - the protocol's
    ) -> Iterator[tuple[Part, ...]]:
        """See `Scan`."""
        yield (self._part,)

    def unreadable(self, session: Session) -> int:  # noqa: ARG002 - the protocol's
        """See `Scan`."""
        return 0


def scan_parquet(path: Path, _template: Template, session: Session, _scratch: Path) -> Scan | None:
    """A Parquet file without nested data, to be read as it is written."""
    file = path_literal(path)
    columns = session.rows(f"SELECT column_name, column_type FROM (DESCRIBE FROM read_parquet({file}))")
    if any(domain_of(kind).removesuffix("[]") == "json" or n.lower() == "file_row_number" for n, kind in columns):
        return None
    kinds = [_native(kind) for _, kind in columns]
    lists = frozenset(i for i, (_, kind) in enumerate(columns) if kind.endswith("[]"))
    fields = [
        f"CAST({quoted(name)} AS VARCHAR{'[]' if i in lists else ''}) AS {field_name(i)}"
        for i, (name, _) in enumerate(columns)
    ]
    fields += [f"CAST({quoted(columns[i][0])} AS {kind}) AS n{i + 1}" for i, kind in enumerate(kinds) if kind]
    query = f"SELECT file_row_number, {', '.join(fields)} FROM read_parquet({file}, file_row_number = true)"
    part = Part(query, "file_row_number + 1", 0, counted(session, f"read_parquet({file})"))
    return ParquetScan(tuple(name for name, _ in columns), tuple(kinds), lists, part)


def _native(kind: str) -> str:
    """The SQL type of the domain that has the same values as a type, and the same texts for them; else nothing."""
    domain = domain_of(kind)
    if domain.startswith("decimal"):
        return sql_type(domain)
    wide = "BIGINT" if kind in {"TINYINT", "SMALLINT", "INTEGER", "UTINYINT", "USMALLINT", "UINTEGER"} else kind
    return wide if wide in _NATIVES else ""


def read_parquet(path: Path, _template: Template, session: Session, _scratch: Path) -> Records:
    """Read a Parquet file."""
    source, table, bad = fresh_names("source", "records", "unreadable")
    scan = f"SELECT * FROM read_parquet({path_literal(path)})"
    attempt(session, f"CREATE TEMP VIEW {source} AS {scan}", path, "parquet")
    attributes = session.describe(scan).attributes
    for attribute in attributes:
        if attribute.domain.removesuffix("[]") == "json":
            msg = (
                f"nested data under {shown_value(attribute.name)!r} is not built yet: only scalars and lists of scalars"
            )
            raise UsageError(msg)
    lists = frozenset(i for i, a in enumerate(attributes) if a.domain.endswith("[]"))
    texts = [
        f"CAST({quoted(a.name)} AS VARCHAR{'[]' if i in lists else ''}) AS {field_name(i)}"
        for i, a in enumerate(attributes)
    ]
    numbered, number = f"read_parquet({path_literal(path)}, file_row_number = true)", "file_row_number + 1"
    if any(a.name.lower() == "file_row_number" for a in attributes):  # the file's own; rows come in order anyway
        numbered, number = f"read_parquet({path_literal(path)})", "row_number() OVER ()"
    session.execute(f"CREATE TEMP VIEW {table} AS SELECT {', '.join([f'{number} AS _record', *texts])} FROM {numbered}")
    session.execute(f"CREATE TEMP TABLE {bad} (record BIGINT, raw VARCHAR, reason VARCHAR)")
    made = (f"DROP VIEW {table}", f"DROP VIEW {source}", f"DROP TABLE {bad}")
    headers, domains = tuple(a.name for a in attributes), tuple(a.domain for a in attributes)
    return Records(headers, table, bad, counted(session, source), 0, lists, domains, made=made)
