"""The lake: where datasets live. DuckLake, with its catalogue in SQLite and data in Parquet."""
