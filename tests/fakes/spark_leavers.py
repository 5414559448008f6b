"""Who leaves: a project on Spark with one question twice, answered by scikit-learn's models and by Spark ML's."""

from hashlib import md5
from pathlib import Path

from faults_shop import deliver, write_files
from spark_clusters import engine_on

_DECORATED = '''"""Who leaves."""
{imports}
from backbone import by_time, classification


@classification(
    view="SELECT * FROM exploitation.stays", key="visit", target="left_us", features=["spent", "channel", "seen_at"],
    split=by_time("seen_at", train_until="2026-01-12"), baseline="spent > 0.7",
    gate=["roc_auc >= 0.6", "brier <= current.brier + 0.05"], predict="SELECT * FROM view WHERE visit % 2 = 0",
)
def {name}():
    """Who leaves?"""
    return {candidates}
'''
FILES = {
    "sources/visits.yml": """
from: data/visits-*.csv
columns: {visit: integer, seen_at: timestamp, spent: float, channel: text, luck: float}
""",
    "exploitation/stays.sql": "SELECT * EXCLUDE (luck), spent + luck > 0.9 AS left_us FROM trusted.visits\n",
    "analysis/leavers.py": _DECORATED.format(
        imports="from sklearn.linear_model import LogisticRegression",
        name="leavers",
        candidates="{'logistic': LogisticRegression()}",
    ),
    "analysis/leavers_there.py": _DECORATED.format(
        imports="from pyspark.ml.classification import RandomForestClassifier",
        name="leavers_there",
        candidates="{'forest': RandomForestClassifier(numTrees=3, maxDepth=3)}",
    ),
}


def make_leavers(root: Path, url: str, more: str = "") -> None:
    """The project on a Spark by its address, with a first delivery; not run yet."""
    settings = f"name: shop\nengine: {engine_on(url)}\nmemory_limit: 1GB\n{more}"
    write_files(root, {"backbone.yml": settings, **FILES})
    deliver(root, {"visits-1.csv": visits(0, 400)})


def visits(first: int, last: int) -> str:
    """A CSV file of visits, one an hour."""

    def share(what: str, n: int) -> float:
        return int(md5(f"{what}{n}".encode()).hexdigest()[:6], 16) / 16**6

    lines = (
        f"{n},2026-01-{n // 24 + 1:02} {n % 24:02}:00:00,{'' if n % 11 == 0 else round(share('s', n), 4)},"
        f"{['web', 'shop', 'phone'][n % 3]},{share('l', n) / 2:.4f}\n"
        for n in range(first, last)
    )
    return "".join(["visit,seen_at,spent,channel,luck\n", *lines])
