"""What is measured: files like the example's flights, of any size, and projects over them."""

import shutil
from pathlib import Path

import duckdb

CARRIERS = ("UA", "B6", "EV", "DL", "AA", "MQ", "US", "9E", "WN", "VX", "FL", "AS", "F9", "YV", "HA", "OO")


def flights_file(folder: Path, rows: int) -> Path:
    """A CSV file of flights; made once. One in forty has no delay."""
    return _written(folder / f"flights-{rows}.csv", 0, rows)


def day_file(folder: Path, rows: int) -> Path:
    """One more delivery, of a tenth as many rows: half of them correct flights of the year, half are new."""
    return _written(folder / f"more-{rows}.csv", rows - rows // 20, rows + rows // 20)


def _written(path: Path, start: int, end: int) -> Path:
    if not path.exists():
        carriers = ", ".join(f"'{c}'" for c in CARRIERS)
        duckdb.sql(
            f"""COPY (SELECT i AS id, [{carriers}][1 + (hash(i) % 16)::INTEGER] AS carrier,
                (DATE '2013-01-01' + (i % 365)::INTEGER) AS date, 1 + i % 8000 AS flight,
                'N' || (hash(i + 1) % 4000) AS tailnum, ['EWR', 'JFK', 'LGA'][1 + (i % 3)::INTEGER] AS origin,
                CASE WHEN i % 40 = 0 THEN NULL ELSE (hash(i + 2) % 400)::INTEGER - 60 END AS delay,
                50 + (hash(i + 3) % 4000)::INTEGER AS distance
            FROM range({start}, {end}) AS r(i)) TO '{path}' (HEADER, NULLSTR 'NA')"""
        )
    return path


def flights_project(folder: Path, file: Path) -> Path:
    """A project of five steps: formatted, trusted (upsert, six rules), and three views."""
    (folder / "data").mkdir(parents=True)
    shutil.copy(file, folder / "data" / "flights-01.csv")
    texts = {
        "backbone.yml": "name: bench\n",
        "sources/flights.yml": """from: data/flights-*.csv
template: {format: csv, null_tokens: [NA]}
columns: {id: integer, carrier: text, date: date, flight: integer,
          tailnum: text, origin: text, delay: integer, distance: integer}
""",
        "trusted/flights.yml": """versions: upsert
key: id
rules:
  - {trim: all}
  - {not_null: [carrier, date], else: quarantine}
  - {one_of: origin, values: [EWR, JFK, LGA], else: quarantine}
  - {in_range: delay, from: -120, to: 1440, else: null}
  - {in_range: distance, from: 1, to: 6000, else: warn}
""",
        "exploitation/carrier_days.sql": """/*---
key: [carrier, date]
mode: merge
---*/
SELECT carrier, date, count(*) AS flights, sum(distance) AS distance FROM trusted.flights GROUP BY carrier, date
""",
        "exploitation/planes.sql": "SELECT tailnum, count(*) AS flights FROM trusted.flights GROUP BY tailnum\n",
        "exploitation/late.sql": "SELECT id, carrier, delay FROM trusted.flights WHERE delay > 200\n",
    }
    return _project(folder, texts)


def views_project(folder: Path, views: int) -> Path:
    """A project of trivial views, in rows of ten that read each other; made once."""
    if (folder / "backbone.yml").exists():
        return folder
    (folder / "data").mkdir(parents=True)
    (folder / "data" / "one.csv").write_text("n\n1\n")
    texts = {"backbone.yml": "name: views\n", "sources/one.yml": "from: data/one.csv\ncolumns: {n: integer}\n"}
    for i in range(views):
        read = "trusted.one" if i % 10 == 0 else f"exploitation.v{i - 1}"
        texts[f"exploitation/v{i}.sql"] = f"SELECT n + 1 AS n FROM {read}\n"
    return _project(folder, texts)


def _project(folder: Path, texts: dict[str, str]) -> Path:
    for name, text in texts.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder
