import secrets

import pytest
from faults_shop import content
from s3_proxy import s3_proxy
from s3_shop import SMALL_DATASETS, allowed, make_small

import backbone
from backbone.lake import remote
from backbone.storage import s3_client


@pytest.fixture(autouse=True)
def _with_sqlite():
    with allowed():
        yield


@pytest.fixture
def prefix():
    return f"shops/{secrets.token_hex(4)}"


@pytest.fixture
def small(s3, tmp_path, prefix):  # noqa: ARG001 - it must be there
    """A small project with its data on S3, not run yet."""
    return make_small(tmp_path / "shop", prefix)


@pytest.fixture(scope="session")
def expected(tmp_path_factory):
    """What the small project's datasets are in a folder."""
    root = make_small(tmp_path_factory.mktemp("plain") / "shop")
    assert backbone.open(root).run().status == "published"
    return content(root, SMALL_DATASETS)


@pytest.fixture
def proxy(s3):
    """A proxy before the server, by which this process and those it starts reach it."""
    with s3_proxy(s3.endpoint) as proxy, s3.as_environment(endpoint=proxy.endpoint):
        yield proxy


@pytest.fixture
def impatient(monkeypatch):
    """Nobody waits long for an answer."""
    monkeypatch.setattr(s3_client, "READ_SECONDS", 1)
    monkeypatch.setattr(remote, "READ_SECONDS", 1)
