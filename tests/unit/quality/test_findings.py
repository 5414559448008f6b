"""What rules find in tables."""

from collections.abc import Iterator
from typing import Any

import pytest

from backbone.engine.duckdb.engine import DuckDBEngine
from backbone.engine.protocol import Session
from backbone.errors import ProjectError
from backbone.model.relations import Attribute, Relation
from backbone.model.rules import Rule
from backbone.quality.findings import decide, measure, percent

RELATION = Relation((Attribute("carrier", "text"), Attribute("flight", "integer"), Attribute("dest", "text")))


@pytest.fixture
def session() -> Iterator[Session]:
    with DuckDBEngine().session() as one:
        one.execute("CREATE SCHEMA trusted")
        one.execute("CREATE TABLE trusted.airports AS FROM (VALUES ('IAH', 1), ('MIA', 2)) AS t(faa, n)")
        one.execute(
            "CREATE TABLE flights AS FROM (VALUES ('UA', 1, 'IAH'), ('UA', 2, NULL), ('B6', 2, 'BQN'), "
            "('B6', 2, 'BQN')) AS t(carrier, flight, dest)"
        )
        yield one


def rule(kind: str, *columns: str, action: str = "warn", tolerate: float = 1.0, **more: Any) -> Rule:
    own = {k: more.pop(k) for k in ("where", "sql") if k in more}
    params = tuple((name.rstrip("_"), value) for name, value in more.items())
    return Rule(kind, kind, columns=columns, action=action, tolerate=tolerate, params=params, **own)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("one", "broken", "expected"),
    [
        (rule("not_null", action="fail", tolerate=0.0), 0, ("passed", "")),
        (rule("not_null", action="fail", tolerate=0.0), 1, ("failed", "1 row (<0.1%)")),
        (rule("not_null", action="fail", tolerate=0.2), 50094, ("warned", "50,094 rows (14.9%), tolerated 20%")),
        (rule("not_null", action="warn"), 336776, ("warned", "336,776 rows (100%)")),
        (rule("not_null", action="warn", tolerate=0.1), 50094, ("failed", "50,094 rows (14.9%), tolerated 10%")),
        (rule("not_null", action="quarantine", tolerate=0.2), 4, ("set_aside", "4 rows (<0.1%) set aside")),
        (rule("not_null", action="null", tolerate=0.2), 4000, ("repaired", "4,000 rows (1.2%) made null")),
        (rule("unique", action="deduplicate"), 4000, ("set_aside", "4,000 rows (1.2%) merged away")),
        (Rule("trim", "trim"), 1, ("repaired", "1 value repaired")),
    ],
)
def test_what_comes_of_a_rule(one: Rule, broken: int, expected: tuple[str, str]) -> None:
    assert decide(one, 336776, broken) == expected


@pytest.mark.parametrize(
    ("share", "text"), [(0, "0%"), (0.0001, "<0.1%"), (0.2, "20%"), (0.9999, ">99.9%"), (1, "100%")]
)
def test_shares_never_round_to_all_or_nothing(share: float, text: str) -> None:
    assert percent(share) == text


def test_rules_of_every_shape_are_measured(session: Session) -> None:
    rules = [
        rule("not_null", "dest"),
        rule("in_range", "flight", from_="2", where="carrier = 'UA'"),
        rule("unique", "all"),
        rule("unique", "dest"),
        rule("references", "dest", to="trusted.airports", by="faa"),
        rule("references", "dest", "flight", to="trusted.airports", by=("faa", "n")),
        rule("expect", sql="count(*) > 4", action="fail", tolerate=0.0),
        rule("expect", sql="count(*) = 2", action="fail", tolerate=0.0, where="carrier = 'UA'"),
        rule("expect", sql="sum(flight) < 8"),
    ]

    found = measure(session, "flights", RELATION, rules, key=("carrier", "flight"))

    assert [(f.tested, f.broken, f.level) for f in found] == [
        (4, 1, "warned"), (2, 1, "warned"), (4, 1, "warned"), (3, 1, "warned"), (3, 2, "warned"), (3, 2, "warned"),
        (1, 1, "failed"), (1, 0, "passed"), (1, 0, "passed"),
    ]  # fmt: skip
    assert [f.examples for f in found[:5]] == [
        ("carrier=UA flight=2 dest=∅",),
        ("carrier=UA flight=1",),
        ("carrier=B6 flight=2 dest=BQN",),
        ("dest=BQN",),
        ("carrier=B6 flight=2 dest=BQN", "carrier=B6 flight=2 dest=BQN"),
    ]
    assert found[6].message == "not true of the dataset"


def test_a_reference_between_text_and_numbers_compares_them_as_text(session: Session) -> None:
    (found,) = measure(session, "flights", RELATION, [rule("references", "dest", to="trusted.airports", by="n")])

    assert (found.tested, found.broken) == (3, 3)


def test_examples_begin_with_the_record(session: Session) -> None:
    relation = Relation((*RELATION.attributes, Attribute("_file", "integer"), Attribute("_record", "integer")))
    table = "(SELECT *, 12 AS _file, 640 AS _record FROM flights)"

    (found,) = measure(session, table, relation, [rule("expect", sql="dest <> 'IAH'")])

    assert found.examples == ("12:640 carrier=UA flight=1 dest=IAH",)


def test_an_empty_table_breaks_nothing(session: Session) -> None:
    (found,) = measure(
        session, "(FROM flights WHERE false)", RELATION, [rule("not_null", "dest", action="fail", tolerate=0.0)]
    )

    assert (found.tested, found.broken, found.level) == (0, 0, "passed")


def test_sql_that_the_engine_refuses_names_its_rule(session: Session) -> None:
    rules = [rule("not_null", "dest"), rule("expect", sql="nonsense(dest)")]

    with pytest.raises(ProjectError, match="expect: Catalog Error: Scalar Function with name nonsense"):
        measure(session, "flights", RELATION, rules)


@pytest.mark.parametrize("table", ["flights", "(SELECT * FROM flights WHERE false)"])
def test_a_check_of_some_rows_of_the_dataset_can_be_measured_alone(session, table):
    check = rule("expect", sql="count(*) = 3", where="carrier = 'UA'")

    (found,) = measure(session, table, RELATION, [check])

    assert (found.tested, found.broken) == (1, 1)
