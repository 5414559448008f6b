"""The way to an object store: boto3's own, so that whatever works for other tools works here.

Credentials, region and endpoint come from the standard chain: `AWS_*` variables, profiles, the roles of machines and
containers. Nothing of it is ever written down. One session is kept for as long as the variables stay as they are; it
renews credentials that expire by itself.
"""

import os
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from backbone.errors import MissingExtraError

if TYPE_CHECKING:
    import botocore.session

CONNECT_SECONDS, READ_SECONDS, ATTEMPTS = 5, 20, 4
"""How long a server may say nothing, and how often it is asked. `AWS_MAX_ATTEMPTS` says otherwise."""
_DEFAULT_REGION = "us-east-1"
_CONNECTIONS = 16


@dataclass(frozen=True, slots=True)
class Access:
    """What DuckDB must know to reach the same store. `repr` never shows it.

    `host` is the endpoint without its scheme; empty for AWS's own.
    """

    key: str
    secret: str
    token: str
    region: str
    host: str
    encrypted: bool

    def __repr__(self) -> str:
        return f"Access({self.host or 'AWS'}, {self.region})"


def client() -> Any:
    """The S3 client for the present environment variables.

    Raises:
        MissingExtraError: boto3 isn't installed.
    """
    return _client(*_now())


def access() -> Access:
    """What the standard chain finds now.

    Raises:
        MissingExtraError: boto3 isn't installed.
        botocore.exceptions.BotoCoreError: there are no credentials.
    """
    from botocore.exceptions import NoCredentialsError

    session = _session(_variables())
    found = session.get_credentials()
    if found is None:
        raise NoCredentialsError
    keys, made = found.get_frozen_credentials(), client().meta
    own = urlsplit(made.endpoint_url)
    host = "" if own.hostname and own.hostname.endswith((".amazonaws.com", ".amazonaws.com.cn")) else own.netloc
    path = own.path.rstrip("/") if host else ""
    return Access(
        keys.access_key or "", keys.secret_key or "", keys.token or "", made.region_name, host + path,
        own.scheme == "https",
    )  # fmt: skip


def endpoint_host() -> str:
    """Where the store is, as it may be told."""
    return str(urlsplit(client().meta.endpoint_url).netloc)


def _variables() -> tuple[tuple[str, str], ...]:
    return tuple(sorted((name, value) for name, value in os.environ.items() if name.startswith("AWS_")))


def _now() -> tuple[tuple[tuple[str, str], ...], float, float]:
    return _variables(), CONNECT_SECONDS, READ_SECONDS


@lru_cache(maxsize=4)
def _session(_variables: tuple[tuple[str, str], ...]) -> "botocore.session.Session":
    try:
        import botocore.session
    except ImportError as error:
        raise MissingExtraError("Data on S3", "s3") from error
    return botocore.session.get_session()


@lru_cache(maxsize=4)
def _client(variables: tuple[tuple[str, str], ...], connect_seconds: float, read_seconds: float) -> Any:
    session = _session(variables)
    from botocore.config import Config

    asked = session.get_config_variable("max_attempts") is None
    config = Config(
        connect_timeout=connect_seconds,
        read_timeout=read_seconds,
        max_pool_connections=_CONNECTIONS,
        retries={"mode": "standard", "total_max_attempts": ATTEMPTS} if asked else None,
    )
    # boto3 itself doesn't look at AWS_REGION, which all newer tools do and which machines in the cloud have set.
    region = os.environ.get("AWS_REGION") or session.get_config_variable("region") or _DEFAULT_REGION
    return session.create_client("s3", region_name=region, config=config)
