"""What the project of flights does, by hand in a DuckDB database: `flights.py full`, then `flights.py day`; or `load`.

Typed, deduplicated, joined, aggregated twice. The rules are conditions and CASE. No landing zone, quarantine, ledger,
warnings, audits, profile, lineage, history or recovery.
"""

import sys

import duckdb

TYPES = (
    "{'id': 'BIGINT', 'carrier': 'VARCHAR', 'date': 'DATE', 'flight': 'BIGINT',"
    " 'tailnum': 'VARCHAR', 'origin': 'VARCHAR', 'delay': 'BIGINT', 'distance': 'BIGINT'}"
)
READ = "FROM read_csv('data/flights-{part}.csv', header = true, nullstr = 'NA', columns = {types})"
# The last row of a key wins: rows are read in the order of the file.
CLEAN = """SELECT id, trim(carrier) AS carrier, date, flight, trim(tailnum) AS tailnum, trim(origin) AS origin,
        CASE WHEN delay BETWEEN -120 AND 1440 THEN delay END AS delay, distance
    FROM {table} WHERE carrier IS NOT NULL AND date IS NOT NULL AND origin IN ('EWR', 'JFK', 'LGA')
    QUALIFY row_number() OVER (PARTITION BY id ORDER BY rowid DESC) = 1"""
FLOWN = """SELECT f.id, f.carrier, f.date, f.delay, f.distance, p.seats, p.maker
    FROM {table} AS f LEFT JOIN planes AS p ON f.tailnum = p.tailnum"""
DAYS = """SELECT carrier, date, count(*) AS flights, sum(seats) AS seats, sum(distance) AS distance
    FROM flown {where} GROUP BY carrier, date"""
MAKERS = (
    "CREATE OR REPLACE TABLE makers AS SELECT maker, count(*) AS flights, avg(delay) AS delay FROM flown GROUP BY maker"
)


def load(connection: duckdb.DuckDBPyConnection) -> None:
    """Typed rows alone."""
    connection.execute(f"CREATE TABLE typed AS {READ.format(part='*', types=TYPES)}")


def full(connection: duckdb.DuckDBPyConnection) -> None:
    """Make everything."""
    connection.execute("CREATE TABLE planes AS FROM read_csv('data/planes.csv')")
    load(connection)
    connection.execute(f"CREATE TABLE flights AS {CLEAN.format(table='typed')}")
    connection.execute(f"CREATE TABLE flown AS {FLOWN.format(table='flights')}")
    connection.execute(f"CREATE TABLE days AS {DAYS.format(where='')}")
    connection.execute(MAKERS)


def day(connection: duckdb.DuckDBPyConnection) -> None:
    """Take in one more file: only the days that it touches are aggregated again."""
    connection.execute("BEGIN")
    connection.execute(f"CREATE TEMP TABLE typed_new AS {READ.format(part='02', types=TYPES)}")
    connection.execute(f"CREATE TEMP TABLE new AS {CLEAN.format(table='typed_new')}")
    connection.execute(
        "CREATE TEMP TABLE touched AS SELECT carrier, date FROM new"
        " UNION SELECT carrier, date FROM flown SEMI JOIN new USING (id)"
    )
    connection.execute("INSERT INTO typed FROM typed_new")
    connection.execute("DELETE FROM flights USING new WHERE flights.id = new.id")
    connection.execute("INSERT INTO flights FROM new")
    connection.execute("DELETE FROM flown USING new WHERE flown.id = new.id")
    connection.execute(f"INSERT INTO flown {FLOWN.format(table='new')}")
    connection.execute("DELETE FROM days USING touched AS t WHERE days.carrier = t.carrier AND days.date = t.date")
    connection.execute(f"INSERT INTO days {DAYS.format(where='SEMI JOIN touched USING (carrier, date)')}")
    connection.execute(MAKERS)
    connection.execute("COMMIT")


if __name__ == "__main__":
    with duckdb.connect("floor.db") as opened:
        {"full": full, "day": day, "load": load}[sys.argv[1]](opened)
