"""How DuckDB reaches data files in an object store: with what boto3's standard chain finds, and no further."""

import json
from typing import TYPE_CHECKING

from backbone.engine.duckdb.extensions import load_extension
from backbone.errors import LakeError, MissingExtraError, StoreError
from backbone.lake.site import Site
from backbone.model.names import literal, quoted
from backbone.storage.s3 import S3Data
from backbone.storage.s3_client import ATTEMPTS, READ_SECONDS

if TYPE_CHECKING:
    import duckdb


MARK = "lake.json"
"""Says whose the data is: for another catalogue these files would be nobody's, and removed."""


def claim(site: Site, identity: str, *, again: bool = False) -> None:
    """Say that data in an object store belongs to a lake, before its first file is put there; `again`: from now on.

    Raises:
        LakeError: it belongs to another.
    """
    if site.data.is_local:
        return
    site.folder.mkdir(parents=True, exist_ok=True)
    path = site.folder / MARK
    path.write_text(json.dumps({"lake": identity}))
    try:
        site.data.put(MARK, path, again=again)
    except StoreError:
        raise
    except LakeError as error:
        raise LakeError(
            f"{site.data.uri('')} holds the data of another lake: of another project, or of this one with a catalogue "
            "that isn't there any more. Name another path in backbone.yml as `storage: {data: s3://…}`, or bring the "
            "catalogue back: backbone restore"
        ) from error
    finally:
        path.unlink()


def reach(connection: "duckdb.DuckDBPyConnection", site: Site, name: str = "lake") -> None:
    """Let a connection read and write a site's data files, if they are in an object store.

    What the chain finds is good for as long as it says, an hour at least for roles; a transaction asks it anew.

    Raises:
        MissingExtraError: the extra isn't installed.
        LakeError: there are no credentials.
    """
    data = site.elsewhere
    if not isinstance(data, S3Data):
        return
    try:
        load_extension(connection, "httpfs")
    except Exception as error:
        raise MissingExtraError("Data on S3", "s3") from error
    connection.execute(f"SET http_timeout = {READ_SECONDS}; SET http_retries = {ATTEMPTS - 1}")
    connection.execute("SET http_retry_wait_ms = 200; SET http_retry_backoff = 3")
    connection.execute(_secret(data, name))


def _secret(data: S3Data, name: str) -> str:
    """A secret for the objects of this site alone, kept in memory."""
    found = data.access()
    options = {
        "KEY_ID": found.key, "SECRET": found.secret, "SESSION_TOKEN": found.token, "REGION": found.region,
        "ENDPOINT": found.host, "URL_STYLE": "path" if found.host else "vhost", "KMS_KEY_ID": data.encryption.key,
        "SCOPE": data.uri(""),
    }  # fmt: skip
    said = [f"{option} {literal(value)}" for option, value in options.items() if value]
    said += [] if found.encrypted else ["USE_SSL false"]
    return f"CREATE OR REPLACE TEMPORARY SECRET {quoted(f'data_{name}')} (TYPE s3, {', '.join(said)})"
