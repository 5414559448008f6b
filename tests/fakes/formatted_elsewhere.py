"""A command: stage cases on a Spark by its address, in a process of its own, as one process has one kind of Spark."""

import os
import pickle
import sys
from pathlib import Path

from formatted_files import CASES, staged

from backbone.engine.spark.each import SparkEach


def main(url: str, folder: Path, *cases: str) -> None:
    """Pickle what comes of the cases into a file in the folder."""
    from pyspark.sql import SparkSession

    os.environ["SPARK_LOCAL_IP"] = "127.0.0.1"
    os.environ["PYSPARK_PYTHON"] = sys.executable
    builder = SparkSession.builder.remote(url) if url.startswith("sc://") else SparkSession.builder.master(url)
    if not url.startswith("sc://"):
        for name, value in {
            "spark.ui.enabled": "false",
            "spark.driver.host": "127.0.0.1",
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.driver.memory": "600m",
            "spark.executor.memory": "600m",
        }.items():
            builder = builder.config(name, value)
    spark = builder.getOrCreate()
    try:
        each = SparkEach(lambda: spark, 1 << 30)
        found = {case: staged(folder / str(n), *CASES[case], each) for n, case in enumerate(cases)}
    finally:
        spark.stop()
    (folder / "found").write_bytes(pickle.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), *sys.argv[3:])
