"""Catalogues that an earlier DuckLake wrote (`tests/fakes/ducklake_0_3`), wherever they are kept."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from backbone.engine.duckdb.engine import DuckDBEngine
from backbone.errors import LakeError
from backbone.lake import versions
from backbone.lake.catalogue import last_snapshot
from backbone.lake.sealed import frozen_catalogue
from backbone.lake.store import Lake
from backbone.lake.versions import WRITTEN, upgrade_catalogue, version_of

OLD = Path(__file__).parents[2] / "fakes" / "ducklake_0_3"


@pytest.fixture
def old(site):
    """A lake of version 0.3 with 20 rows."""
    target = site.tables / "trusted" / "a" / "old.parquet"
    target.parent.mkdir(parents=True)
    shutil.copy(OLD / "old.parquet", target)
    if site.books.shared:
        with psycopg.connect(site.books.database.conninfo) as connection:
            connection.execute((OLD / "postgres.sql").read_bytes())
    else:
        with closing(sqlite3.connect(site.folder / "catalogue.sqlite")) as catalogue:
            catalogue.executescript((OLD / "sqlite.sql").read_text())
    site.books.prepare()
    return site


def read(site):
    engine = DuckDBEngine()
    try:
        return Lake(engine.connection, site).records("SELECT count(*) AS n, min(x) AS x FROM lake.trusted.a")
    finally:
        engine.close()


def test_a_catalogue_of_before_is_not_opened_and_says_what_to_do(old):
    assert version_of(old) == "0.3"
    said = r"is of DuckLake's version 0\.3, .* backbone upgrade"
    with pytest.raises(LakeError, match=said):
        read(old)
    with pytest.raises(LakeError, match=said):
        frozen_catalogue(old, 4)


def test_it_is_upgraded_and_a_copy_kept(old):
    before = last_snapshot(old)

    kept = upgrade_catalogue(old, "0.3")

    assert version_of(old) == WRITTEN
    assert last_snapshot(old) == before
    assert read(old) == [{"n": 20, "x": "v0"}]
    assert "0.3" in kept.replace("_", ".")


def test_what_fails_half_way_is_put_back(old, monkeypatch):
    migrate = versions._migrate

    def fail_later(site):
        migrate(site)
        raise versions.duckdb.Error("no space left")

    monkeypatch.setattr(versions, "_migrate", fail_later)
    with pytest.raises(LakeError, match="It is as it was"):
        upgrade_catalogue(old, "0.3")

    assert version_of(old) == "0.3"
    monkeypatch.undo()
    upgrade_catalogue(old, "0.3")
    assert read(old) == [{"n": 20, "x": "v0"}]
