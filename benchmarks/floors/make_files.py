"""Makes the benchmark's files: `make_files.py PATH flights START ROWS BAD`, `make_files.py PATH planes`."""

import sys
from pathlib import Path

import duckdb

CARRIERS = ["UA", "B6", "EV", "DL", "AA", "MQ", "US", "9E", "WN", "VX", "FL", "AS", "F9", "YV", "HA", "OO"]
FORMS = {
    "csv": "FORMAT csv, HEADER, NULLSTR 'NA'",
    "json": "FORMAT json",
    "parquet": "FORMAT parquet, COMPRESSION zstd",
}
PLANES = "SELECT 'N' || i AS tailnum, 20 + i % 300 AS seats, ['BOEING', 'AIRBUS', 'EMBRAER'][1 + i % 3] AS maker"


def flights(start: int, rows: int, *, bad: bool) -> str:
    """A query that makes flights: 27,000 of them a day."""
    delay = f"CASE WHEN i % 40 = 0 THEN NULL ELSE (hash(i + 2 + {start}) % 400)::INTEGER - 60 END"
    if bad:
        delay = f"CASE WHEN i % 1000 = 1 THEN 'late' ELSE ({delay})::VARCHAR END"
    return f"""SELECT CASE WHEN i % 100 = 99 THEN i - 50 ELSE i END AS id,
        {CARRIERS}[1 + (hash(i) % 16)::INTEGER] AS carrier, DATE '2013-01-01' + (i // 27000)::INTEGER AS date,
        1 + i % 8000 AS flight, 'N' || (hash(i + 1) % 4000) AS tailnum,
        ['EWR', 'JFK', 'LGA'][1 + (i % 3)::INTEGER] AS origin, {delay} AS delay,
        50 + (hash(i + 3) % 4000)::INTEGER AS distance
    FROM range({start}, {start + rows}) AS r(i)"""


def main(path: str, what: str, *numbers: str) -> None:
    """Write one file."""
    if what == "planes":
        query = f"{PLANES} FROM range(3800) AS r(i)"
    else:
        start, rows, bad = map(int, numbers)
        query = flights(start, rows, bad=bool(bad))
    duckdb.sql(f"COPY ({query}) TO '{path}' ({FORMS[Path(path).suffix[1:]]})")


if __name__ == "__main__":
    main(*sys.argv[1:])
