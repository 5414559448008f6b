"""The projects that Backbone runs, as texts by path."""

from pathlib import Path

COLUMNS = (
    "columns: {id: integer, carrier: text, date: date, flight: integer,\n"
    "          tailnum: text, origin: text, delay: integer, distance: integer}\n"
)
FLIGHTS = {
    "backbone.yml": "name: flights\n",
    "sources/flights.yml": f"from: data/flights-*.csv\ntemplate: {{format: csv, null_tokens: [NA]}}\n{COLUMNS}",
    "sources/planes.yml": "from: data/planes.csv\ncolumns: {tailnum: text, seats: integer, maker: text}\n",
    "trusted/flights.yml": """versions: upsert
key: id
rules:
  - {trim: all}
  - {not_null: [carrier, date], else: quarantine}
  - {one_of: origin, values: [EWR, JFK, LGA], else: quarantine}
  - {in_range: delay, from: -120, to: 1440, else: null}
  - {in_range: distance, from: 1, to: 6000, else: warn}
""",
    "exploitation/flown.sql": """/*---
key: id
mode: merge
---*/
SELECT f.id, f.carrier, f.date, f.delay, f.distance, p.seats, p.maker
FROM trusted.flights AS f LEFT JOIN trusted.planes AS p ON f.tailnum = p.tailnum
""",
    "exploitation/carrier_days.sql": """/*---
key: [carrier, date]
mode: merge
---*/
SELECT carrier, date, count(*) AS flights, sum(seats) AS seats, sum(distance) AS distance
FROM exploitation.flown GROUP BY carrier, date
""",
    "exploitation/makers.sql": """SELECT maker, count(*) AS flights, avg(delay) AS delay
FROM exploitation.flown GROUP BY maker
""",
}
"""Typed, deduplicated, joined, and aggregated twice: five steps over the flights, beside the two of the planes."""


def views(number: int) -> dict[str, str]:
    """Trivial views over one row, in chains of ten that read each other."""
    texts = {
        "backbone.yml": "name: views\n",
        "sources/one.yml": "from: data/one.csv\ncolumns: {n: integer}\n",
        "data/one.csv": "n\n1\n",
    }
    return texts | {f"exploitation/v{i}.sql": view(i) for i in range(number)}


def with_arrivals(number: int) -> dict[str, str]:
    """So many datasets, of which three follow from files that arrive one after the other."""
    arrivals = {
        "sources/more.yml": "from: data/more-*.csv\ncolumns: {n: integer}\n",
        "exploitation/total.sql": "SELECT sum(n) AS n FROM trusted.more\n",
    }
    return views(number - 5) | arrivals


def view(i: int, plus: int = 1) -> str:
    """The text of one trivial view."""
    read = "trusted.one" if i % 10 == 0 else f"exploitation.v{i - 1}"
    return f"SELECT n + {plus} AS n FROM {read}\n"


def trivial_views(number: int, changed: int = -1) -> list[tuple[str, str, str]]:
    """The same views for tools that run SQL of one's own: name, what it reads (nothing: the file), query."""
    found = [("one", "", "FROM read_csv('data/one.csv')")]
    for i in range(number):
        read = "one" if i % 10 == 0 else f"v{i - 1}"
        found.append((f"v{i}", read, f"SELECT n + {2 if i == changed else 1} AS n FROM {read}"))
    return found


def write(folder: Path, texts: dict[str, str]) -> None:
    """Write a project's files."""
    for name, text in texts.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
