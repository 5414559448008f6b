"""The lake: where datasets live. DuckLake, with its catalogue in SQLite or PostgreSQL and its data in Parquet."""
