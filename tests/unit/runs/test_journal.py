"""Where runs on one machine put aside what is too much for their memory."""

import os
import subprocess

from backbone.engine.duckdb.engine import DuckDBEngine
from backbone.engine.postgres import Database
from backbone.lake.books.postgres import PostgresBooks
from backbone.lake.site import Site
from backbone.runs.journal import spilling

SORTED = "SELECT count(*) FROM (SELECT i, md5(i::VARCHAR) AS m FROM range(1_000_000) r(i) ORDER BY m, i OFFSET 1)"


def shared_site(folder):
    """A site where others write, too. Nothing asks its database."""
    folder.mkdir()
    return Site(folder, common=PostgresBooks(Database("host=nowhere.invalid", "shop_dev")))


def test_a_run_puts_aside_what_it_must_after_another_one_has_ended(tmp_path):
    site = shared_site(tmp_path / "dev")
    with spilling(site) as own:
        with spilling(site) as other:
            assert other != own
        engine = DuckDBEngine(memory_limit="64MB", scratch=own)
        engine.connection.execute("SET threads = 1")
        engine.connection.execute(f"CREATE TABLE t AS {SORTED}")
        assert own.is_dir()
        engine.close()
    assert list(site.folder.iterdir()) == []


def test_what_the_dead_left_on_this_machine_is_removed_and_nothing_else(tmp_path):
    site, machine = shared_site(tmp_path / "dev"), os.uname().nodename
    ended = subprocess.Popen(["true"])
    ended.wait()
    kept = [
        f"spill-{machine}-{os.getpid()}-0123abcd",  # of one who lives
        f"spill-{machine}-1-{ended.pid}-0123abcd",  # of a machine whose name begins like this one's
        f"spill-elsewhere-{ended.pid}-0123abcd",
        f"spill-{machine}-of-a-person",
    ]
    for name in (*kept, f"spill-{machine}-{ended.pid}-0123abcd"):
        (site.folder / name).mkdir()

    with spilling(site):
        pass

    assert sorted(path.name for path in site.folder.iterdir()) == sorted(kept)
