import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "fakes"))
from analysis_lab import CHURN, Lab, furnished, table_of

from backbone.engine.duckdb.engine import DuckDBEngine
from backbone.model.project import Analysis, Split

__all__ = ["Lab", "table_of"]


@pytest.fixture(scope="module")
def engine() -> Iterator[DuckDBEngine]:
    made = DuckDBEngine()
    yield made
    made.close()


@pytest.fixture
def lab(tmp_path: Path, engine: DuckDBEngine) -> Lab:
    return furnished(tmp_path, engine)


@pytest.fixture(scope="module")
def shared_lab(tmp_path_factory: pytest.TempPathFactory, engine: DuckDBEngine) -> Lab:
    return furnished(tmp_path_factory.mktemp("lab"), engine)


@pytest.fixture(scope="module")
def churn() -> Analysis:
    return CHURN


@pytest.fixture
def at_random(churn: Analysis) -> Analysis:
    return replace(churn, split=Split("at_random", validate=0.25), features=("spent", "channel", "member"))
