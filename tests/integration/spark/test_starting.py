"""Spark's beginning and end in a process, as in a notebook that runs a project twice."""

import subprocess
import sys
from pathlib import Path

import pytest
from faults_shop import backbone_run, write_files

pytestmark = [pytest.mark.spark, pytest.mark.timeout(300), pytest.mark.usefixtures("java")]

TWICE = """
import sys
from pathlib import Path
import psutil
from backbone.engine.spark.engine import SparkEngine

def java():
    return [one for one in psutil.Process().children(recursive=True) if one.name() == "java"]

for memory_limit in ("600MB", "700MB"):
    engine = SparkEngine("local[1]", memory_limit=memory_limit, scratch=Path(sys.argv[1]) / memory_limit)
    assert engine.spark.range(3).count() == 3
    print(len(java()), engine.spark.sparkContext.getConf().get("spark.driver.memory"))
    engine.close()
    print(len(java()))
"""


def test_spark_is_started_again_with_other_memory_and_leaves_no_java(tmp_path: Path) -> None:
    command = [sys.executable, "-W", "error::ResourceWarning", "-c", TWICE, str(tmp_path)]

    ended = subprocess.run(command, capture_output=True, text=True, check=False)

    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.split() == ["1", "572m", "0", "1", "667m", "0"]
    assert "ResourceWarning" not in ended.stderr


KILLED = """
import sys
from pathlib import Path
from pyspark import SparkContext
from backbone.engine.spark.engine import SparkEngine

for number in range(2):
    scratch = Path(sys.argv[1]) / str(number)
    engine = SparkEngine("local[1]", memory_limit="600MB", scratch=scratch, log=Path(sys.argv[1]) / "log")
    print(engine.spark.range(3).count())
    scratch.mkdir(exist_ok=True)
    if not number:
        SparkContext._gateway.proc.kill()
        SparkContext._gateway.proc.wait()
    engine.close()
    print(scratch.exists())
"""


def test_a_spark_whose_java_died_is_closed_and_the_next_one_starts(tmp_path: Path) -> None:
    command = [sys.executable, "-c", KILLED, str(tmp_path)]

    ended = subprocess.run(command, capture_output=True, text=True, check=False)

    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.split() == ["3", "False", "3", "False"]


KILLS_JAVA = """
import psutil
import pyarrow as pa
from backbone import view

@view("trusted.sales")
def seen(sales: pa.Table) -> pa.Table:
    for process in psutil.Process().children(recursive=True):
        if process.name() == "java":
            process.kill()
    return sales
"""


def test_a_spark_that_dies_in_a_run_fails_its_steps_alone(tmp_path: Path) -> None:
    files = {
        "backbone.yml": "name: shop\nengine: {spark: 'local[1]'}\nmemory_limit: 1GB\n",
        "sources/sales.yml": "from: sales.csv\ncolumns: {id: integer}\n",
        "sales.csv": "id\n1\n2\n",
        "trusted/sales.yml": "rules: []\n",
        "exploitation/seen.py": KILLS_JAVA,
    }
    write_files(tmp_path, files)

    ended = backbone_run(tmp_path, seconds=300)

    assert ended.returncode == 1
    assert "exploitation.seen FAILED: Spark's Java process has ended" in ended.stdout
    assert "published snapshot" in ended.stdout
    assert ended.stderr == ""
    (tmp_path / "exploitation" / "seen.py").write_text(KILLS_JAVA.replace("process.kill()", "pass"))
    assert backbone_run(tmp_path, seconds=300).returncode == 0
