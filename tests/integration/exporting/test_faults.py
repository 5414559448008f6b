"""An export that replaces another is struck at moments that a seed chose: what is there stays whole.

A moment is an event of the process (see `faults_events.py`): a file opened, moved or removed, a statement of DuckDB's.
"""

import random
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from warnings import catch_warnings, simplefilter

import duckdb
import psycopg
import pyarrow.parquet
import pytest
from deltalake import DeltaTable

from backbone.exporting.iceberg import open_catalogue
from backbone.exporting.places import read_mark
from backbone.workspace.opening import open_workspace

sys.path.insert(0, str(Path(__file__).parents[2] / "fakes"))
from faults_events import Strike, carry_out
from thoroughness import some

WAYS = ("die", "die", "timer", "interrupt", "limit")


def parquet(root: Path, _: str) -> tuple[int, ...]:
    return tuple(pyarrow.parquet.read_table(root / f"out/{name}.parquet").num_rows for name in ("orders", "again"))


def delta(root: Path, _: str) -> tuple[int, ...]:
    return tuple(DeltaTable(root / f"out/{name}").to_pyarrow_table().num_rows for name in ("orders", "again"))


def iceberg(root: Path, _: str) -> tuple[int, ...]:
    with catch_warnings():
        simplefilter("ignore")
        catalogue = open_catalogue(root / "out")
        try:
            tables = [catalogue.load_table(f"shop.{name}") for name in ("orders", "again")]
            return tuple(table.scan().to_arrow().num_rows for table in tables)
        finally:
            catalogue.close()


def duckdb_file(root: Path, _: str) -> tuple[int, ...]:
    with duckdb.connect(str(root / "out.duckdb"), read_only=True) as file:
        return tuple(file.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in ("orders", "again"))


def postgres(_: Path, server: str) -> tuple[int, ...]:
    with psycopg.connect(server) as connection:
        return tuple(
            connection.execute(f"SELECT count(*) FROM struck.{name}").fetchone()[0] for name in ("orders", "again")
        )


READ = {"parquet:out": parquet, "delta:out": delta, "iceberg:out": iceberg, "duckdb:out.duckdb": duckdb_file,
        "postgres:{server}": postgres}  # fmt: skip
BY_TABLE = ("delta:out", "iceberg:out")


@dataclass(frozen=True)
class Prepared:
    """A project with a new order since its export to each target, and how many events the next export to it has."""

    folder: Path
    server: str
    former: int
    events: dict[str, int]

    def command(self, to: str) -> tuple[str, ...]:
        schema = ("--schema", "struck") if to.startswith("postgres") else ()
        return ("export", "trusted.orders", "again", "--to", to.format(server=self.server), "--replace", *schema)

    def begin(self, to: str) -> Path:
        """The project where it always is, since tables of Iceberg know their place, and the former export."""
        root, ready = self.folder / "shop", self.folder / f"ready-{to.partition(':')[0]}"
        shutil.rmtree(root, ignore_errors=True)
        if ready.exists():
            shutil.copytree(ready, root)
            if to.startswith("postgres"):
                assert carry_out(root, (*self.command(to), "--as-of", str(self.former))).code == 0
            return root
        shutil.copytree(self.folder / "before", root)
        assert carry_out(root, self.command(to)).code == 0
        deliver(root)
        shutil.copytree(root, ready)
        return root


def deliver(root: Path) -> None:
    (root / "data/orders.csv").write_text(
        (root / "data/orders.csv").read_text() + "13,c1,1130,2026-01-13,\n", encoding="utf-8"
    )
    assert carry_out(root, ("run",)).code == 0


@pytest.fixture(scope="module")
def prepared(made: Path, server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prepared]:
    folder = tmp_path_factory.mktemp("struck")
    shutil.copytree(made, folder / "before")
    (folder / "before/trusted/orders.yml").write_text("key: id\nversions: snapshot\n")
    (folder / "before/exploitation/again.sql").write_text("FROM trusted.orders")
    report = open_workspace(folder / "before").run()
    yield Prepared(folder, server, report.snapshot, {})
    shutil.rmtree(folder)


def strike(prepared: Prepared, to: str, seed: int) -> None:
    root, command, read = prepared.begin(to), prepared.command(to), READ[to]
    chosen = random.Random(f"{to} {seed}")
    if to not in prepared.events:
        prepared.events[to] = len(carry_out(root, command).events)
        assert read(root, prepared.server) == (13, 13)
        root = prepared.begin(to)
    way = chosen.choice(WAYS)
    number = chosen.randrange(prepared.events[to])
    struck = Strike(number, way, {"limit": 8_192, "timer": chosen.randrange(20_000)}.get(way, 0))
    where = f"{to} {struck}"

    ended = carry_out(root, command, struck)

    assert ended.code in {"interrupt": (130, 0), "limit": (1, 0)}.get(way, (-9, -14, 0)), (where, ended.said)
    found = read(root, prepared.server)
    whole = [(12, 12), (13, 13), *([(13, 12)] if to in BY_TABLE else [])]
    assert found in whole, where
    if way in {"interrupt", "limit"}:
        assert not (root / "out.part").exists(), where
    assert to.startswith("postgres") or to.endswith(".duckdb") or read_mark(root / "out")["complete"], where
    again = carry_out(root, command)
    assert again.code == 0, (where, again.said)
    assert read(root, prepared.server) == (13, 13), where
    assert not list(root.glob("*.part")), where


@pytest.mark.parametrize("to", ["parquet:out", "duckdb:out.duckdb", "postgres:{server}"])
def test_what_is_there_is_whole_when_an_export_is_struck(prepared, to) -> None:
    strike(prepared, to, 0)


@pytest.mark.long
@pytest.mark.parametrize("to", READ)
def test_whenever_and_however_often_it_is_struck(prepared, to) -> None:
    for seed in range(100, some(104, 110)):
        strike(prepared, to, seed)
