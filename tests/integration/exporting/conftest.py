"""A shop with every domain, keys and rules; and a database of its own for what is exported."""

from pathlib import Path

import pytest
from postgres_server import PostgresServer

from backbone.project.writing import init_project
from backbone.workspace.opening import open_workspace
from backbone.workspace.workspace import Workspace

QUOTED = '"x, ""y"""'
FILES = {
    "data/orders.csv": "id,customer,amount,day,note\n"
    + "".join(f"{n},c{n % 3},{n * 10}.50,2026-01-{n:02},{QUOTED * (n % 2)}\n" for n in range(1, 13)),
    "data/customers.csv": "id,name,country\nc0,Ada,ES\nc1,Ben,FR\nc2,Eva,ES\n",
    "sources/orders.yml": "from: data/orders.csv\ndescription: As sold\ncolumns: {id: integer, customer: text, "
    "amount: decimal(2), day: date, note: text}\n",
    "sources/customers.yml": "from: data/customers.csv\ncolumns: {id: text, name: text, country: text}\n",
    "trusted/customers.yml": """
key: id
rules:
  - {not_null: name, else: fail}
  - {unique: name, else: fail}
  - {matches: country, pattern: '[A-Z]{2}', else: fail}
  - {length: name, from: 3, to: 10, else: fail}
""",
    "trusted/orders.yml": """
key: id
description: Orders, "as" they're sold
rules:
  - {in_range: amount, from: 0, else: fail}
  - {in_range: day, from: 2020-01-01, to: today, else: fail}
  - {expect: amount / 2 > 1, else: fail, name: half}
  - {expect: note <> 'z', else: fail, where: id > 3, name: no_z}
  - {one_of: customer, values: [c0, c1, c2], else: fail}
  - {not_null: note, else: warn}
""",
    "exploitation/sums.sql": """/*---
key: customer
description: Sums by customer
rules:
  - {references: customer, to: trusted.customers, else: fail}
  - {references: customer, to: trusted.orders, by: customer, else: fail, name: some_order}
  - {not_null: amount, else: fail, tolerate: 10%}
---*/
SELECT customer, sum(amount) AS amount FROM trusted.orders GROUP BY ALL
""",
    "exploitation/types.sql": """
SELECT id, 'Ωmega ' || id || chr(10) || '"' AS words, '' AS empty, amount, amount * 3 AS exact, id / 7 AS float,
    id % 2 = 0 AS even, day, TIME '12:00:01.25' AS at, TIMESTAMP '1969-12-31 23:59:59.123456' AS local,
    TIMESTAMPTZ '2026-01-01 12:00:00.5+02' AS moment, '\\x00\\xFFab'::BLOB AS bytes,
    '{"b": 1.10, "a": [1, null]}'::JSON AS document, [id, NULL, 2] AS numbers, ['a,"b', NULL, ''] AS texts,
    [[1], [], [2, 3]] AS nested, [] ::BIGINT[] AS none
FROM trusted.orders WHERE id < 6
UNION ALL SELECT -9223372036854775807, NULL, NULL, NULL, NULL, 'nan'::DOUBLE, NULL, NULL, NULL,
    NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
UNION ALL SELECT 9223372036854775807, 'x', '', -0.01, 0, '-inf'::DOUBLE, true, DATE '0001-01-01', TIME '00:00',
    TIMESTAMP '0001-01-01', TIMESTAMPTZ '9999-12-31 23:59:59Z', ''::BLOB, 'null'::JSON, [], [], [], []
""",
    "glossary.yml": "customer: {means: Who buys, columns: [trusted.orders.customer]}\n",
}


def write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shop, run once. Exports change nothing in it."""
    root = tmp_path_factory.mktemp("exports") / "shop"
    init_project(root, "shop")
    write(root, FILES)
    report = open_workspace(root).run()
    assert report.status == "published", report
    return root


@pytest.fixture
def shop(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """The shop, opened; the present folder is an empty one."""
    monkeypatch.chdir(tmp_path)
    return open_workspace(made)


@pytest.fixture(scope="session")
def server(postgres: PostgresServer) -> str:
    """The URL of a database on the PostgreSQL server of all tests."""
    return postgres.url(postgres.new_database())
