import inspect

from backbone.model.project import Split
from backbone.project.analyses import _ARGUMENTS
from backbone.project.declarations import (
    DECLARED,
    at_random,
    by_group,
    by_time,
    classification,
    clustering,
    regression,
    view,
)


def test_a_decorator_returns_the_function_with_what_it_was_given():
    def spent(orders):
        return orders

    declared = view("trusted.orders", key="customer")(spent)

    assert declared is spent
    assert getattr(spent, DECLARED)["inputs"] == ("trusted.orders",)
    assert getattr(spent, DECLARED)["key"] == "customer"


def test_splits_are_values():
    assert by_time("placed", train_until="2013-09-30") == Split("by_time", "placed", "2013-09-30")
    assert by_group("customer", validate=0.2) == Split("by_group", "customer", validate=0.2)
    assert at_random(validate=0.2, stratify="k") == Split("at_random", validate=0.2, stratify="k")


def test_decorators_take_the_arguments_that_the_loader_reads():
    for decorator in (classification, regression, clustering):
        assert set(inspect.signature(decorator).parameters) == set(_ARGUMENTS[decorator.__name__])
