"""What is asked of the catalogue after a connection was lost."""

from types import SimpleNamespace

import pytest

from backbone.engine.duckdb.engine import DuckDBEngine
from backbone.errors import LakeError
from backbone.governance.tables import TABLES
from backbone.lake.retrying import Tries
from backbone.lake.store import Lake


def test_a_snapshot_under_which_nothing_was_tried_is_told(site):
    engine = DuckDBEngine()
    lake = Lake(engine.connection, site)
    tries = Tries(site, "run r1")
    with lake.transaction("r1") as transaction:
        transaction.ensure("governance.run", TABLES["run"])
    tries.note(SimpleNamespace(snapshot=transaction.snapshot + 1), None)

    with pytest.raises(LakeError, match=f"run r1 became snapshot {transaction.snapshot}, under which"):
        tries.committed()

    tries.note(transaction, "done")
    assert tries.committed() == ("done",)
    engine.close()
