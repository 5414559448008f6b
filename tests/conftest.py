"""What all tests may ask for: servers, started once when the first test needs them, and stopped at the end."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "fakes"))
from faults_disks import refusal
from postgres_server import PostgresServer, postgres_server
from s3_server import S3Server, s3_server
from spark_clusters import NO_JAVA, java_is_here

# Spark in a test hardly lives long enough to gain from what it is compiled for again and again: 40% less without.
os.environ.setdefault("JDK_JAVA_OPTIONS", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC")


@pytest.hookimpl(tryfirst=True)  # xdist's own hook reads the groups, and would otherwise come before this one
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What one process does where several share the tests: all of Spark's, and a file's. The longest begin."""
    for item in items:
        if not item.get_closest_marker("xdist_group"):
            item.add_marker(pytest.mark.xdist_group(_suited(item)))
    groups: dict[str, float] = {}
    for item in items:
        timeout = item.get_closest_marker("timeout")
        groups[_group(item)] = max(groups.get(_group(item), 0), timeout.args[0] if timeout else 0)
    items.sort(key=lambda item: (_group(item) != "spark", -groups[_group(item)]))


def _suited(item: pytest.Item) -> str:
    names = getattr(item, "fixturenames", ())
    if "connect" in names:
        return "connect"  # a server beside the process, which needs no Spark of its own
    return "spark" if item.get_closest_marker("spark") or "java" in names else str(item.path)


def _group(item: pytest.Item) -> str:
    marker = item.get_closest_marker("xdist_group")
    assert marker
    return str(marker.args[0])


@pytest.fixture(scope="session")
def java() -> None:
    """What Spark runs on. Nobody must install it for the rest of the tests."""
    if not java_is_here():
        pytest.skip(NO_JAVA)


@pytest.fixture(scope="session")
def disks() -> None:
    """Small and read-only disks can be mounted: not in every container, nor by everybody."""
    if refused := refusal():
        pytest.skip(f"no disk can be mounted here: {refused}")


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL server for all tests, on loopback."""
    with postgres_server() as server:
        yield server


@pytest.fixture
def database(postgres: PostgresServer) -> str:
    """The URL of a new database."""
    return postgres.url(postgres.new_database())


@pytest.fixture(scope="session")
def _s3_server() -> Iterator[S3Server]:
    with s3_server() as server:
        yield server


@pytest.fixture
def s3(_s3_server: S3Server) -> Iterator[S3Server]:
    """A real S3 server with a bucket `backbone`, found by the standard chain."""
    with _s3_server.as_environment():
        yield _s3_server
