"""Rows in quarantine, settled by people: what they decide is kept in the project, and comes true in the next run."""

from pathlib import Path

import pytest

import backbone
from backbone.errors import ProjectError, UsageError
from backbone.workspace import add

ORDERS = "id,customer,size,amount\n1,ann,small,10\n2,,large,20\n3,bob,Smal,30\n4,bob,large,-5\n5,eve,large,7\n"
RULES = """rules:
  - {trim: all}
  - {not_null: customer, else: quarantine, tolerate: 100%}
  - {one_of: size, values: [small, large], else: quarantine, tolerate: 100%}
  - {in_range: amount, from: 0, else: quarantine, tolerate: 100%}
"""


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    (tmp_path / "orders.csv").write_text(ORDERS)
    add(tmp_path, None, ("orders.csv",))
    (tmp_path / "trusted").mkdir()
    (tmp_path / "trusted" / "orders.yml").write_text(RULES)
    backbone.open(tmp_path).run()
    return tmp_path


def test_rows_are_fixed_dropped_and_replayed_and_all_of_it_is_remembered(shop: Path) -> None:
    workspace = backbone.open(shop)
    workspace.fix("orders", {"1:2": {"customer": "zoe"}}, because="she phoned")
    assert workspace.accept("orders").records == ("1:3",)
    workspace.drop("orders", ["1:4"], because="a refund")

    replayed = workspace.replay("orders")

    assert (replayed.passed, replayed.again) == (2, ())
    rows = "select id, customer, size, amount from trusted.orders order by id"
    assert workspace.sql(rows).rows() == [
        (1, "ann", "small", 10), (2, "zoe", "large", 20), (3, "bob", "small", 30), (5, "eve", "large", 7)
    ]  # fmt: skip
    assert [(r.rule, r.reason) for r in workspace.quarantine("trusted.orders").rows] == [("dropped", "a refund")]
    decided = "select file, record, verdict, attribute, value, was, because from governance.decision order by all"
    assert workspace.sql(decided).rows() == [
        (1, 2, "set", "customer", "zoe", None, "she phoned"),
        (1, 3, "set", "size", "small", "Smal", "as suggested"),
        (1, 4, "drop", None, None, None, "a refund"),
    ]
    assert "(she phoned) to zoe" in workspace.trace("trusted.orders", {"id": "2"}).detail
    assert all(check.ok for check in workspace.doctor())


def test_fixes_survive_a_rebuild_and_end_when_their_line_is_deleted(shop: Path) -> None:
    workspace = backbone.open(shop)
    workspace.fix("orders", {"1:2": {"customer": "zoe"}})
    workspace.run()
    backbone.open(shop).run(force=True)
    assert len(backbone.open(shop).table("trusted.orders").rows()) == 3

    (shop / "trusted" / "orders.csv").unlink()
    backbone.open(shop).run()

    assert len(backbone.open(shop).table("trusted.orders").rows()) == 2
    assert backbone.open(shop).sql("from governance.decision").rows() == []


def test_a_fix_that_is_wrong_is_shown_and_a_later_one_takes_its_place(shop: Path) -> None:
    workspace = backbone.open(shop)
    workspace.fix("orders", {"1:4": {"amount": "-6"}})
    assert [(row.record, row.rule) for row in workspace.replay("orders").again] == [(4, "in_range(amount)")]

    workspace.fix("orders", {"1:4": {"amount": "6"}})

    assert workspace.replay("orders").passed == 1
    assert (shop / "trusted" / "orders.csv").read_text().count("\n") == 2


@pytest.mark.parametrize(
    ("record", "cells", "says"),
    [
        ("1:1", {"amount": "1"}, "trusted.orders has no row '1:1' in quarantine"),
        ("12", {"amount": "1"}, "'12' names no row: write file:record, as in 12:640"),
        ("1:4", {"amuont": "1"}, "1:4: column 'amuont' is not in formatted.orders. Did you mean 'amount'?"),
        ("1:4", {"amount": "much"}, "1:4: 'much' is no value of 'amount', which is integer"),
    ],
)
def test_what_cannot_be_fixed_is_refused_and_nothing_is_written(
    shop: Path, record: str, cells: dict[str, str], says: str
) -> None:
    with pytest.raises(UsageError) as refused:
        backbone.open(shop).fix("orders", {record: cells})

    assert says in str(refused.value)
    assert not (shop / "trusted" / "orders.csv").exists()


def test_rows_that_could_not_be_read_are_settled_in_their_source(shop: Path) -> None:
    with pytest.raises(UsageError, match=r"say how in sources/orders\.yml, or land a corrected file"):
        backbone.open(shop).drop("formatted.orders", ["1:1"], because="x")


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("1:2,set,amuont,7,,,,", "trusted/orders.csv:2:1: column 'amuont' is not in formatted.orders"),
        ("1:2,set,amount,seven,,,,", "'seven' is no value of 'amount', which is integer"),
        ("1:2,sett,amount,7,,,,", "`decision` can't be 'sett'. One of: set, clear, drop. Did you mean 'set'?"),
        ("1-2,set,amount,7,,,,", "'1-2' is no `file:record`, such as 12:640"),
        ("1:2,drop,,,,,,", "a dropped row needs a reason: `because`"),
        ("1:2,set,amount", "3 values where 8 are expected"),
    ],
)
def test_decisions_written_by_hand_are_checked(shop: Path, line: str, says: str) -> None:
    (shop / "trusted" / "orders.csv").write_text(f"record,decision,column,value,was,because,by,at\n{line}\n")

    with pytest.raises(ProjectError) as refused:
        backbone.open(shop).plan()

    assert says in str(refused.value)
