"""Loading one file by hand in DuckDB: `loading.py csv|json|parquet clean|bad`.

Types are declared, as in the project. With bad values, rows that can't be read are set aside in a table of their own.
"""

import sys

import duckdb

TYPES = {
    "id": "BIGINT", "carrier": "VARCHAR", "date": "DATE", "flight": "BIGINT",
    "tailnum": "VARCHAR", "origin": "VARCHAR", "delay": "BIGINT", "distance": "BIGINT",
}  # fmt: skip


def main(form: str, values: str) -> None:
    """Load `data/flights-01.FORM` into the table `flights` of a new database."""
    connection = duckdb.connect("floor.db")
    file = f"'data/flights-01.{form}'"
    if form == "csv":
        rejects = ", store_rejects = true" if values == "bad" else ""
        read = f"read_csv({file}, header = true, nullstr = 'NA', columns = {TYPES}{rejects})"
        connection.execute(f"CREATE TABLE flights AS FROM {read}")
        if values == "bad":
            connection.execute("CREATE TABLE aside AS FROM reject_errors")
    elif values == "clean":
        options = f", format = 'newline_delimited', columns = {TYPES}" if form == "json" else ""
        connection.execute(f"CREATE TABLE flights AS FROM read_{form}({file}{options})")
    else:
        types = TYPES | {"delay": "VARCHAR"}
        options = f", format = 'newline_delimited', columns = {types}" if form == "json" else ""
        connection.execute(f"CREATE TEMP TABLE raw AS FROM read_{form}({file}{options})")
        bad = "delay IS NOT NULL AND TRY_CAST(delay AS BIGINT) IS NULL"
        connection.execute(f"CREATE TABLE aside AS FROM raw WHERE {bad}")
        replaced = "* REPLACE (TRY_CAST(delay AS BIGINT) AS delay)"
        connection.execute(f"CREATE TABLE flights AS SELECT {replaced} FROM raw WHERE NOT ({bad})")
    connection.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
