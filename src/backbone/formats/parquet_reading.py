"""Parquet files as records. Their values become exact text like all others, and keep the domain that the file says."""

from pathlib import Path

from backbone.engine.protocol import Session
from backbone.errors import UsageError, shown_value
from backbone.formats.records import Records, attempt, counted, field_name, fresh_names
from backbone.model.files import Template
from backbone.model.names import path_literal, quoted


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
    return Records(headers, table, bad, counted(session, source), 0, lists, domains, made)
