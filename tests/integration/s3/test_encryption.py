"""The store is asked to encrypt whatever is put there."""

import secrets

import duckdb
import pytest
from s3_server import BUCKET
from s3_shop import make_small

import backbone
from backbone.engine.duckdb.engine import DuckDBEngine
from backbone.errors import StoreError
from backbone.lake.remote import reach
from backbone.lake.site import Site
from backbone.storage import s3 as storage_s3
from backbone.storage.s3 import Encryption, S3Data
from backbone.storage.s3_client import client

HEADER, KEY = "x-amz-server-side-encryption", "x-amz-server-side-encryption-aws-kms-key-id"


def test_everything_of_a_run_is_encrypted_by_the_store_s_own_keys(small, prefix):
    text = (small / "backbone.yml").read_text()
    (small / "backbone.yml").write_text(text.replace("'}", "', encryption: s3}"))

    assert backbone.open(small).run().status == "published"

    keys = [one.name for one in backbone.open(small).environment.data.list("")]
    heads = {key: client().head_object(Bucket=BUCKET, Key=f"{prefix}/{key}") for key in keys}
    assert len(heads) > 7
    assert {head.get("ServerSideEncryption") for head in heads.values()} == {"AES256"}
    assert backbone.open(small).sql("FROM totals").rows() == [(61, 17717)]


@pytest.mark.usefixtures("s3")
def test_parts_of_large_files_are_encrypted_too(tmp_path, monkeypatch):
    monkeypatch.setattr(storage_s3, "PART_BYTES", 5 << 20)
    (tmp_path / "file").write_bytes(secrets.token_bytes(11 << 20))
    data = S3Data(BUCKET, f"encrypted/{secrets.token_hex(4)}", Encryption("AES256"))

    data.put("large", tmp_path / "file")

    assert client().head_object(Bucket=BUCKET, Key=f"{data.prefix}/large")["ServerSideEncryption"] == "AES256"
    assert data.sizes(["large"]) == {"large": 11 << 20}


def test_a_key_is_named_by_us_and_by_duckdb(proxy, tmp_path):
    """The server knows no keys, and says so: what it was asked shows that it was to use one."""
    (tmp_path / "file").write_bytes(b"1")
    data = S3Data(BUCKET, "keys", Encryption("aws:kms", "key-1"))
    with pytest.raises(StoreError):
        data.put("a", tmp_path / "file")

    engine = DuckDBEngine()
    reach(engine.connection, Site(tmp_path, data))
    with pytest.raises(duckdb.Error):
        engine.connection.execute(f"COPY (SELECT 1) TO '{data.uri('b.parquet')}'")
    engine.close()

    asked = {(request.path, request.headers.get(HEADER), request.headers.get(KEY)) for request in proxy.seen}
    assert {("/backbone/keys/a", "aws:kms", "key-1"), ("/backbone/keys/b.parquet", "aws:kms", "key-1")} <= asked


def test_without_a_word_the_bucket_decides(proxy, tmp_path):
    root = make_small(tmp_path / "shop", f"plain/{secrets.token_hex(4)}")

    backbone.open(root).run()

    assert {request.headers.get(HEADER) for request in proxy.seen} == {None}
