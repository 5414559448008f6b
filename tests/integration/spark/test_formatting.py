"""Landed files that Spark's tasks read become the same datasets as those that DuckDB reads in this process."""

import pickle
import subprocess
import sys
from pathlib import Path

import pytest
from formatted_files import CASES, staged

from backbone.engine.spark.each import SparkEach

pytestmark = pytest.mark.spark

MEMORY = 1 << 30
FAKES = Path(__file__).parents[2] / "fakes"
SAYS = {
    "quoted newlines": "",
    "small ones together": "",
    "bad values and records": "",
    "bad values become null": "",
    "inferred": "",
    "a wider column, in the third": "id became text: in f3.csv",
    "twice wider": "v became float: in f2.csv",
    "new columns, one after the other": "f2.csv brought column day (date); f2.csv brought column note (text); "
    "f3.csv brought column more (integer); more became text: in f5.csv",
    "a stranger that later columns know": "f4.csv was set aside: it has none of the source's columns",
    "set aside by contract": "f2.csv was set aside: new column 'new'",
    "frozen": "landed file 2, f2.csv: column note is missing (contract: freeze)",
    "columns from the name, and another encoding": "",
    "lines of JSON": "f3.csv brought column new (boolean)",
    "lists in records": "f2.csv lacks column at__x; f2.csv brought column value (integer)",
    "no files": "",
    "one can't be read": "landed file 2, f2.csv: f2.csv can't be read as json",
}


@pytest.mark.parametrize("case", CASES)
def test_spark_reads_as_duckdb_does(spark, tmp_path: Path, case: str) -> None:
    source, texts = CASES[case]

    here = staged(tmp_path / "here", source, texts)
    there = staged(tmp_path / "there", source, texts, SparkEach(lambda: spark, MEMORY))

    assert there == here
    assert SAYS[case] in (here if isinstance(here, str) else here.told[-1])
    assert isinstance(here, str) or not here.left


@pytest.mark.long
@pytest.mark.parametrize("where", ["cluster", "connect"])
def test_so_do_a_cluster_and_a_connect_server(request: pytest.FixtureRequest, tmp_path: Path, where: str) -> None:
    server = request.getfixturevalue(where)
    cases = ("quoted newlines", "bad values and records", "a wider column, in the third", "frozen")
    command = [sys.executable, str(FAKES / "formatted_elsewhere.py"), getattr(server, "url", server), str(tmp_path)]

    ended = subprocess.run([*command, *cases], capture_output=True, text=True, check=False)

    assert ended.returncode == 0, ended.stderr[-3000:]
    found = pickle.loads((tmp_path / "found").read_bytes())
    assert found == {case: staged(tmp_path / case, *CASES[case]) for case in cases}
