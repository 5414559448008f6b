"""Which rules are constraints. Pure: nothing runs."""

import pytest

from backbone.exporting.constraints import constraints_of, in_order, resolved
from backbone.exporting.content import Check, Constraints, Reference
from backbone.model.project import Trusted, View
from backbone.model.relations import Attribute, Relation
from backbone.model.rules import Rule
from backbone.model.steps import Derive, Step, Trust

ORDERS = Relation((Attribute("id", "integer"), Attribute("customer", "text"), Attribute("amount", "decimal(2)")))


def rule(kind: str, *columns: str, action="fail", **more) -> Rule:
    return Rule(kind, f"{kind}({','.join(columns)})", columns, action, **more)


def found(*rules: Rule, key=(), relation=ORDERS, versions="append"):
    trusted = Trusted("orders", versions=versions, key=key, rules=rules)
    return constraints_of(Step(("trusted.orders",), (), Trust(trusted), {}), relation)


def test_key_and_rules_that_fail_are_constraints():
    view = View("orders", ("trusted.orders",), key=("id",), rules=(
        rule("not_null", "amount"),
        rule("unique", "customer", "amount"),
        rule("references", "customer", params=(("to", "trusted.customers"), ("by", ("code",)))),
        rule("expect", sql="amount > id"),
        rule("not_null", "customer", action="warn"),
    ))  # fmt: skip

    constraints, said = constraints_of(Step(("exploitation.orders",), (), Derive(view), {}), ORDERS)

    assert constraints == Constraints(
        key=("id",),
        required=frozenset({"id", "amount"}),
        unique=(("customer", "amount"),),
        references=(Reference("references(customer)", ("customer",), "trusted.customers", ("code",)),),
        checks=(Check("expect()", "(amount > id\n)"),),
    )
    assert said == ()


@pytest.mark.parametrize(
    ("one", "why"),
    [
        (rule("not_null", "amount", tolerate=0.1), "it tolerates 10% of rows"),
        (rule("not_null", "amount", exceptions=((1, 2),)), "it excepts rows"),
        (rule("references", "customer", where="id > 1", params=(("to", "trusted.c"),)), "a foreign key has no `where`"),
        (rule("unique", "all"), "UNIQUE takes columns, and no `where`"),
        (rule("joins", "all"), "it is not about single rows"),
        (rule("expect", sql="sum(amount) > 1"), "it is not about single rows"),
        (rule("expect", sql="id < epoch(now())"), "it depends on the day"),
        (rule("in_range", "amount", params=(("to", "today"),)), "it depends on the day"),
        (rule("expect", sql="_record > 0"), "_record is not exported. With system columns: --system"),
    ],
)
def test_what_rows_may_break_is_none_and_that_is_said(one, why):
    constraints, said = found(one)

    assert (constraints, said) == (Constraints(), (f"{one.name}: {why}",))


@pytest.mark.parametrize(
    "later",
    [
        rule("trim", "all", action=None),
        rule("set", "customer", action=None, params=(("to", "NULL"),)),
        rule("one_of", "customer", action="null", params=(("values", ("a",)),)),
        rule("type", "customer", action="warn", params=(("as", "text"),)),
    ],
)
def test_a_rule_whose_column_is_changed_afterwards_is_none(later):
    constraints, said = found(rule("not_null", "customer"), later)

    assert constraints == Constraints()
    assert said == (f"not_null(customer): {later.name} changes its values afterwards",)
    assert found(later, rule("not_null", "customer"))[0].required == {"customer"}


def test_a_history_is_keyed_by_its_states():
    states = Relation((*ORDERS.attributes, Attribute("_valid_from", "timestamp_tz")))

    assert found(key=("id",), versions="history", relation=states)[0].key == ("id", "_valid_from")
    assert found(key=("id",), versions="history") == (
        Constraints(), ("key: _valid_from is not exported. With system columns: --system",)
    )  # fmt: skip


def test_references_are_kept_where_the_other_table_is_there_and_has_them_as_a_key():
    customers = Relation((Attribute("code", "text"), Attribute("number", "integer")))
    to = Reference("r", ("customer",), "trusted.customers", ("code",))
    relations = {"trusted.orders": ORDERS, "trusted.customers": customers}
    names = {"trusted.orders": "orders", "trusted.customers": "customers"}

    def said(one: Reference, **more) -> str:
        known = {"trusted.orders": Constraints(references=(one,)), **more}
        kept, whys = resolved(known, relations, names)
        assert bool(kept["trusted.orders"].references) is not bool(whys["trusted.orders"])
        return "".join(whys["trusted.orders"])

    keyed = {"trusted.customers": Constraints(key=("code",))}
    assert said(to, **keyed) == ""
    assert said(to, **{"trusted.customers": Constraints(unique=(("code",),))}) == ""
    assert said(to, **{"trusted.customers": Constraints()}) == "r: code is neither key nor unique in trusted.customers"
    assert said(to) == "r: trusted.customers is not in this export. Name it too"
    other = Reference("r", ("customer",), "trusted.customers", ("number",))
    assert said(other, **keyed) == "r: the columns of trusted.customers are of another type"


def test_tables_stand_after_those_that_they_refer_to():
    def refers(*datasets: str) -> Constraints:
        return Constraints(references=tuple(Reference("r", ("x",), dataset, ("x",)) for dataset in datasets))

    known = {"a": refers("b", "c"), "b": refers("c", "elsewhere"), "c": refers()}
    assert in_order(["a", "b", "c"], known) == ["c", "b", "a"]
