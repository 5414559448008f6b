"""Questions by hand to a lake that Backbone made: `asking.py query|summarize|checks|one-scan|open`.

`query` is a first answer, `summarize` DuckDB's own profile, `checks` one query for each of fifteen checks,
`one-scan` a single query for all of them, `open` none: what it costs to begin.
"""

import sys

from lake import opened  # type: ignore[import-not-found] # a script beside this one

CHECKS = (
    "id IS NOT NULL", "carrier IS NOT NULL", "date IS NOT NULL", "origin IS NOT NULL",
    "carrier IN ('UA', 'B6', 'EV', 'DL', 'AA', 'MQ', 'US', '9E', 'WN', 'VX', 'FL', 'AS', 'F9', 'YV', 'HA', 'OO')",
    "origin IN ('EWR', 'JFK', 'LGA')",
    "delay BETWEEN -120 AND 1440", "distance BETWEEN 1 AND 6000", "flight BETWEEN 1 AND 9999",
    "date BETWEEN DATE '2013-01-01' AND DATE '2033-12-31'",
    "regexp_full_match(tailnum, 'N[0-9]{1,5}')", "length(carrier) BETWEEN 2 AND 2", "length(tailnum) BETWEEN 2 AND 6",
    "delay < distance * 10", "flight <> distance * 1000",
)  # fmt: skip


def main(what: str) -> None:
    """Open the lake of a project, and ask."""
    connection = opened("lake/dev/catalogue.sqlite", "lake/dev/tables/", options=", OVERRIDE_DATA_PATH true, READ_ONLY")
    if what == "query":
        print(connection.execute("SELECT origin, count(*) FROM lake.trusted.flights GROUP BY ALL").fetchall())
    elif what == "summarize":
        print(connection.execute("SUMMARIZE lake.trusted.flights").fetchall())
    elif what == "checks":
        for check in CHECKS:
            print(connection.execute(f"SELECT count(*) FROM lake.formatted.flights WHERE NOT ({check})").fetchone())
    elif what == "one-scan":
        counts = ", ".join(f"count_if(NOT ({check}))" for check in CHECKS)
        print(connection.execute(f"SELECT {counts} FROM lake.formatted.flights").fetchone())


if __name__ == "__main__":
    main(sys.argv[1])
