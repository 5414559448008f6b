"""Whatever can't be reached, and however it is told: the password of the catalogue is not in it."""

import pytest
from psycopg.conninfo import make_conninfo
from team_shop import ended, make_team_shop, start

from backbone.connectors.secrets import concealed
from backbone.engine.duckdb.engine import DuckDBEngine
from backbone.engine.postgres import Database
from backbone.errors import LakeError
from backbone.lake.books.converting import to_postgres, to_sqlite
from backbone.lake.books.postgres import PostgresBooks
from backbone.lake.sealed import frozen_catalogue
from backbone.lake.site import Site
from backbone.lake.store import Lake

SECRET = r"""it's\a "S3cret" word"""
IN_ANY_FORM = "S3cret"


@pytest.fixture
def limit(postgres, database):
    """Let a role of its own make a lake; how many connections it may have is said by calling it."""
    name = database.rpartition("/")[2]
    role = f"role_of_{name}"
    postgres.execute(f"CREATE ROLE {role} LOGIN PASSWORD '{SECRET.replace(chr(39), chr(39) * 2)}'")
    postgres.execute(f"GRANT CREATE ON DATABASE {name} TO {role}")

    def set_to(count):
        postgres.execute(f"ALTER ROLE {role} CONNECTION LIMIT {count}")

    set_to.conninfo = make_conninfo("", user=role, password=SECRET, host="127.0.0.1", port=postgres.port, dbname=name)
    return set_to


def told_of(work, *arguments):
    """All that a traceback could show of the error."""
    with pytest.raises(LakeError) as raised:
        work(*arguments)
    assert raised.value.__suppress_context__ or raised.value.__cause__ is None
    return str(raised.value)


def test_where_psycopg_gets_in_and_duckdb_does_not(tmp_path, limit):
    database = Database(limit.conninfo, "shop_dev")
    site = Site(tmp_path / "dev", common=PostgresBooks(database))
    engine = DuckDBEngine()
    Lake(engine.connection, site)
    engine.close()
    with database.reading():
        pass
    assert site.books.last_snapshot() is not None
    limit(1)

    there = f"in {database.place} can't be"
    for told in (
        told_of(frozen_catalogue, site, 1),
        told_of(to_sqlite, database, tmp_path / "made.sqlite"),
        told_of(to_postgres, tmp_path / "made.sqlite", database),
    ):
        assert there in told
        assert "too many connections for role" in told
        assert IN_ANY_FORM not in told


@pytest.mark.parametrize(("count", "debug"), [(2, ()), (2, ("--debug",)), (3, ())])
def test_commands_on_a_server_that_is_full(tmp_path, limit, count, debug):
    root = make_team_shop(tmp_path / "shop", limit.conninfo)
    code, told = ended(start(root, "run"))
    assert code == 0, told
    limit(count)

    for words in (("sql", "FROM orders"), ("backup", str(tmp_path / "backup")), ("status",), ("run", "--force")):
        code, told = ended(start(root, *debug, *words))
        assert IN_ANY_FORM not in told
        assert "unexpected" not in told
        if count < 3:
            assert code == 1
            assert "too many connections" in told


def test_a_password_is_concealed_wherever_a_catalogue_is_named(tmp_path):
    import backbone

    root = make_team_shop(tmp_path / "shop", "postgresql://ann:known%20to%20none@db.example/lake")
    backbone.open(root)

    assert concealed("at 'known to none' or known%20to%20none") == "at '***' or ***"
