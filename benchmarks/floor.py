"""The floor: what the benchmark project does, by hand in DuckDB: `floor.py full FILE`, then `floor.py day FILE`.

Reading, upsert, rules as WHERE and CASE, three aggregates; no quarantine, ledger, profile, lineage or recovery.
"""

import sys

import duckdb

READ = "read_csv('{file}', nullstr='NA', header=true)"
CLEAN = """SELECT id, trim(carrier) AS carrier, date, flight, trim(tailnum) AS tailnum, trim(origin) AS origin,
    CASE WHEN delay BETWEEN -120 AND 1440 THEN delay END AS delay, distance FROM raw_new
    WHERE carrier IS NOT NULL AND date IS NOT NULL AND origin IN ('EWR', 'JFK', 'LGA')
    QUALIFY row_number() OVER (PARTITION BY id) = 1"""
DAYS = (
    "SELECT carrier, date, count(*) AS flights, sum(distance) AS distance FROM flights {where} GROUP BY carrier, date"
)


def main(what: str, file: str) -> None:
    """Do the work of one run in the database `floor.db` of this folder."""
    con = duckdb.connect("floor.db")
    con.execute(f"CREATE OR REPLACE TABLE raw_new AS FROM {READ.format(file=file)}")
    con.execute(f"CREATE OR REPLACE TABLE new AS {CLEAN}")
    if what == "full":
        con.execute("CREATE TABLE raw AS FROM raw_new; CREATE TABLE flights AS FROM new")
        con.execute(f"CREATE TABLE days AS {DAYS.format(where='')}")
    else:
        keys = "SELECT carrier, date FROM new UNION SELECT carrier, date FROM flights SEMI JOIN new USING (id)"
        con.execute(f"INSERT INTO raw FROM raw_new; CREATE OR REPLACE TEMP TABLE touched AS {keys}")
        con.execute("DELETE FROM flights USING new WHERE flights.id = new.id; INSERT INTO flights FROM new")
        con.execute("DELETE FROM days USING touched t WHERE days.carrier = t.carrier AND days.date = t.date")
        con.execute(f"INSERT INTO days {DAYS.format(where='SEMI JOIN touched USING (carrier, date)')}")
    con.execute("CREATE OR REPLACE TABLE planes AS SELECT tailnum, count(*) AS flights FROM flights GROUP BY tailnum")
    con.execute("CREATE OR REPLACE TABLE late AS SELECT id, carrier, delay FROM flights WHERE delay > 200")
    con.close()


if __name__ == "__main__":
    main(*sys.argv[1:3])
