"""What tests everywhere may ask for."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "fakes"))


@pytest.fixture(scope="session")
def postgres():
    """A PostgreSQL server for all tests, on loopback."""
    from postgres_server import postgres_server

    with postgres_server() as server:
        yield server


@pytest.fixture
def database(postgres):
    """The URL of a new database."""
    return postgres.url(postgres.new_database())
