"""More memory than `memory_limit`: what can be put aside on disk is, what can't fails alone and says so."""

import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from faults_shop import backbone_run, deliver, leftovers, unsound, write_files
from thoroughness import some

import backbone

MEGA = 10**6
ROWS = 40_000
PROJECT = {
    "backbone.yml": "name: small\nmemory_limit: 60MB\n",
    "sources/words.yml": "from: data/words-*.csv\ncolumns: {n: integer, word: text}\n",
    "exploitation/counted.sql": "SELECT count(*) AS n FROM trusted.words\n",
    "exploitation/listed.sql": "SELECT list(word || i ORDER BY word) AS words FROM trusted.words, range(60) AS r(i)\n",
    "exploitation/ranked.sql": """
SELECT word || i AS word, row_number() OVER (ORDER BY word || i) AS place FROM range(15) AS r(i), trusted.words
""",
    "exploitation/longest.sql": "SELECT len(words) AS words FROM exploitation.listed\n",
    "exploitation/filled.py": '''"""Too much for Python."""
import pyarrow as pa
from backbone import view


@view("trusted.words")
def filled(words: pa.Table) -> pa.Table:
    """As many bytes as no machine has."""
    return pa.table({"many": [bytearray(1 << 60)]})
''',
}


@pytest.fixture
def small(tmp_path: Path) -> Path:
    write_files(tmp_path, PROJECT)
    deliver(tmp_path, {"words-1.csv": "n,word\n" + "".join(f"{n},{'x' * 30}{n}\n" for n in range(ROWS))})
    return tmp_path


def test_what_needs_too_much_memory_fails_alone_and_says_what_to_do(small):
    done = backbone_run(small)

    assert done.returncode == 1
    told = " ".join((done.stdout + done.stderr).split())
    assert "exploitation.listed FAILED: it needs more memory than memory_limit allows (" in told
    assert "Raise `memory_limit` in backbone.yml" in told
    assert "exploitation.longest had to wait" in told
    assert "exploitation.filled FAILED: MemoryError: it needs more memory than there is." in told
    workspace = backbone.open(small)
    assert workspace.sql("FROM exploitation.counted").rows() == [(ROWS,)]
    assert workspace.sql("SELECT count(*), max(place) FROM exploitation.ranked").rows() == [(15 * ROWS, 15 * ROWS)]
    assert leftovers(small) == []
    assert unsound(workspace.doctor()) == []

    write_files(small, {
        "backbone.yml": "name: small\nmemory_limit: 2GB\n",
        "exploitation/filled.py": PROJECT["exploitation/filled.py"].replace("1 << 60", "9"),
    })  # fmt: skip
    assert backbone_run(small).returncode == 0
    assert backbone.open(small).sql("FROM exploitation.longest").rows() == [(60 * ROWS,)]
    assert backbone.open(small).run().status == "nothing"


BLOCK = 20_000
ROOM_MB = 300
"""What Python, DuckDB and its extensions take besides, and what DuckDB doesn't count."""
SIZES = some([(15_000_000, 600, 128)], [(15_000_000, 600, 128), (48_000_000, 2_000, 512)])


def write_records(path: Path, records: int) -> Path:
    """Records of some 43 bytes, all different."""
    with path.open("wb") as file:
        file.write(b"id,name,amount,day\n")
        for start in range(0, records, BLOCK):
            numbers = range(start, start + BLOCK)
            file.write(b"".join(b"%d,some name or other,%d.50,2024-02-29\n" % (n, n % 10) for n in numbers))
    return path


def peak_mb(command: list[str]) -> int:
    """Run a command that must succeed: the most memory of its own that it had at any time, without mapped files."""
    running, most = subprocess.Popen(command, stdout=subprocess.DEVNULL), 0
    status = Path(f"/proc/{running.pid}/status")
    while running.poll() is None:
        found = re.search(r"RssAnon:\s+(\d+) kB", status.read_text())
        most = max(most, int(found[1]) * 1024 // MEGA if found else 0)
        time.sleep(0.01)
    assert running.returncode == 0
    return most


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    shutil.rmtree(tmp_path)  # gigabytes, which pytest would keep


@pytest.mark.long
@pytest.mark.timeout(1200)
@pytest.mark.skipif(sys.platform != "linux", reason="what a process holds is told by /proc")
@pytest.mark.parametrize(("records", "size_mb", "limit_mb"), SIZES)
def test_adding_a_file_much_larger_than_the_limit_stays_near_it(folder, records, size_mb, limit_mb):
    file = write_records(folder / "long.csv", records)
    assert file.stat().st_size > size_mb * MEGA
    write_files(folder / "small", {"backbone.yml": f"name: small\nmemory_limit: {limit_mb}MB\n"})
    command = [str(Path(sys.executable).with_name("backbone")), "--project", str(folder / "small")]

    peak = peak_mb([*command, "add", "long", str(file)])

    assert peak < limit_mb + ROOM_MB
    found = backbone.open(folder / "small").sql("SELECT count(*), sum(id), sum(amount), min(day), max(day) FROM long")
    day = date(2024, 2, 29)
    assert found.rows() == [(records, records * (records - 1) // 2, records * 5.0, day, day)]
