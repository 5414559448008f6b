"""Versions of DuckLake's catalogues."""

import duckdb

from backbone.engine.duckdb.extensions import CONFIG, load_extension, silence
from backbone.errors import LakeError
from backbone.lake.catalogue import last_snapshot, reading
from backbone.lake.remote import reach
from backbone.lake.site import Site
from backbone.model.names import literal

WRITTEN = "1.0"
"""The one that the extension of this DuckDB writes; `ATTACH` refuses others."""


def refuse_others(site: Site) -> None:
    """Make sure that a lake's catalogue has the form that is read and written now.

    Raises:
        LakeError: it is of an earlier version, or of a later one.
    """
    version = version_of(site)
    if version is not None and version != WRITTEN:
        raise LakeError(
            f"The catalogue in {site.books.place} is of DuckLake's version {version}, and this Backbone reads and "
            f"writes {WRITTEN}. If it is an earlier one: backbone upgrade. If a later one, install the newer Backbone"
        )


def version_of(site: Site) -> str | None:
    """The version of a lake's catalogue; None where there is no lake."""
    if not site.books.has_catalogue() or last_snapshot(site) is None:
        return None
    with reading(site) as rows:
        found = rows.execute("SELECT value FROM ducklake_metadata WHERE key = 'version'").fetchone()
    return str(found[0]) if found else None


def upgrade_catalogue(site: Site, version: str) -> str:
    """Bring a catalogue to the version that is written now; returns where a copy of the former one is.

    Only to be called where nobody else reads or writes.

    Raises:
        LakeError: it can't be; it is as it was.
    """
    before, kept = last_snapshot(site), site.books.keep(version)
    try:
        _migrate(site)
    except duckdb.Error as error:
        site.books.put_back(version)
        raise LakeError(
            f"The catalogue in {site.books.place} can't be upgraded: {site.books.told(str(error))}. It is as it was"
        ) from None  # it quotes passwords
    if version_of(site) != WRITTEN or last_snapshot(site) != before:
        site.books.put_back(version)
        raise LakeError(f"The catalogue in {site.books.place} was not itself after the upgrade. It is as it was")
    return kept


def _migrate(site: Site) -> None:
    with duckdb.connect(":memory:", config={**CONFIG, "threads": "1"}) as connection:
        silence(connection)
        load_extension(connection, site.books.extension)
        load_extension(connection, "ducklake")
        reach(connection, site)
        target, options = site.books.target(read_only=False)
        options += [f"DATA_PATH {literal(site.data.uri('tables'))}", "OVERRIDE_DATA_PATH true"]
        options += ["AUTOMATIC_MIGRATION true"]
        connection.execute(f"ATTACH {literal(f'ducklake:{target}')} AS lake ({', '.join(options)})")
