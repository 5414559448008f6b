"""Engines: they turn queries over named inputs into Parquet files."""
