"""The same project, run delivery by delivery, holds the same on both engines: rows, columns, what was set aside."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from tests.fakes.faults_shop import (
    DATASETS,
    FILES,
    LATER,
    content,
    deliver,
    differences,
    leftovers,
    make_shop,
    write_files,
)
from thoroughness import some

import backbone
from backbone.engine.spark import here
from backbone.engine.spark.engine import SparkEngine
from backbone.model.reports import RunReport

MORE: Mapping[str, str] = {
    "sources/prices.yml": "from: data/prices-*.csv\ncolumns: {item: text, since: date, price: text, note: text}\n",
    "trusted/prices.yml": """
versions: history
key: item
newest_by: since
rules:
  - {null_tokens: note, tokens: [n/a, '-']}
  - {replace: item, with: {apple: Apple}}
  - {matches: price, pattern: '\\d+(\\.\\d+)?', else: quarantine, tolerate: 100%, may_vanish: [item, since, price, note]}
  - {type: price, as: decimal(2), else: 'null'}
  - {set: note, to: "upper(note)", where: note = 'sale'}
""",
    "sources/stock.yml": "from: data/stock-*.csv\ncolumns: {item: text, pieces: integer}\n",
    "trusted/stock.yml": """
versions: snapshot
key: item
rules:
  - {one_of: item, values: [Apple, Pear, Plum], else: warn}
  - {expect: count(*) < 100, else: fail}
""",
    "sources/staff.yml": "from: data/staff-*.csv\ncolumns: {name: text, shop: text, day: date}\n",
    "trusted/staff.yml": "versions: history\nkey: name\nnewest_by: day\nabsent: deleted\n",
    "sources/bills.yml": """
from: data/bills-*.json
template: {format: json}
columns: {bill: integer, at__city: text}
children: {lines: {columns: {item: text, n: integer}}}
""",
    "trusted/bills.yml": "versions: upsert\nkey: bill\n",
    "exploitation/values.sql": """/*---
key: item
rules:
  - {expect: value >= 0, else: quarantine, tolerate: 100%}
---*/
SELECT s.item, pieces, max(p.price) AS price, pieces * max(p.price) AS value
FROM trusted.stock AS s LEFT JOIN trusted.prices AS p ON p.item = s.item GROUP BY s.item, pieces
""",
    "exploitation/busy.py": '''"""Customers by number."""
import polars as pl
from backbone import view


@view("exploitation.customer_days", key="customer")
def busy(days: pl.DataFrame) -> pl.DataFrame:
    """Orders of each customer."""
    return days.group_by("customer").agg(pl.sum("orders"))
''',
}  # fmt: skip
FIRST: Mapping[str, str] = {
    "prices-1.csv": "item,since,price,note\napple,2026-01-01,1.5,n/a\nPear,2026-01-01,2,sale\nPlum,2026-01-01,x,-\n",
    "stock-1.csv": "item,pieces\nApple,3\nPear,-1\nPlum,7\n",
    "bills-1.json": '[{"bill": 1, "at": {"city": "Bern"}, "lines": [{"item": "Pear", "n": 1}, {"item": "Plum", "n": 2}]},'
    '{"bill": 2, "lines": [{"item": "Plum", "n": 3}]}]',
    "staff-1.csv": "name,shop,day\nAda,north,2026-01-01\nBob,south,2026-01-01\n",
}
SECOND: Mapping[str, str] = {
    "prices-2.csv": "item,since,price,note\napple,2026-01-05,1.75,sale\nPear,2025-12-01,3,\nApple,2026-01-07,1.75,sale\n",
    "stock-2.csv": "item,pieces\nApple,4\nKiwi,1\n",
    "bills-2.json": '[{"bill": 1, "at": {"city": "Chur"}, "lines": [{"item": "Pear", "n": 9}]}, {"bill": 3, "lines": []}]',
    "staff-2.csv": "name,shop,day\nAda,south,2026-01-08\n",
}
ALL = (
    *DATASETS,
    "trusted.prices",
    "trusted.stock",
    "trusted.staff",
    "trusted.bills",
    "trusted.bills__lines",
    "exploitation.values",
    "exploitation.busy",
)


LIKE_OTHERS = (
    "exploitation/large_orders.sql",
    "exploitation/totals.sql",
    "exploitation/regulars.py",
    "exploitation/busy.py",
)
"""What asks Spark nothing that the rest of the project doesn't ask."""


def _project(root: Path, engine: str, without: Sequence[str]) -> Path:
    make_shop(root)
    write_files(root, MORE)
    for name in without:
        (root / name).unlink()
    (root / "backbone.yml").write_text(FILES["backbone.yml"] + engine)
    deliver(root, FIRST)
    return root


@pytest.mark.timeout(1200)
@pytest.mark.parametrize(
    ("rows", "without", "deliveries"),
    [(-1, LIKE_OTHERS, some((LATER | SECOND,), ({}, LATER, SECOND))), (here.ROWS, (), ({}, LATER | SECOND))],
    ids=["all asked of Spark", "few rows asked here"],
)
def test_deliveries_make_the_same(
    tmp_path: Path,
    spark: SparkEngine,
    rows: int,
    without: Sequence[str],
    deliveries: Sequence[Mapping[str, str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert spark.spark is not None  # started once: the runs use it
    monkeypatch.setattr(here, "ROWS", rows)
    roots = [_project(tmp_path / "duckdb", "", without), _project(tmp_path / "spark", "engine: spark\n", without)]
    for more in deliveries:
        for root in roots:
            deliver(root, more)
        reports = [backbone.open(root).run() for root in roots]

        left, right = ([(s.dataset, s.status, s.rows, s.ledger, s.delta, s.note) for s in r.steps] for r in reports)
        assert right == left
        assert _found(reports[1]) == _found(reports[0])
        datasets = [name for name in ALL if not any(Path(path).stem == name.partition(".")[2] for path in without)]
        assert differences(*(content(root, datasets) for root in reversed(roots))) == []
        assert leftovers(roots[1]) == []


def _found(report: RunReport) -> list[tuple[object, ...]]:
    return [
        (s.dataset, f.rule.name, f.tested, f.broken, f.level, f.message, f.examples)
        for s in report.steps
        for f in s.findings
    ]


@pytest.mark.parametrize("rows", [-1, here.ROWS], ids=["all asked of Spark", "few rows asked here"])
def test_a_view_in_python_takes_and_gives_what_it_says(
    tmp_path: Path, spark: SparkEngine, rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(here, "ROWS", rows)
    assert spark.spark is not None
    write_files(
        tmp_path,
        {
            "backbone.yml": "name: forms\nengine: spark\n",
            "sources/sales.yml": "from: data/sales-*.csv\ncolumns: {shop: text, amount: integer}\n",
            **{f"exploitation/{name}.py": _view(name, *said) for name, said in VIEWS.items()},
        },
    )
    deliver(tmp_path, {"sales-1.csv": "shop,amount\nnorth,1\nsouth,2\nnorth,\n"})

    report = backbone.open(tmp_path).run()

    assert [s.failure for s in report.steps if s.failure] == []
    for name in VIEWS:
        rows = backbone.open(tmp_path).table(f"exploitation.{name}").arrow().to_pylist()
        assert sorted(map(str, rows)) == [
            "{'shop': 'north', 'amount': 1}",
            "{'shop': 'north', 'amount': None}",
            "{'shop': 'south', 'amount': 2}",
        ]


VIEWS = {
    "with_spark": ("from pyspark.sql import DataFrame", "DataFrame", "sales.select('shop', 'amount')"),
    "with_pandas": ("import pandas as pd", "pd.DataFrame", "sales.astype({'amount': 'Int64'})"),
    "with_polars": ("import polars as pl", "pl.DataFrame", "sales"),
    "with_arrow": ("import pyarrow as pa", "pa.Table", "sales"),
    "with_batches": ("import pyarrow as pa", "pa.RecordBatchReader", "sales"),
    "with_duckdb": ("import duckdb", "duckdb.DuckDBPyRelation", "sales"),
}


def _view(name: str, imports: str, form: str, body: str) -> str:
    return f'''{imports}
from backbone import view


@view("trusted.sales")
def {name}(sales: {form}) -> {form}:
    """All sales."""
    return {body}
'''
