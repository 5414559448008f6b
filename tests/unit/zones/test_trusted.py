"""Staging a trusted dataset with the real engine, from Parquet files as a formatted dataset has them."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from trusted_lake import Lake, read, rule

from backbone.errors import DatasetError
from backbone.model.project import Trusted
from backbone.model.rules import Rule
from backbone.model.steps import Ledger, Staged
from backbone.zones.trusted import trusted_increments
from backbone.zones.trusted.aside import reason


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path, Trusted("planes"), {})


def made(lake: Lake, trusted: Trusted, domains: dict[str, str], *deliveries: Sequence[tuple[Any, ...]]) -> Staged:
    lake.trusted, lake.domains = trusted, domains
    for rows in deliveries:
        lake.deliver(rows)
    staged = lake.stage()
    lake.publish(staged)
    return staged


def test_without_rules_all_rows_come_through(lake: Lake) -> None:
    staged = made(lake, Trusted("planes"), {"a": "integer"}, [(1,), (2,)])

    assert lake.rows() == [(1, 1, 1), (2, 1, 2)]
    assert staged.ledger == Ledger(2, 2)


def test_rules_act_in_the_order_written(lake: Lake) -> None:
    rules = (
        rule("trim", "all"),
        rule("null_tokens", "a", tokens=("NA",)),
        rule("in_range", "n", action="null", from_="1", tolerate=1.0),
        rule("not_null", "n", action="quarantine", tolerate=1.0),
        rule("not_null", "a", action="quarantine", tolerate=1.0),
    )

    staged = made(
        lake, Trusted("planes", rules=rules), {"a": "text", "n": "integer"},
        [(" x\t", 5), (" NA ", 0), ("NA", 7), ("\u00a0y", 8), ("z", None)],
    )  # fmt: skip

    assert lake.rows() == [("x", 5, 1, 1), ("y", 8, 1, 4)]
    assert sorted(lake.quarantined) == [(1, 2, "not_null(n)"), (1, 3, "not_null(a)"), (1, 5, "not_null(n)")]
    assert staged.ledger == Ledger(5, 2, quarantined=3)
    assert [(f.level, f.tested, f.broken) for f in staged.findings] == [
        ("repaired", 5, 3), ("repaired", 5, 2), ("repaired", 5, 1), ("set_aside", 5, 2), ("set_aside", 3, 1),
    ]  # fmt: skip


def test_quarantine_keeps_the_row_as_the_rule_saw_it(lake: Lake) -> None:
    rules = (rule("type", "n", action="quarantine", as_="integer", tolerate=1.0, because="a number"),)

    staged = made(lake, Trusted("planes", rules=rules), {"n": "text"}, [("007",), ("1.5",), ("8.0",), (None,)])

    assert lake.rows() == [(7, 1, 1), (8, 1, 3), (None, 1, 4)]
    ((reason, raw),) = read(staged.quarantined[0], "reason, raw")
    assert (reason, json.loads(raw)) == ("a number", {"n": "1.5"})
    assert staged.relation.domain("n") == "integer"


def test_upsert_keeps_the_newest_row_of_each_key(lake: Lake) -> None:
    trusted = Trusted("planes", versions="upsert", key=("k",))

    staged = made(lake, trusted, {"k": "text", "v": "integer"}, [("a", 1), ("b", 1)], [("a", 2), ("a", 3)])

    assert lake.rows() == [("a", 3, 2, 2), ("b", 1, 1, 2)]
    assert staged.ledger == Ledger(4, 2, merged_away=2)
    assert sorted(lake.merged) == [(1, 1), (2, 1)]
    assert read(staged.merged[0], "DISTINCT survivor_file, survivor_record") == [(2, 2)]
    assert [(f.level, f.broken) for f in staged.findings] == [("warned", 1)]


def test_upsert_by_a_column_lets_late_rows_fall_into_place(lake: Lake) -> None:
    trusted = Trusted("planes", versions="upsert", key=("k",), newest_by="day")

    made(
        lake,
        trusted,
        {"k": "text", "day": "date"},
        [("a", "2013-02-01"), ("b", None)],
        [("a", "2013-01-01"), ("b", None)],
    )

    assert [(row[0], row[2]) for row in lake.rows()] == [("a", 1), ("b", 2)]


def test_a_rejected_correction_leaves_the_last_good_row(lake: Lake) -> None:
    trusted = Trusted(
        "planes", versions="upsert", key=("k",), rules=(rule("not_null", "v", action="quarantine", tolerate=1.0),)
    )

    made(lake, trusted, {"k": "text", "v": "integer"}, [("a", 1)], [("a", None)])

    assert lake.rows() == [("a", 1, 1, 1)]


def test_upsert_without_a_key_value_fails(lake: Lake) -> None:
    trusted = Trusted("planes", versions="upsert", key=("k",))

    with pytest.raises(DatasetError, match=r"upsert\(k\): 1 row \(50%\) without a value in the key, as 1:2 k=∅"):
        made(lake, trusted, {"k": "text", "v": "integer"}, [("a", 1), (None, 2)])


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([(1,), (None,)], r"key\(k\), k is broken by 1 row \(50%\): 1:2 k=∅"),
        ([(1,), (1,)], r"key\(k\) is broken by 1 row \(50%\): k=1"),
    ],
)
def test_the_key_of_appended_files_is_checked(lake: Lake, rows: list[tuple[int | None]], message: str) -> None:
    with pytest.raises(DatasetError, match=message):
        made(lake, Trusted("planes", key=("k",)), {"k": "integer"}, rows)


def test_doubles_are_merged_away_with_a_pointer_to_the_survivor(lake: Lake) -> None:
    rules = (rule("unique", "all", action="deduplicate"),)

    staged = made(
        lake, Trusted("planes", rules=rules), {"a": "integer", "b": "text"}, [(1, None), (1, None), (2, "x"), (1, None)]
    )

    assert lake.rows() == [(1, None, 1, 4), (2, "x", 1, 3)]
    assert read(staged.merged[0], "record, rule, survivor_record") == [(1, "unique(all)", 4), (2, "unique(all)", 4)]


def test_unique_can_keep_the_first_by_an_order(lake: Lake) -> None:
    rules = (rule("unique", "a", action="quarantine", keep="first", order="b DESC", tolerate=1.0),)

    made(lake, Trusted("planes", rules=rules), {"a": "integer", "b": "integer"}, [(1, 5), (1, 9), (None, 1), (None, 1)])

    assert lake.rows() == [(1, 9, 1, 2), (None, 1, 1, 3), (None, 1, 1, 4)]


def test_above_the_tolerated_share_the_dataset_fails(lake: Lake) -> None:
    rules = (rule("in_range", "n", action="quarantine", from_="10"),)

    with pytest.raises(DatasetError) as caught:
        made(lake, Trusted("planes", rules=rules), {"n": "integer"}, [(1,), (20,), (30,)])

    failure = caught.value.failure
    assert failure.message == "in_range(n) would quarantine 1 row (33.3%), tolerated 20%: 1:1 n=1"
    assert failure.hint == "meant? add tolerate: 34%."
    assert read(failure.quarantined[0], "dataset, file, record") == [("trusted.planes", 1, 1)]


def test_a_group_that_would_vanish_fails_the_dataset(lake: Lake) -> None:
    rows = [("Rotorcraft", 5)] * 5 + [("Fixed wing", 100)] * 30
    rules = (rule("in_range", "seats", action="quarantine", from_="20"),)

    with pytest.raises(DatasetError) as caught:
        made(lake, Trusted("planes", rules=rules), {"type": "text", "seats": "integer"}, rows)

    assert caught.value.failure.message == "in_range(seats) would quarantine every row of type = 'Rotorcraft' (5)"
    assert caught.value.failure.hint == "meant? add may_vanish: [type]."


def test_a_group_may_vanish_where_the_rule_says_so_or_tests_it(lake: Lake) -> None:
    rows = [("Rotorcraft", 5)] * 5 + [("Fixed wing", 100)] * 30
    rules = (rule("in_range", "seats", action="quarantine", from_="20", may_vanish=("type",)),)

    staged = made(lake, Trusted("planes", rules=rules), {"type": "text", "seats": "integer"}, rows)

    assert staged.ledger == Ledger(35, 30, quarantined=5)


def test_a_year_that_would_vanish_fails_the_dataset(lake: Lake) -> None:
    rows = [(f"2012-01-0{i}", None) for i in range(1, 6)] + [("2013-01-01", i) for i in range(30)]
    rules = (rule("not_null", "n", action="quarantine"),)

    with pytest.raises(DatasetError, match=r"every row of year\(day\) = '2012' \(5\)"):
        made(lake, Trusted("planes", rules=rules), {"day": "date", "n": "integer"}, rows)


def test_sql_that_fails_names_its_rule(lake: Lake) -> None:
    rules = (rule("trim", "all"), rule("set", "n", to="CAST(a AS INTEGER)"))

    with pytest.raises(DatasetError, match=r"set\(n\): Conversion Error: Could not convert string 'x'"):
        made(lake, Trusted("planes", rules=rules), {"a": "text", "n": "integer"}, [("x", 1)])


def test_checks_of_the_whole_dataset(lake: Lake) -> None:
    rules = (
        rule("expect", sql="count(*) > 1", action="fail"),
        rule("expect", sql="sum(n) < 3", action="warn"),
        rule("unique", "all", action="warn"),
    )

    staged = made(lake, Trusted("planes", rules=rules), {"n": "integer"}, [(1,), (2,), (2,)])

    assert [(f.level, f.broken, f.message) for f in staged.findings] == [
        ("passed", 0, ""), ("warned", 1, "not true of the dataset"), ("warned", 1, "1 row (33.3%)"),
    ]  # fmt: skip


def test_new_rows_replace_rows_of_the_same_key(lake: Lake) -> None:
    made(lake, Trusted("planes", versions="upsert", key=("k",)), {"k": "text", "v": "integer"}, [("a", 1), ("b", 1)])
    lake.deliver([("a", 2), ("c", 1)])

    staged = lake.stage("incremental")
    lake.publish(staged)

    assert not staged.replaces
    assert lake.rows() == [("a", 2, 2, 1), ("b", 1, 1, 2), ("c", 1, 2, 2)]
    assert staged.delta == Ledger(2, 1, merged_away=1)
    assert staged.rows == 3


def test_redelivered_rows_do_not_make_groups_vanish(lake: Lake) -> None:
    rules = (rule("unique", "n", action="deduplicate", keep="first"),)
    rows = [("x", i) for i in range(6)]
    made(lake, Trusted("planes", rules=rules), {"g": "text", "n": "integer"}, rows)
    lake.deliver(rows)

    staged = lake.stage("incremental")

    assert staged.delta == Ledger(6, 0, merged_away=6)


def test_no_new_rows_change_nothing(lake: Lake) -> None:
    made(lake, Trusted("planes"), {"n": "integer"}, [(1,)])
    lake.deliver([])

    assert lake.stage("incremental").unchanged


CITIES = [("08001", "Barcelona"), ("08001", "Barcelona"), ("08001", "Barclona"), ("28001", "Madrid"), ("28001", None),
          ("17001", "Girona"), ("17001", "Gerona"), (None, "Lleida"), (None, "Lleyda")]  # fmt: skip


@pytest.mark.parametrize(
    ("action", "cities", "aside", "found"),
    [
        ("repair", {3: "Barcelona"}, [], (6, 1, "repaired")),
        ("null", {3: None, 6: None, 7: None}, [], (6, 3, "repaired")),
        ("quarantine", {}, [3, 6, 7], (6, 3, "set_aside")),
        ("warn", {}, [], (6, 3, "warned")),
    ],
)
def test_rows_that_differ_from_most_of_their_group(
    lake: Lake, action: str, cities: dict[int, str | None], aside: list[int], found: tuple[int, int, str]
) -> None:
    rules = (rule("determined", "city", action=action, by=("zip",), tolerate=1.0, may_vanish=("zip", "city")),)

    staged = made(lake, Trusted("t", rules=rules), {"zip": "text", "city": "text"}, CITIES)

    (finding,) = (f for f in staged.findings if f.rule.kind == "determined")
    assert (finding.tested, finding.broken, finding.level) == found
    assert sorted(record for _, record, _ in lake.quarantined) == aside
    expected = {n: cities.get(n, city) for n, (_, city) in enumerate(CITIES, 1) if n not in aside}
    assert {row[3]: row[1] for row in lake.rows()} == expected


def test_what_is_determined_where_a_condition_holds(lake: Lake) -> None:
    rules = (rule("determined", "city", action="repair", by=("zip",), where="zip LIKE '0%'", tolerate=1.0),)

    made(lake, Trusted("t", rules=rules), {"zip": "text", "city": "text"}, [*CITIES, *[("17001", "Girona")] * 3])

    assert {row[3]: row[1] for row in lake.rows()}[3] == "Barcelona"
    assert {row[3]: row[1] for row in lake.rows()}[7] == "Gerona"


REMOVES = rule("unique", "k", action="deduplicate")
ROWWISE = rule("not_null", "k", action="quarantine")


@pytest.mark.parametrize(
    ("trusted", "expected"),
    [
        (Trusted("t", rules=(rule("trim", "all"), rule("unique", "all", action="warn"))), True),
        (Trusted("t", versions="upsert", key=("k",), rules=(ROWWISE,)), True),
        (Trusted("t", rules=(ROWWISE, REMOVES)), True),
        (Trusted("t", rules=(ROWWISE, rule("determined", "k", action="warn", by=("g",)))), True),
        (Trusted("t", rules=(rule("determined", "k", action="repair", by=("g",)),)), False),
        (Trusted("t", rules=(REMOVES, ROWWISE)), False),
        (Trusted("t", rules=(REMOVES, REMOVES)), False),
        (Trusted("t", versions="upsert", key=("k",), rules=(REMOVES,)), False),
        (Trusted("t", rules=(rule("unique", "k", action="warn"), rule("trim", "all"))), False),
        (Trusted("t", rules=(rule("expect", sql="count(*) > 1", action="warn"), ROWWISE)), False),
        (Trusted("t", rules=(ROWWISE, rule("expect", sql="count(*) > 1", action="warn"))), True),
    ],
)
def test_which_datasets_grow_by_new_rows_alone(trusted: Trusted, expected: bool) -> None:
    assert trusted_increments(trusted) is expected


ANYTHING = {"tolerate": 1.0, "may_vanish": ("k", "g", "v", "day")}
ROW_RULES = [
    rule("trim", "all"),
    rule("null_tokens", "g", tokens=("NA",)),
    rule("in_range", "v", action="null", from_="1", **ANYTHING),
    rule("in_range", "v", action="warn", to="3"),
    rule("not_null", "k", action="quarantine", **ANYTHING),
    rule("one_of", "g", action="quarantine", values=("x", "y"), **ANYTHING),
    rule("set", "v", to="9", where="g = 'y'"),
]
LAST_RULES = [
    (),
    (rule("unique", "g", "v", action="deduplicate", **ANYTHING),),
    (rule("unique", "k", action="quarantine", keep="first", order="v", **ANYTHING),),
    (rule("unique", "all", action="warn"), rule("expect", sql="count(*) > 2", action="warn")),
    (rule("determined", "v", action="repair", by=("g",), **ANYTHING),),
    (
        rule("determined", "v", action="quarantine", by=("g", "k"), **ANYTHING),
        rule("in_range", "v", action="warn", to="3"),
    ),
    (rule("determined", "v", action="null", by=("g",), where="day > 1", **ANYTHING),),
    (rule("determined", "v", action="warn", by=("k",)),),
]
VERSIONS = [
    Trusted("t"),
    Trusted("t", versions="upsert", key=("k",)),
    Trusted("t", versions="upsert", key=("k",), newest_by="day"),
    Trusted("t", versions="snapshot"),
    Trusted("t", versions="snapshot", newest_by="day"),
    Trusted("t", versions="history", key=("k",)),
    Trusted("t", versions="history", key=("k",), absent=True),
]
ROWS = st.lists(
    st.tuples(
        st.sampled_from(["a", " a", "b", "c", None]),
        st.sampled_from(["x", "y ", "NA", "z", None]),
        st.sampled_from([0, 1, 2, 4, None]),
        st.sampled_from([1, 2, 3, None]),
    ),
    max_size=6,
)
DOMAINS = {"k": "text", "g": "text", "v": "integer", "day": "integer"}


@settings(max_examples=40, deadline=None)
@given(
    st.lists(ROWS, min_size=2, max_size=4),
    st.sampled_from(VERSIONS),
    st.lists(st.sampled_from(ROW_RULES), max_size=5, unique_by=id),
    st.sampled_from(LAST_RULES),
)
def test_incremental_equals_full_and_each_row_is_in_one_place(
    deliveries: list[list[tuple[Any, ...]]], versions: Trusted, row_rules: list[Rule], last: tuple[Rule, ...]
) -> None:
    keyed = [*row_rules, ROW_RULES[4]] if versions.key else row_rules
    trusted = replace(versions, rules=(*keyed, *last))
    with TemporaryDirectory() as folder:
        (Path(folder) / "grown").mkdir()
        (Path(folder) / "whole").mkdir()
        grown, whole = (Lake(Path(folder) / name, trusted, DOMAINS) for name in ("grown", "whole"))
        for number, rows in enumerate(deliveries):
            grown.deliver(rows)
            whole.deliver(rows)
            grown.publish(grown.stage("incremental" if number and trusted_increments(trusted) else "full"))
        staged = whole.stage()
        whole.publish(staged)

        assert grown.rows() == whole.rows()
        assert sorted(grown.quarantined) == sorted(whole.quarantined)
        assert sorted(grown.merged) == sorted(whole.merged)
        assert staged.ledger
        assert staged.ledger.balances
        places = [row[4:6] for row in whole.rows()] + [row[:2] for row in whole.quarantined] + whole.merged
        delivered = [(f, r) for f, rows in enumerate(deliveries, 1) for r in range(1, len(rows) + 1)]
        assert sorted(places) == delivered


def test_a_rule_that_fails_only_warns_within_what_it_tolerates(lake: Lake) -> None:
    rules = (rule("not_null", "n", action="fail", tolerate=0.5),)

    staged = made(lake, Trusted("planes", rules=rules), {"n": "integer"}, [(1,), (None,)])

    assert [(f.level, f.message, f.examples) for f in staged.findings] == [
        ("warned", "1 row (50%), tolerated 50%", ("1:2 n=∅",)),
    ]


def test_a_failure_shows_values_as_they_were(lake: Lake) -> None:
    rules = (rule("trim", "all"), rule("in_range", "n", action="null", to="9", where="a = 'x'"))

    with pytest.raises(DatasetError, match=r"in_range\(n\) would make null 1 row \(50%\), tolerated 20%: 1:2 a=x n=10"):
        made(lake, Trusted("planes", rules=rules), {"a": "text", "n": "integer"}, [("x", 1), ("x ", 10), ("y", 10)])


def test_a_check_of_the_whole_fails_where_new_rows_falsify_it(lake: Lake) -> None:
    rules = (rule("expect", sql="count(*) < 3", action="fail"),)
    made(lake, Trusted("planes", rules=rules), {"n": "integer"}, [(1,), (2,)])
    lake.deliver([(3,)])

    with pytest.raises(DatasetError, match=r"expect\(count\(\*\) < 3\) is not true of the dataset"):
        lake.stage("incremental")


def test_the_key_is_checked_against_rows_already_there(lake: Lake) -> None:
    made(lake, Trusted("planes", key=("n",)), {"n": "integer"}, [(1,), (2,)])
    lake.deliver([(2,)])

    with pytest.raises(DatasetError, match=r"key\(n\) is broken by 1 row \(33.3%\): n=2"):
        lake.stage("incremental")


def test_another_relation_than_the_published_one_reads_all_rows(lake: Lake) -> None:
    made(lake, Trusted("planes"), {"n": "text"}, [("1",)])
    lake.trusted = Trusted("planes", rules=(rule("type", "n", action="quarantine", as_="integer"),))
    lake.deliver([("2",)])

    staged = lake.stage("incremental", new=2)

    assert staged.replaces
    assert staged.ledger == Ledger(2, 2)


@pytest.mark.parametrize(
    ("one", "words"),
    [
        (rule("not_null", "dest", action="quarantine"), "dest has no value"),
        (rule("in_range", "n", action="quarantine", from_="1", to="3"), "n is not within its range: from 1 to 3"),
        (rule("length", "a", action="quarantine", to="3"), "the length of a is not within its range: to 3"),
        (rule("expect", action="quarantine", sql="n > 1"), "not true: n > 1"),
        (rule("expect", action="quarantine", sql="n > 1", because="it must be"), "it must be"),
    ],
)
def test_quarantine_says_why_in_words(one: Rule, words: str) -> None:
    assert reason(one) == words


@pytest.mark.parametrize(
    ("one", "message"),
    [
        (rule("references", "a", action="fail", to="trusted.b"), "is a rule of a view"),
        (rule("expect", action="quarantine", sql="count(*) > 1"), "true or not of the whole dataset"),
        (rule("determined", "a", action="warn", by="b"), "there is no column 'b' to determine a by"),
        (rule("typical", "a", action="warn"), "typical is not built yet"),
        (rule("not_null", "b", action="warn"), "there is no column 'b'"),
    ],
)
def test_rules_that_a_trusted_dataset_cannot_have_are_refused(lake: Lake, one: Rule, message: str) -> None:
    with pytest.raises(DatasetError, match=message):
        made(lake, Trusted("planes", rules=(one,)), {"a": "integer"}, [(1,)])
