"""The roles of docs/team.md, as it grants them: writers share one, readers leave leases and nothing else."""

import re
from pathlib import Path

import psycopg
import pytest
from faults_shop import LATER, content, deliver, differences
from team_shop import ended, make_team_shop, start

import backbone
from backbone.errors import LakeError

DOCS = Path(__file__).parents[3] / "docs" / "team.md"


def grants(database):
    """The statements of the page, for a database of this name."""
    (block,) = re.findall(r"```sql\n(.*?)```", DOCS.read_text(), re.DOTALL)
    block = re.sub(r"PASSWORD '…'", "PASSWORD 'of-the-role'", block)
    return block.replace("DATABASE lake ", f"DATABASE {database} ")


@pytest.fixture
def urls(postgres):
    """URLs of two writers, and of a reader, in a database to which the page's statements were applied."""
    name = postgres.new_database()
    for role in ("ann", "ben", "eva"):
        postgres.execute(f"DROP ROLE IF EXISTS {role}")
    for role in ("shop_writer", "shop_reader"):
        for (other,) in postgres.execute("SELECT datname FROM pg_database WHERE NOT datistemplate"):
            if postgres.execute(f"SELECT 1 FROM pg_roles WHERE rolname = '{role}'"):
                postgres.execute(f"DROP OWNED BY {role} CASCADE", str(other))
        postgres.execute(f"DROP ROLE IF EXISTS {role}")
    with psycopg.connect(postgres.url(name), autocommit=True) as connection:
        connection.execute(grants(name).encode())
    options = "?options=-c%20role%3Dshop_writer"
    return {
        "ann": postgres.url(name, "ann", "of-the-role") + options,
        "ben": postgres.url(name, "ben", "of-the-role") + options,
        "eva": postgres.url(name, "eva", "of-the-role"),
        "": postgres.url(name),
    }


def let_readers_lease(url):
    """What a writer grants after the first run, as the page says."""
    (statement,) = re.findall(r"```\n(GRANT INSERT.*?)```", DOCS.read_text(), re.DOTALL)
    with psycopg.connect(url) as connection:
        connection.execute(statement.encode())


def as_role(root, url):
    (root / "secrets.env").write_text(f"PG_URL={url}\n")
    return backbone.open(root)


def test_writers_write_in_turns_and_readers_read(tmp_path, urls):
    root = make_team_shop(tmp_path / "shop", urls["ann"])
    assert as_role(root, urls["ann"]).run().status == "published"
    let_readers_lease(urls["ann"])
    deliver(root, LATER)
    assert as_role(root, urls["ben"]).run().status == "published"
    expected = content(root)
    assert as_role(root, urls["ann"]).maintain() is not None

    reader = as_role(root, urls["eva"])
    assert differences(content(root), expected) == []
    result = reader.sql("SELECT count(*) FROM governance.run")
    assert result.rows()[0][0] >= 2
    assert reader.status().last_run is not None
    (held,) = [one for one in reader.environment.site.books.holders() if one.process]
    assert held.snapshot == reader.status().snapshot
    for words in (("status",), ("history",), ("plan",), ("doctor",), ("sql", "FROM totals")):
        code, said = ended(start(root, *words))
        assert code == 0, said


def test_a_reader_can_not_write(tmp_path, urls):
    root = make_team_shop(tmp_path / "shop", urls["ann"])
    as_role(root, urls["ann"]).run()
    deliver(root, LATER)

    with pytest.raises(LakeError, match="permission denied"):
        as_role(root, urls["eva"]).run()

    assert as_role(root, urls["ann"]).history()[0].status == "published"
    with psycopg.connect(urls["eva"]) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("DELETE FROM shop_dev.ducklake_snapshot")


def test_a_reader_without_leases_reads_all_the_same(tmp_path, urls):
    root = make_team_shop(tmp_path / "shop", urls["ann"])
    as_role(root, urls["ann"]).run()
    reader = as_role(root, urls["eva"])
    result = reader.sql("SELECT count(*) FROM trusted.orders")
    assert result.rows()[0][0] > 0
    assert reader.environment.site.books.holders() == []


def test_who_was_granted_nothing_is_told_so(tmp_path, urls, postgres):
    root = make_team_shop(tmp_path / "shop", urls["ann"])
    as_role(root, urls["ann"]).run()
    postgres.execute("DROP ROLE IF EXISTS nobody_yet")
    postgres.execute("CREATE ROLE nobody_yet LOGIN PASSWORD 'of-the-role'")
    url = re.sub("//eva:", "//nobody_yet:", urls["eva"])

    with pytest.raises(LakeError, match=r"can't be read by this role: .* docs/team\.md"):
        as_role(root, url).status()
