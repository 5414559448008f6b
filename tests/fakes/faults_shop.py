"""A small shop: a project with every kind of dataset, to be run, killed and compared."""

import os
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from pathlib import Path

import backbone
from backbone.lake.catalogue import committed_runs, datasets_at, registered_files
from backbone.model.reports import Check
from backbone.workspace.reading import Reading, open_for_reading

FILES = {
    "backbone.yml": "name: shop\n",
    "sources/orders.yml": """
from: data/orders-*.csv
columns: {order_id: integer, customer: text, day: date, amount: integer}
""",
    "sources/visits.yml": """
from: data/visits-*.csv
columns: {visit_id: integer, customer: text, order_id: integer, minutes: integer}
""",
    "trusted/orders.yml": """
versions: upsert
key: order_id
rules:
  - {trim: all}
  - {not_null: [customer, day], else: quarantine, tolerate: 100%, may_vanish: [order_id, customer, day, amount]}
  - {in_range: amount, from: 0, to: 1000, else: quarantine, tolerate: 100%, may_vanish: [order_id, customer, day]}
""",
    "trusted/visits.yml": """
rules:
  - {trim: all}
  - {in_range: minutes, from: 0, else: quarantine, tolerate: 100%, may_vanish: [visit_id, order_id, customer, minutes]}
  - {unique: all, keep: first, else: deduplicate}
""",
    "exploitation/large_orders.sql": "SELECT order_id, customer, amount FROM trusted.orders WHERE amount >= 50\n",
    "exploitation/visit_log.sql": """/*---
mode: append
rules:
  - {references: order_id, to: trusted.orders, else: warn}
---*/
SELECT visit_id, customer, order_id, minutes * 60 AS seconds FROM trusted.visits
""",
    "exploitation/customer_days.sql": """/*---
key: [customer, day]
mode: merge
rules:
  - {expect: orders > 0, else: fail}
---*/
SELECT customer, day, count(*) AS orders, sum(amount) AS amount FROM trusted.orders GROUP BY ALL
""",
    "exploitation/totals.sql": "SELECT count(*) AS orders, sum(amount) AS amount FROM trusted.orders\n",
    "exploitation/regulars.py": '''"""Customers who ordered and came."""
import duckdb
from backbone import view


@view("trusted.orders", "trusted.visits", key="customer", rules=[{"expect": "orders > 0", "else": "fail"}])
def regulars(orders: duckdb.DuckDBPyRelation, visits: duckdb.DuckDBPyRelation) -> duckdb.DuckDBPyRelation:
    """Customers with orders and visits."""
    came = visits.aggregate("customer, count(*) AS visits", "customer")
    return orders.aggregate("customer, count(*) AS orders", "customer").join(came, "customer")
''',
}  # fmt: skip

ANALYSIS = {
    "analysis/dear.py": '''"""Which orders are dear."""
from backbone import by_group, classification
from sklearn.tree import DecisionTreeClassifier


@classification(
    view="SELECT order_id, customer, order_id % 3 AS third, amount FROM trusted.orders WHERE amount IS NOT NULL",
    key="order_id", target="amount > 300", features=["customer", "third"], split=by_group("order_id", validate=0.3),
    predict="SELECT * FROM view WHERE order_id > 10",
)
def dear():
    """Which orders will be dear?"""
    return {"tree": DecisionTreeClassifier(max_depth=2, random_state=0)}
''',
}  # fmt: skip

ORDERS = "order_id,customer,day,amount"
VISITS = "visit_id,customer,order_id,minutes"

DELIVERIES: Mapping[str, str] = {
    "orders-1.csv": f"{ORDERS}\n" + "".join(f"{n},c{n % 7},2026-01-{n % 9 + 1:02},{n * 10}\n" for n in range(1, 60)),
    "orders-2.csv": f"{ORDERS}\n1,c1,2026-01-02,11\n2,,2026-01-03,12\n3,c3,2026-01-04,5000\n"
    "60,c9,2026-01-05,x\n61,c9,2026-01-05,5\n",
    "orders-3.csv": f"{ORDERS}\n1,c2,2026-01-02,13\n61, c9 ,2026-01-05,6\n61,c9,2026-01-05,7\n62,c8,2026-02-30,7\n",
    "visits-1.csv": f"{VISITS}\n" + "".join(f"{n},c{n % 5},{n},{n % 13}\n" for n in range(1, 40)),
    "visits-2.csv": f"{VISITS}\n1,c1,1,1\n39,c4,39,0\n40,c1,900,3\n40,c1,900,3\n41,c2,2,-1\n42,c2,2,many\n",
}
"""Landed at first. With corrections, rows set aside by parser and by rule, doubles within and between files."""

DROPPED: Mapping[str, str] = {"visits-3.csv": f"{VISITS}\n50,c6,3,30\n1,c1,1,1\n"}
"""Left in the drop folder of visits."""

LATER: Mapping[str, str] = {
    "orders-4.csv": f"{ORDERS}\n2,c2,2026-01-03,20\n70,c1,2026-01-09,700\n71,c1,2026-01-09,-7\n",
    "visits-4.csv": f"{VISITS}\n60,c1,70,5\n60,c1,70,5\n40,c1,900,3\n61,c1,70,-5\n",
}
"""One more delivery, for an incremental run."""

DATASETS = (
    "formatted.orders", "formatted.visits", "trusted.orders", "trusted.visits", "exploitation.large_orders",
    "exploitation.visit_log", "exploitation.customer_days", "exploitation.totals", "exploitation.regulars",
)  # fmt: skip

_GOVERNED = {
    "quarantine": "dataset, name, record, rule, reason, raw",
    "merged_away": "dataset, name, record, rule",
}

Content = Mapping[str, "Counter[tuple[object, ...]]"]


def write_files(root: Path, files: Mapping[str, str]) -> None:
    """Write files of a project."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def deliver(root: Path, deliveries: Mapping[str, str], folder: str = "data") -> None:
    """Put deliveries where sources look for them; old enough to count as written."""
    for name, text in deliveries.items():
        path = root / folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        settle(path)


def settle(path: Path) -> None:
    """Make a file look as if it was written a while ago."""
    os.utime(path, (1_700_000_000, 1_700_000_000))


def make_shop(root: Path) -> Path:
    """The project with its first deliveries, not run yet."""
    write_files(root, FILES)
    deliver(root, DELIVERIES)
    deliver(root, DROPPED, "lake/landing/temporal/visits")
    return root


def backbone_run(root: Path, *more: str, seconds: int = 120) -> "subprocess.CompletedProcess[str]":
    """`backbone run` in a process of its own."""
    command = [str(Path(sys.executable).with_name("backbone")), "--project", str(root), "run", *more]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=seconds)


def content(root: Path, datasets: Sequence[str] = DATASETS) -> Content:
    """Every dataset's rows and what was set aside, as multisets, landed files by name instead of by id."""
    found: dict[str, Counter[tuple[object, ...]]] = {}
    with open_for_reading(backbone.open(root).environment) as reading:
        held = datasets_at(reading.lake.site, reading.lake.snapshot[1])
        names = "(SELECT DISTINCT file, name FROM lake.governance.landed_file)"
        for dataset in datasets:
            columns = ", ".join(f't."{name}"' for name, _ in held[dataset] if name not in {"_file", "model_version"})
            traced = any(name == "_file" for name, _ in held[dataset])
            shown, join = (f"f.name, {columns}", f" JOIN {names} f ON f.file = t._file") if traced else (columns, "")
            found[dataset] = _rows(reading, f"SELECT {shown} FROM lake.{dataset} t{join}")
            found[f"columns of {dataset}"] = Counter(held[dataset])
        for table, columns in _GOVERNED.items():
            found[table] = _rows(reading, f"SELECT {columns} FROM lake.governance.{table} JOIN {names} USING (file)")
    return found


def _rows(reading: Reading, query: str) -> "Counter[tuple[object, ...]]":
    return Counter(tuple(row.values()) for row in reading.lake.records(query))


def differences(one: Content, other: Content) -> list[str]:
    """Which parts differ, with up to three rows each."""
    lines = []
    for name in sorted({*one, *other}):
        left, right = one.get(name, Counter()), other.get(name, Counter())
        if left != right:
            lines.append(
                f"{name}: only here {list((left - right).items())[:3]}, only there {list((right - left).items())[:3]}"
            )
    return lines


def leftovers(root: Path) -> list[str]:
    """What a run must not leave behind: files that nobody registered, scratch, unfinished files, journal entries."""
    folder, site = root / "lake" / "dev", backbone.open(root).environment.site
    known = registered_files(site)
    tables = folder / "tables"
    found = [str(p) for p in tables.rglob("*") if p.is_file() and str(p.relative_to(tables)) not in known]
    found += [str(p) for p in (root / "lake").rglob("*.part")]
    found += [str(p) for name in ("scratch", "spill*") for p in folder.glob(f"{name}/**/*") if p.is_file()]
    found += [str(p) for p in (folder / "runs").glob("*")]
    found += [str(p) for p in (folder / "models").glob("*/*") if p.name not in committed_runs(site)]
    persistent = root / "lake" / "landing" / "persistent"
    landed = {file.path for file in backbone.open(root).environment.landing.registry.files()}
    return found + [str(p) for p in persistent.rglob("*") if p.is_file() and p not in landed]


def landed_texts(root: Path) -> "Counter[tuple[str, str]]":
    """The landed files by name and content."""
    files = backbone.open(root).environment.landing.registry.files()
    return Counter((file.name, file.path.read_text()) for file in files)


def arrivals(root: Path) -> int:
    """How often a file arrived, as the registry tells."""
    with closing(sqlite3.connect(root / "lake" / "landing" / "registry.sqlite")) as registry:
        return int(registry.execute("SELECT count(*) FROM arrival").fetchone()[0])


def unsound(checks: Iterable[Check]) -> list[str]:
    """What `doctor` finds wrong."""
    return [f"{check.name}: {check.detail}" for check in checks if not check.ok]
