"""`sql` is sealed: it reads datasets, and can do nothing else, whatever it is asked."""

import re
from pathlib import Path

import pytest
from conftest import listing
from escapes import ESCAPES, EXHAUSTING
from s3_server import BUCKET

from backbone.engine.duckdb.engine import DuckDBEngine
from backbone.errors import QueryError
from backbone.lake.books import Lease
from backbone.lake.catalogue import last_snapshot
from backbone.lake.sealed import SealedLake, run_query
from backbone.lake.sealing import REFUSED_FUNCTIONS, TABLE_FUNCTIONS
from backbone.lake.sending import send
from backbone.lake.site import Site
from backbone.lake.store import Lake
from backbone.model.relations import Attribute, Relation
from backbone.storage.s3 import S3Data

PAGE = Path(__file__).parents[2] / "docs/reference/sql.md"
ALL = [query for queries in ESCAPES.values() for query in queries]
TIMEOUT_SECONDS, MEMORY = 1, "256MB"


@pytest.fixture(scope="module", params=["folder", "s3"])
def site(request, tmp_path_factory):
    """Where a lake of one dataset at two snapshots is, with a secret file beside it."""
    root = tmp_path_factory.mktemp("sealed")
    (root / "secret.csv").write_text("x\ncanary\n")
    if request.param == "folder":
        yield _made(Site(root / "dev"))
        return
    with request.getfixturevalue("_s3_server").as_environment():
        data = S3Data(BUCKET, "sealed")
        data.put("secret.csv", root / "secret.csv")
        yield _made(Site(root / "dev", data.inside("dev")))


def _made(site):
    engine = DuckDBEngine()
    lake = Lake(engine.connection, site)
    relation = Relation((Attribute("_file", "integer"), Attribute("x", "integer")))
    for number in (1, 2):
        path = lake.site.tables / f"trusted/a/r{number}-0.parquet"
        with engine.session() as session:
            session.write(f"SELECT 1 AS _file, {number} AS x", path)
        send(lake, [path])
        with lake.transaction(f"r{number}") as transaction:
            transaction.replace("trusted.a", relation, [path])
    engine.close()
    return site


@pytest.fixture(scope="module")
def sealed(site):
    return SealedLake(site, Lease(last_snapshot(site)[1]), memory_limit=MEMORY)


@pytest.fixture(scope="module")
def connection(site, sealed):
    """One sealed connection for all: an escape that works for one query would for the next."""
    assert site.data.sizes(["tables/trusted/a/r2-0.parquet"])
    return sealed._connection("", system=False)


@pytest.fixture
def ask(site, connection, monkeypatch):
    """Ask a sealed connection, from the folder of the secret file, and see that no file has changed."""
    folder, data = site.folder, site.data
    monkeypatch.chdir(folder.parent)
    beside = folder.parent / "secret.csv" if data.is_local else "s3://backbone/sealed/secret.csv"
    names = {"{file}": str(beside), "{folder}": data.uri("").rstrip("/")}
    names["{data}"] = data.uri("tables/trusted/a/r2-0.parquet")

    def run(query):
        for name, path in names.items():
            query = query.replace(name, path)
        before = listing(folder.parent)
        kept = [] if data.is_local else list(data.list(""))
        try:
            return run_query(
                connection, query, lambda c: c.fetchall(), memory_limit=MEMORY, timeout_seconds=TIMEOUT_SECONDS
            )
        finally:
            assert listing(folder.parent) == before
            assert kept == ([] if data.is_local else list(data.list("")))

    return run


def test_there_are_escapes_enough():
    assert len(ALL) == len(set(ALL))
    assert len(ALL) >= 150


@pytest.mark.parametrize("query", ALL)
def test_a_query_can_do_nothing_but_read_datasets(query, ask):
    with pytest.raises(QueryError) as refused:
        ask(query)

    assert "canary" not in str(refused.value)
    assert ask("from a") == [(2,)]


@pytest.mark.parametrize(
    "query",
    [
        "from a",
        "select x from trusted.a;",
        "  -- a remark\nfrom a",
        "with b as (from a) from b",
        "with recursive r as (select 1 as n union all select n + 1 from r where n < 3) select max(n) from r",
        "select * from range(3) as t(x), unnest([1, 2]) as u(y)",
        "describe a",
        "summarize a",
        "show a",
        "explain from a",
        "explain analyze select x from a",
        "/* why? */ explain (format json) select x from a",
        "from a pivot (count(*) for x in (1, 2))",
        "values (1)",
        "table a",
        "select current_date, now(), version(), random()",
        "select x, lag(x) over (order by x) from a qualify true",
        'with "a b-c" as (from a) from "A b-c"',
        "from a positional join range(1)",
        "select ';' as semicolon, 'read_csv(''x'')' as harmless",
    ],
)
def test_what_only_reads_and_computes_is_allowed(query, ask):
    assert ask(query)


@pytest.mark.parametrize(
    "what",
    [pytest.param(one, marks=pytest.mark.long) if one == "a power of powers" else one for one in EXHAUSTING],
)
def test_what_would_take_everything_is_stopped(what, ask):
    with pytest.raises(QueryError) as stopped:
        ask(EXHAUSTING[what])

    assert len(str(stopped.value)) < 2000
    assert ask("from a") == [(2,)]


def test_python_variables_are_not_tables(sealed):
    variable = Path()  # noqa: F841 - DuckDB would find it by its name

    with pytest.raises(QueryError, match="variable"):
        sealed.run("from variable", lambda cursor: cursor.fetchall())


@pytest.mark.parametrize("query", ["copy (select 1) to 'x'", "select 1; select 2", "from read_text('x')", "select 1)"])
def test_writing_to_a_file_is_sealed_too(sealed, query, tmp_path):
    with pytest.raises(QueryError):
        sealed.write(query, tmp_path / "out.csv", "FORMAT csv, HEADER true")

    assert not (tmp_path / "out.csv").exists()


def test_the_page_lists_what_is_tried():
    told = PAGE.read_text(encoding="utf-8")
    counts = dict(re.findall(r"^\| ([\w ,]+?) \| (\d+) \|", told, re.MULTILINE))

    assert counts == {what: str(len(queries)) for what, queries in ESCAPES.items()}
    assert all(f"`{name}`" in told for name in (*TABLE_FUNCTIONS, *REFUSED_FUNCTIONS))
