"""Loads the flights' CSV file into DuckDB: read by DuckDB, passed on as Arrow, loaded as Parquet: dlt's fastest way."""

import dlt
from dlt.sources.filesystem import filesystem, read_csv_duckdb

SETTINGS = {
    "header": True,
    "na_values": "NA",
    "dtype": {
        "id": "BIGINT", "carrier": "VARCHAR", "date": "DATE", "flight": "BIGINT",
        "tailnum": "VARCHAR", "origin": "VARCHAR", "delay": "BIGINT", "distance": "BIGINT",
    },
}  # fmt: skip

if __name__ == "__main__":
    pipeline = dlt.pipeline(
        "bench", pipelines_dir="state", destination=dlt.destinations.duckdb("bench.duckdb"), dataset_name="raw"
    )
    reader = read_csv_duckdb(chunk_size=100_000, use_pyarrow=True, **SETTINGS)
    source = filesystem(bucket_url="data", file_glob="flights-*.csv") | reader
    print(pipeline.run(source.with_name("flights"), loader_file_format="parquet"))
