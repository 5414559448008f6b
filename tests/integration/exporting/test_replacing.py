"""What happens if a target is there, and what an export that fails leaves: nothing, or what was there before."""

import json
import shutil
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path
from warnings import catch_warnings, simplefilter

import duckdb
import psycopg
import pyarrow.parquet
import pytest
from deltalake import DeltaTable
from faults_disks import carried_out, make_almost_full
from tests.integration.exporting.conftest import write

from backbone.errors import ExportError, UsageError
from backbone.exporting.iceberg import open_catalogue
from backbone.workspace.opening import open_workspace

BACKBONE = str(Path(sys.executable).with_name("backbone"))
KINDS = ["parquet:out", "csv:out", "arrow:out", "delta:out", "iceberg:out", "duckdb:out.duckdb"]


@pytest.fixture
def growing(made, tmp_path, monkeypatch):
    """A shop of one's own; `grow` gives it a thirteenth order, and with `text` other columns."""
    root = tmp_path / "shop"
    shutil.copytree(made, root)
    monkeypatch.chdir(tmp_path)

    def grow(*, text: bool = False):
        (root / "data/orders-2.csv").write_text("id,customer,amount,day,note\n13,c1,1130,2026-01-13,\n")
        write(root, {"sources/orders.yml": "from: data/orders*.csv\ncolumns: {id: integer, customer: text, "
                     "amount: decimal(2), day: date, note: text}\n"})  # fmt: skip
        if text:
            write(root, {"exploitation/sums.sql": "SELECT customer, sum(amount)::VARCHAR AS amount, true AS fresh "
                         "FROM trusted.orders GROUP BY ALL"})  # fmt: skip
        assert open_workspace(root).run().status == "published"
        return open_workspace(root)

    return open_workspace(root), grow


def files() -> dict[str, bytes]:
    """All files in the present folder but for the project's."""
    here = sorted(p for p in Path().rglob("*") if p.is_file() and p.parts[0] != "shop")
    return {str(path): path.read_bytes() for path in here}


@pytest.mark.parametrize("to", KINDS)
def test_what_is_there_is_left_alone(shop, to) -> None:
    shop.export("sums", to)
    before = files()

    with pytest.raises(
        UsageError, match=r"'out(\.duckdb)?' holds an export already: shop \(dev\), snapshot 2.*--replace"
    ):
        shop.export("orders", to)
    assert files() == before


@pytest.mark.parametrize("to", KINDS)
@pytest.mark.parametrize("replace", [False, True])
def test_what_no_export_made_is_never_replaced(shop, to, replace) -> None:
    if to.endswith(".duckdb"):
        with duckdb.connect("out.duckdb") as mine:
            mine.execute("CREATE TABLE precious AS SELECT 1 AS n")
    else:
        Path("out").mkdir()
        Path("out/precious.txt").write_text("mine")
    before = files()

    with pytest.raises(UsageError, match=r"no export made|was not made by an export"):
        shop.export("orders", to, replace=replace)
    assert files() == before


def test_an_export_that_people_added_tables_to_is_theirs(shop) -> None:
    shop.export("orders", "out.duckdb")
    with duckdb.connect("out.duckdb") as mine:
        mine.execute("CREATE TABLE precious AS SELECT 1 AS n")

    with pytest.raises(UsageError, match="what no export made"):
        shop.export("orders", "out.duckdb", replace=True)


@pytest.mark.parametrize(
    "what",
    ["VIEW mine AS SELECT 1 AS a", "MACRO mine(a) AS a + 1", "SCHEMA mine", "SEQUENCE mine", "TYPE mine AS ENUM ('a')"],
)
def test_what_people_made_in_an_exported_file_is_not_replaced(shop, what) -> None:
    shop.export("sums", "duckdb:out.duckdb")
    with duckdb.connect("out.duckdb") as connection:
        connection.execute(f"CREATE {what}")
    before = files()

    with pytest.raises(UsageError, match="what no export made"):
        shop.export("sums", "duckdb:out.duckdb", replace=True)

    assert files() == before


def test_a_file_that_is_open_for_writing_is_not_replaced(shop) -> None:
    shop.export("orders", "out.duckdb")
    holding = "import duckdb, time; c = duckdb.connect('out.duckdb'); print('open', flush=True); time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", holding], stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout.readline() == "open\n"
        with pytest.raises(UsageError, match="can't be read as a DuckDB file"):
            shop.export("orders", "out.duckdb", replace=True)
        other.kill()


def test_another_kind_is_not_replaced(shop) -> None:
    shop.export("orders", "delta:out")

    with pytest.raises(UsageError, match=r"'out' holds a folder of Delta tables. Write --to delta:out"):
        shop.export("orders", "out", replace=True)


@pytest.mark.parametrize("to", ["parquet:out", "csv:out", "arrow:out", "duckdb:out.duckdb"])
def test_files_are_replaced_as_a_whole(growing, to) -> None:
    shop, grow = growing
    shop.export("customers orders", to)
    first = files()

    report = grow().export("orders", to, replace=True)

    assert report.replaced
    assert report.snapshot == 3
    if to.endswith(".duckdb"):
        with duckdb.connect("out.duckdb", read_only=True) as file:
            assert {name for (name,) in file.execute("SELECT table_name FROM duckdb_tables()").fetchall()} == {
                "orders", "backbone_export"
            }  # fmt: skip
            assert file.execute("SELECT count(*) FROM orders").fetchone() == (13,)
    else:
        assert files().keys() == first.keys() - {f"out/customers.{to.partition(':')[0]}"}
        assert json.loads(Path("out/backbone_export.json").read_text())["snapshot"] == 3
    assert not list(Path().glob("*.part"))


def test_delta_tables_keep_their_history(growing) -> None:
    shop, grow = growing
    shop.export("customers orders sums", "delta:out")

    report = grow(text=True).export("orders sums", "delta:out", replace=True)

    assert report.kept == ("customers",)
    assert DeltaTable("out/orders").to_pyarrow_table().num_rows == 13
    assert DeltaTable("out/orders", version=0).to_pyarrow_table().num_rows == 12
    assert DeltaTable("out/sums").to_pyarrow_table().column_names == ["customer", "amount", "fresh"]
    said = {t["table"]: t["snapshot"] for t in json.loads(Path("out/backbone_export.json").read_text())["tables"]}
    assert said == {"orders": 3, "sums": 3, "customers": 2}


def test_iceberg_tables_keep_their_history_whatever_becomes_of_their_columns(growing) -> None:
    shop, grow = growing
    shop.export("customers orders sums", "iceberg:out")

    report = grow(text=True).export("orders sums", "iceberg:out", replace=True)

    assert report.kept == ("customers",)
    with catch_warnings():
        simplefilter("ignore")
        catalogue = open_catalogue(Path("out").resolve())
        orders, sums = catalogue.load_table("shop.orders"), catalogue.load_table("shop.sums")
        former = orders.snapshots()[0].snapshot_id
        assert orders.scan().to_arrow().num_rows == 13
        assert orders.scan(snapshot_id=former).to_arrow().num_rows == 12
        assert {f.name: str(f.field_type) for f in sums.schema().fields} == {
            "customer": "string", "amount": "string", "fresh": "boolean"
        }  # fmt: skip
        assert {row["amount"] for row in sums.scan().to_arrow().to_pylist()} == {"262.00", "1352.00", "302.00"}
        catalogue.close()


def test_postgresql_is_replaced_in_one_transaction_and_grants_stay(growing, server) -> None:
    shop, grow = growing
    shop.export("customers orders sums", f"postgres:{server}", schema="replaced")
    with pytest.raises(UsageError, match=r"holds an export already: shop \(dev\), snapshot 2"):
        shop.export("orders", f"postgres:{server}", schema="replaced")
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute("CREATE ROLE reader; GRANT SELECT ON replaced.orders TO reader, PUBLIC")

    report = grow().export("customers sums orders", f"postgres:{server}", schema="replaced", replace=True)

    assert report.replaced
    with psycopg.connect(server) as connection:
        assert connection.execute("SELECT count(*) FROM replaced.orders").fetchone() == (13,)
        assert connection.execute("SELECT has_table_privilege('reader', 'replaced.orders', 'SELECT')").fetchone() == (
            True,
        )
        assert connection.execute('SELECT DISTINCT "snapshot" FROM replaced.backbone_export').fetchall() == [(3,)]
        names = connection.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'replaced' ORDER BY 1"
        ).fetchall()
        assert [name for (name,) in names] == ["backbone_export", "customers", "orders", "sums"]
        constraints = connection.execute(
            "SELECT conname FROM pg_constraint WHERE conrelid = 'replaced.sums'::regclass AND contype <> 'n' ORDER BY 1"
        ).fetchall()
        assert constraints == [("references(customer)",), ("sums_pkey",)]


def test_postgresql_refuses_what_others_need_and_changes_nothing(shop, server) -> None:
    shop.export("orders", f"postgres:{server}", schema="needed")
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute("CREATE VIEW needed.mine AS SELECT id FROM needed.orders; CREATE TABLE needed.types (n int)")

    with pytest.raises(ExportError, match=r"view needed\.mine depends on table needed\.orders"):
        shop.export("orders", f"postgres:{server}", schema="needed", replace=True)
    with pytest.raises(UsageError, match=r"has a table needed\.types that no export made"):
        shop.export("types", f"postgres:{server}", schema="needed", replace=True)
    with psycopg.connect(server) as connection:
        assert connection.execute("SELECT count(*) FROM needed.mine").fetchone() == (12,)
        left = connection.execute(
            "SELECT relname FROM pg_class WHERE relname LIKE 'backbone\\_export\\_%' AND relkind = 'r'"
        )
        assert left.fetchall() == []


def test_a_value_that_postgresql_cannot_hold_leaves_nothing(growing, server) -> None:
    shop, _ = growing
    write(shop.root, {"exploitation/nul.sql": "SELECT id, 'a' || chr(0) AS words FROM trusted.orders"})
    open_workspace(shop.root).run()

    with pytest.raises(ExportError, match="NUL character, which PostgreSQL can't hold"):
        open_workspace(shop.root).export("orders nul", f"postgres:{server}", schema="nul")
    with psycopg.connect(server) as connection:
        assert connection.execute("SELECT 1 FROM pg_namespace WHERE nspname = 'nul'").fetchall() == []


def test_an_earlier_snapshot_is_exported_as_it_was(growing) -> None:
    _, grow = growing
    shop = grow()

    reports = [shop.export("orders sums", f"out/{at}", as_of=at) for at in (2, 3)]

    rows = [pyarrow.parquet.read_table(f"out/{at}/orders.parquet").num_rows for at in (2, 3)]
    assert (rows, [r.snapshot for r in reports]) == ([12, 13], [2, 3])


def test_constraints_are_those_that_the_rows_were_checked_by(growing) -> None:
    shop, _ = growing
    write(shop.root, {"trusted/customers.yml": "key: name\nrules: [{trim: all}]\n"})

    report = open_workspace(shop.root).export("customers sums", "shop.duckdb")

    assert report.left_out == (
        "trusted.customers constraints: it is declared otherwise now than when it was published",
        "exploitation.sums constraints: it is declared otherwise now than when it was published",  # by another key
    )


@pytest.mark.parametrize("to", [*KINDS, "postgres:{server}"])
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_a_stopped_export_leaves_what_was_there(shop, server, to, how, tmp_path) -> None:
    """Stopped while its last dataset is written; the same command again does it."""
    to = to.format(server=server)
    schema = f"stopped_{how.name.lower()}"
    options = {"schema": schema} if to.startswith(("postgres", "iceberg")) else {}
    stop = f"""
import os, signal, time, backbone
def on_event(event):
    if event.dataset == "exploitation.types":
        os.kill(os.getpid(), {int(how)})
        time.sleep(5)
backbone.open({str(shop.root)!r}).export("orders types", {to!r}, on_event=on_event, **{options!r})
"""
    ended = subprocess.run([sys.executable, "-c", stop], cwd=tmp_path, capture_output=True, text=True, check=False)

    assert ended.returncode in {-how, 128 + how}, ended.stderr
    if how is signal.SIGINT:
        assert list(tmp_path.iterdir()) == []
    report = shop.export("orders types", to, **options)
    assert [table.rows for table in report.tables] == [12, 7]
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("out") and "part" in path.name] == []


def test_a_place_that_cannot_be_is_told(shop) -> None:
    Path("file").write_text("mine")

    with pytest.raises(ExportError, match=r"a file is in the way of .*Name another target"):
        shop.export("orders", "file/in/it")
    with pytest.raises(UsageError, match="Nothing of what these words choose is published in snapshot 1"):
        shop.export("orders", "out", as_of=1)
    assert [path.name for path in Path().iterdir()] == ["file"]


def test_two_exports_to_one_target_do_not_mix(shop) -> None:
    from backbone.exporting.places import alone

    with alone(Path("out").absolute()), pytest.raises(ExportError, match="Another export is writing"):
        shop.export("orders", "out")


@pytest.mark.usefixtures("disks")
@pytest.mark.parametrize("to", KINDS)
def test_a_full_disk_leaves_nothing(shop, to, tmp_path) -> None:
    kind, _, place = to.partition(":")
    inside = tmp_path / "small" / "inside"
    export = (BACKBONE, "--project", shop.root, "export", "zone:exploitation", "orders", "customers")
    exported = (*export, "--to", f"{kind}:{inside / place}")

    (code, said), (_, left) = carried_out(
        partial(make_almost_full, inside.parent, 4096), exported, ("ls", "-A", inside)
    )

    assert code == 1
    assert "can't be written" in said
    assert left == ""
