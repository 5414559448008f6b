"""Catalogues beside the present one in a database: one comes, one goes, one is kept. Each step is one transaction."""

from dataclasses import replace
from pathlib import Path

from backbone.engine.postgres import Database
from backbone.lake.books.converting import to_postgres
from backbone.model.names import quoted

OURS = ("backbone_run", "backbone_lease", "backbone_note")
"""Our tables beside DuckLake's: they stay where they are, whichever catalogue comes."""


def take_over(database: Database, path: Path) -> None:
    """Put the catalogue of an SQLite file in the place of the present one."""
    coming = replace(database, schema=f"{database.schema}_coming")
    with database.writing() as rows:
        rows.execute(f"DROP SCHEMA IF EXISTS {quoted(coming.schema)} CASCADE")
    to_postgres(path, coming)
    _change_places(database, coming)


def _change_places(database: Database, coming: Database) -> None:
    """Let a schema take the present one's place."""
    own, other, gone = (quoted(name) for name in (database.schema, coming.schema, f"{coming.schema}_gone"))
    with database.writing() as rows:
        for table in OURS:
            rows.execute(f"ALTER TABLE {own}.{table} SET SCHEMA {other}")
        rows.execute(f"ALTER SCHEMA {own} RENAME TO {gone}")
        rows.execute(f"ALTER SCHEMA {other} RENAME TO {own}")
        rows.execute(f"DROP SCHEMA {gone} CASCADE")


def keep(database: Database, name: str) -> str:
    """Keep a copy of the catalogue, and return where it is."""
    kept = _kept(database, name)
    with database.writing() as rows:
        rows.execute(f"DROP SCHEMA IF EXISTS {quoted(kept)} CASCADE")
        rows.execute(f"CREATE SCHEMA {quoted(kept)}")
        named = "SELECT tablename FROM pg_tables WHERE schemaname = ? AND starts_with(tablename, 'ducklake_')"
        for (table,) in rows.execute(named, (database.schema,)).fetchall():
            copy, own = (f"{quoted(schema)}.{quoted(table)}" for schema in (kept, database.schema))
            rows.execute(f"CREATE TABLE {copy} (LIKE {own} INCLUDING ALL)")
            rows.execute(f"INSERT INTO {copy} SELECT * FROM {own}")
    return f"schema {kept}"


def put_back(database: Database, name: str) -> None:
    """Put a copy that was kept in the place of the present catalogue."""
    _change_places(database, replace(database, schema=_kept(database, name)))


def retire(database: Database, name: str) -> str:
    """Set the catalogue aside, and return where it is."""
    former = _kept(database, name)
    with database.writing() as rows:
        rows.execute(f"DROP SCHEMA IF EXISTS {quoted(former)} CASCADE")
        rows.execute(f"ALTER SCHEMA {quoted(database.schema)} RENAME TO {quoted(former)}")
    return f"schema {former}"


def _kept(database: Database, name: str) -> str:
    return f"{database.schema}_{name.replace('.', '_').replace('-', '_')}"
