"""The DuckDB engine, embedded in this process."""
