"""How DuckDB reaches data files in an object store: with what boto3's standard chain finds, and no further."""

from typing import TYPE_CHECKING

from backbone.engine.duckdb.extensions import load_extension
from backbone.errors import MissingExtraError
from backbone.lake.site import Site
from backbone.model.names import literal, quoted
from backbone.storage.s3 import S3Data
from backbone.storage.s3_client import ATTEMPTS, READ_SECONDS

if TYPE_CHECKING:
    import duckdb


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
