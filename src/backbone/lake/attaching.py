"""Attaching a lake to a connection, and making it where there is none."""

import duckdb

from backbone.engine.duckdb.extensions import load_extension
from backbone.errors import LakeError
from backbone.lake.catalogue import is_finished, last_snapshot
from backbone.lake.claiming import claim, refuse_strangers
from backbone.lake.remote import reach
from backbone.lake.site import Site
from backbone.lake.versions import refuse_others
from backbone.model.names import literal
from backbone.troubles import trouble

INLINED_ROWS = 100
"""Governance rows up to this many are kept in the catalogue: a file each would be thousands of tiny files."""


def attach(
    connection: duckdb.DuckDBPyConnection,
    site: Site,
    *,
    name: str = "lake",
    read_only: bool = False,
    snapshot: int | None = None,
) -> None:
    """Attach a lake to a connection, making it first where there is none.

    With a `snapshot` (only where it is attached read-only) the connection sees that one and nothing later.

    Raises:
        LakeError: it can't be opened.
    """
    load_extension(connection, site.books.extension)
    load_extension(connection, "ducklake")
    if read_only and last_snapshot(site) is None:
        raise LakeError(f"There is no lake in {site.books.place}. Make it: backbone run")
    if not read_only:
        (site.tables if site.data.is_local else site.folder).mkdir(parents=True, exist_ok=True)
        site.books.prepare()
        if site.books.shared:  # its own retries would publish under another number than is written down
            connection.execute("SET ducklake_max_retry_count = 0")
    reach(connection, site, name)
    try:
        if read_only or is_finished(site):
            _attach(connection, site, name, read_only=read_only, snapshot=snapshot)
        else:
            refuse_strangers(site)
            with site.books.publishing():  # of several who come first, one makes it
                _attach(connection, site, name, read_only=False)
                known = last_snapshot(site)
                claim(site, known[0] if known else "")
                _initialise(connection)
    except duckdb.Error as error:
        if "version" in str(error):
            refuse_others(site)
        said = told(error, site)
        raise LakeError(f"The lake in {site.books.place} can't be opened: {said}") from None  # it quotes passwords


def _attach(
    connection: duckdb.DuckDBPyConnection, site: Site, name: str, *, read_only: bool, snapshot: int | None = None
) -> None:
    target, options = site.books.target(read_only=read_only)
    options += [f"DATA_PATH {literal(site.data.uri('tables'))}", "OVERRIDE_DATA_PATH true"]
    options += ["READ_ONLY"] if read_only else []
    options += [f"SNAPSHOT_VERSION {snapshot}"] if snapshot is not None else []
    connection.execute(f"ATTACH {literal(f'ducklake:{target}')} AS {name} ({', '.join(options)})")


def _initialise(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute("CREATE SCHEMA IF NOT EXISTS lake.governance")
    connection.execute("CALL lake.set_option('data_inlining_row_limit', 0)")
    connection.execute(f"CALL lake.set_option('data_inlining_row_limit', {INLINED_ROWS}, schema => 'governance')")


def told(error: duckdb.Error, site: Site) -> str:
    """What went wrong with a lake, as people may see it, and what to do."""
    return trouble(error, site.folder) or f"{site.books.told(str(error))}. Check it: backbone doctor"
