import pytest

from backbone.engine.postgres import Database
from backbone.lake.books.postgres import PostgresBooks
from backbone.lake.site import Site


@pytest.fixture(params=["folder", "postgres"])
def site(request, tmp_path):
    """Where a lake may be: one suite runs over all."""
    if request.param == "folder":
        return Site(tmp_path / "dev")
    return Site(tmp_path / "dev", common=PostgresBooks(Database(request.getfixturevalue("database"), "shop_dev")))
