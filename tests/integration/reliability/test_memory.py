"""More memory than `memory_limit`: what can be put aside on disk is, what can't fails alone and says so."""

from pathlib import Path

import pytest
from faults_shop import backbone_run, deliver, leftovers, unsound, write_files

import backbone

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
