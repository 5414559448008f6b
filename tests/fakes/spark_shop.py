"""A shop whose files are large enough for tasks of their own: a project that must be the same on every engine."""

from collections.abc import Mapping
from pathlib import Path

from faults_shop import deliver, write_files

FILES = {
    "sources/orders.yml": """
from: data/orders-*.csv
columns: {order_id: integer, customer: text, day: date, amount: decimal(2), note: text}
""",
    "sources/visits.yml": "from: data/visits-*.csv\n",
    "trusted/orders.yml": """
versions: upsert
key: order_id
rules:
  - {trim: all}
  - {not_null: [customer, day], else: quarantine}
  - {in_range: amount, from: 0, to: 9000, else: quarantine}
  - {matches: customer, pattern: 'c[0-9]+', else: warn}
""",
    "trusted/visits.yml": """
rules:
  - {in_range: minutes, from: 0, else: quarantine}
  - {unique: all, keep: first, else: deduplicate}
""",
    "exploitation/dear_orders.sql": "SELECT order_id, customer, amount, note FROM trusted.orders WHERE amount >= 50\n",
    "exploitation/customers.sql": """/*---
key: customer
rules:
  - {expect: orders > 0, else: fail}
---*/
SELECT o.customer, count(*) AS orders, sum(o.amount) AS amount, max(v.minutes) AS longest
FROM trusted.orders o LEFT JOIN (SELECT customer, max(minutes) AS minutes FROM trusted.visits GROUP BY customer) v
    ON o.customer = v.customer
GROUP BY o.customer
""",
    "exploitation/customer_days.sql": """/*---
key: [customer, day]
mode: merge
rules:
  - {expect: orders > 0, else: fail}
---*/
SELECT customer, day, count(*) AS orders, sum(amount) AS amount FROM trusted.orders GROUP BY ALL
""",
}

DATASETS = (
    "formatted.orders", "formatted.visits", "trusted.orders", "trusted.visits", "exploitation.dear_orders",
    "exploitation.customers", "exploitation.customer_days",
)  # fmt: skip


def _order(number: int) -> str:
    note = f'"said ""{number}"",\nand went"' if number % 5 == 0 else f"as usual {number}" if number % 3 else ""
    return f"{number},c{number % 97},2026-01-{number % 28 + 1:02},{number % 8000}.{number % 100:02},{note}\n"


def _orders(first: int, last: int, *more: str) -> str:
    return "".join(["order_id,customer,day,amount,note\n", *map(_order, range(first, last)), *more])


def _visits(first: int, last: int, *more: str) -> str:
    lines = (f"{n},c{n % 89},{n % 50},{'web' if n % 2 else 'shop'} {n}\n" for n in range(first, last))
    return "".join(["visit_id,customer,minutes,place\n", *lines, *more])


DELIVERIES: Mapping[str, str] = {
    "orders-1.csv": _orders(0, 9000),
    "orders-2.csv": _orders(8900, 18000, "5,c1,2026-01-02,11.5,corrected\n", "6,,2026-01-03,12,\n", "7,c7,?,1,\n"),
    "orders-3.csv": _orders(18000, 27000, "8,c3,2026-01-04,9500,too dear\n", "9,x3,2026-01-04,1.25,odd\n", "10,c1\n"),
    "orders-4.csv": _orders(27000, 36000, " 11 , c11 ,2026-02-30,1,\n"),
    "visits-1.csv": _visits(0, 15000),
    "visits-2.csv": _visits(14000, 29000, "29000,c1,-5,\n", "29001,c1,many,\n"),
}
"""With line ends in quotes, corrections, values and records that can't be read, rows that break rules, and doubles."""

LATER: Mapping[str, str] = {
    "orders-5.csv": _orders(35500, 44000, "12,c2,2026-01-03,20,late\n"),
    "orders-6.csv": _orders(44000, 52000, "13,c2,2026-01-03,-7,\n"),
    "visits-3.csv": _visits(28000, 43000, "5,c5,5,web 5\n"),
}
"""One more delivery, for an incremental run."""


def make_spark_shop(root: Path, engine: str) -> Path:
    """The project on an engine, as `backbone.yml` says it, with its first deliveries; not run yet."""
    write_files(root, {"backbone.yml": f"name: shop\nengine: {engine}\nmemory_limit: 1GB\n", **FILES})
    deliver(root, DELIVERIES)
    return root
