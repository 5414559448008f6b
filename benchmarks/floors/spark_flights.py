"""What the projects of flights and of views do, by hand in PySpark: `spark_flights.py load|full`, or `views NUMBER`.

Each step writes Parquet, which the next one reads. The rules are conditions and CASE. No landing zone, record numbers,
quarantine, ledger, warnings, audits, profile, lineage, history or recovery.
"""

import sys
from collections.abc import Callable

from pyspark.sql import DataFrame, SparkSession

TYPES = (
    "id BIGINT, carrier STRING, date DATE, flight BIGINT, tailnum STRING, origin STRING, delay BIGINT, distance BIGINT"
)
CLEAN = """SELECT id, trim(carrier) AS carrier, date, flight, trim(tailnum) AS tailnum, trim(origin) AS origin,
    CASE WHEN delay BETWEEN -120 AND 1440 THEN delay END AS delay, distance
FROM (SELECT *, row_number() OVER (PARTITION BY id ORDER BY file DESC, place DESC) AS newest FROM typed
      WHERE carrier IS NOT NULL AND date IS NOT NULL AND origin IN ('EWR', 'JFK', 'LGA'))
WHERE newest = 1"""
FLOWN = """SELECT f.id, f.carrier, f.date, f.delay, f.distance, p.seats, p.maker
FROM flights AS f LEFT JOIN planes AS p ON f.tailnum = p.tailnum"""
DAYS = """SELECT carrier, date, count(*) AS flights, sum(seats) AS seats, sum(distance) AS distance
FROM flown GROUP BY carrier, date"""
MAKERS = "SELECT maker, count(*) AS flights, avg(delay) AS delay FROM flown GROUP BY maker"


def keep(spark: SparkSession, name: str, rows: DataFrame) -> None:
    """Write a step's rows, and let others read them by name."""
    rows.write.parquet(f"tables/{name}")
    spark.read.parquet(f"tables/{name}").createOrReplaceTempView(name)


def load(spark: SparkSession) -> None:
    """Typed rows, with where each comes from."""
    read = spark.read.csv("data/flights-*.csv", header=True, schema=TYPES, nullValue="NA")
    keep(spark, "typed", read.selectExpr("*", "input_file_name() AS file", "monotonically_increasing_id() AS place"))


def full(spark: SparkSession) -> None:
    """Typed, deduplicated, joined, aggregated twice."""
    load(spark)
    planes = "tailnum STRING, seats BIGINT, maker STRING"
    keep(spark, "planes", spark.read.csv("data/planes.csv", header=True, schema=planes))
    for name, query in {"flights": CLEAN, "flown": FLOWN, "days": DAYS, "makers": MAKERS}.items():
        keep(spark, name, spark.sql(query))


def views(spark: SparkSession, number: str) -> None:
    """Trivial views over one row, in chains of ten that read each other."""
    keep(spark, "one", spark.read.csv("data/one.csv", header=True, schema="n BIGINT"))
    for i in range(int(number)):
        before = f"v{i - 1}" if i % 10 else "one"
        keep(spark, f"v{i}", spark.sql(f"SELECT n + {i} AS n FROM {before}"))


DO: dict[str, Callable[..., None]] = {"load": load, "full": full, "views": views}

if __name__ == "__main__":
    quiet = {"spark.ui.enabled": "false", "spark.ui.showConsoleProgress": "false", "spark.driver.memory": "4g"}
    builder = SparkSession.builder.master("local[*]")
    for key, value in quiet.items():
        builder = builder.config(key, value)
    started = builder.getOrCreate()
    DO[sys.argv[1]](started, *sys.argv[2:])
    started.stop()
