"""What DuckDB is told of a store is what boto3's standard chain finds."""

import pytest

from backbone.engine.duckdb import extensions
from backbone.engine.duckdb.engine import DuckDBEngine
from backbone.errors import LakeError, MissingExtraError
from backbone.lake import remote
from backbone.lake.remote import reach
from backbone.lake.site import Site
from backbone.storage.s3 import Encryption, S3Data
from backbone.storage.s3_client import access


@pytest.fixture
def chain(monkeypatch, tmp_path):
    """Variables, and none that the machine has."""

    def given(**variables):
        for name in (
            "AWS_PROFILE",
            "AWS_ENDPOINT_URL",
            "AWS_ENDPOINT_URL_S3",
            "AWS_SESSION_TOKEN",
            "AWS_REGION",
            "AWS_DEFAULT_REGION",
        ):
            monkeypatch.delenv(name, raising=False)
        files = {"AWS_CONFIG_FILE": str(tmp_path / "config"), "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "keys")}
        keys = {"AWS_ACCESS_KEY_ID": "AKIA1", "AWS_SECRET_ACCESS_KEY": "hidden", "AWS_EC2_METADATA_DISABLED": "true"}
        for name, value in {**keys, **files, **variables}.items():
            monkeypatch.setenv(name, value)

    return given


def test_aws_itself_needs_no_endpoint(chain):
    chain(AWS_REGION="eu-west-1", AWS_SESSION_TOKEN="token")

    found = access()

    assert (found.key, found.secret, found.token, found.region) == ("AKIA1", "hidden", "token", "eu-west-1")
    assert (found.host, found.encrypted) == ("", True)
    assert "hidden" not in repr(found)


def test_another_server_is_named_with_its_port(chain):
    chain(AWS_ENDPOINT_URL="http://127.0.0.1:9000")

    found = access()

    assert (found.host, found.encrypted, found.region) == ("127.0.0.1:9000", False, "us-east-1")


def test_a_profile_says_it_too(chain, tmp_path, monkeypatch):
    chain()
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_PROFILE", "shop")
    (tmp_path / "keys").write_text("[shop]\naws_access_key_id = AKIA2\naws_secret_access_key = other\n")
    (tmp_path / "config").write_text("[profile shop]\nregion = eu-north-1\nendpoint_url = https://store.example\n")

    found = access()

    assert (found.key, found.region, found.host, found.encrypted) == ("AKIA2", "eu-north-1", "store.example", True)


def test_duckdb_has_it_for_this_path_alone(chain, tmp_path):
    chain(AWS_REGION="eu-west-1")
    engine = DuckDBEngine()

    reach(engine.connection, Site(tmp_path, S3Data("shop", "a/dev", Encryption("aws:kms", "key-1"))))

    (secret,) = engine.connection.execute("SELECT scope, secret_string FROM duckdb_secrets()").fetchall()
    assert secret[0] == ["s3://shop/a/dev/"]
    assert "hidden" not in secret[1]
    assert "region=eu-west-1" in secret[1]
    assert "kms_key_id=key-1" in secret[1]
    engine.close()


def test_without_the_extra_it_is_named(chain, tmp_path, monkeypatch):
    chain()

    def missing(_, name):
        raise LakeError(f"DuckDB's extension {name} is not installed")

    monkeypatch.setattr(remote, "load_extension", missing)
    engine = DuckDBEngine()
    with pytest.raises(MissingExtraError, match=r"pip install 'backbone\[s3\]'"):
        reach(engine.connection, Site(tmp_path, S3Data("shop")))
    engine.close()


def test_the_extension_comes_from_its_wheel():
    assert extensions.extension_path("httpfs").is_file()
