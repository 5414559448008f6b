"""The decorators of people's Python files. They attach what they are given; the loader reads and checks the file."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Literal, TypeVar

from backbone.model.project import Mode, Split

F = TypeVar("F", bound=Callable[..., Any])
"""A function from tables to a table: pandas, polars, pyarrow or a DuckDB relation, as its annotations say."""
C = TypeVar("C", bound=Callable[[], Mapping[str, Any]])
"""A function that returns the candidates: scikit-learn estimators by name."""
DECLARED = "__backbone__"
"""The attribute of a function that holds what its decorator was given."""

_NOTHING: Mapping[str, Mapping[str, Sequence[object]]] = MappingProxyType({})


def view(
    *inputs: str,
    key: str | Sequence[str] = (),
    mode: Mode = "full",
    driver: str | None = None,
    rules: Sequence[Mapping[str, object]] = (),
    owner: str = "",
    tags: Sequence[str] = (),
) -> Callable[[F], F]:
    """Declare an exploitation view in Python.

    The function takes the inputs in the order of its parameters, each in the form that its annotation names, and
    returns a table. Its docstring is the view's description.

    Args:
        inputs: the datasets that it reads, as `zone.name`.
        key: the primary key: audited, not null and unique.
        mode: `full` makes it anew, `append` adds what new rows of the driver give, `merge` replaces by key.
        driver: with `append` and several inputs, the one whose new rows are added.
        rules: what must be true of its rows, in the grammar of rules.
        owner: who answers for it.
        tags: words to find it by.

    Example:
        >>> @view("trusted.orders", key="customer")
        ... def customers(orders: "pandas.DataFrame") -> "pandas.DataFrame":
        ...     '''Every customer, with the time of the first order.'''
        ...     return orders.groupby("customer", as_index=False)["ordered_at"].min()
    """
    return _attach(
        {"inputs": inputs, "key": key, "mode": mode, "driver": driver, "rules": rules, "owner": owner, "tags": tags}
    )


def classification(
    *,
    view: str,
    key: str | Sequence[str],
    target: str,
    features: Sequence[str],
    split: Split,
    baseline: str | None = None,
    gate: Sequence[str] = (),
    fairness: Sequence[str] = (),
    predict: str | None = None,
    entity: str | None = None,
    tune: Mapping[str, Mapping[str, Sequence[object]]] = _NOTHING,
    select_by: str = "roc_auc",
    threshold: float | Literal["f1"] = "f1",
    seed: int = 0,
    owner: str = "",
    tags: Sequence[str] = (),
) -> Callable[[C], C]:
    """Declare a question with two answers. The docstring of the function states it; it returns the candidates.

    Args:
        view: the data view, a SELECT over exploitation datasets.
        key: the columns that identify a row.
        target: an SQL expression over the view; true is the class looked for.
        features: the columns that a model may see.
        split: how rows are divided: `by_time`, `by_group` or `at_random`.
        baseline: an SQL expression to compare with; the default is the most frequent class.
        gate: comparisons of metrics that a model must pass to be registered.
        fairness: columns by whose values metrics are reported too.
        predict: a SELECT of the rows to predict; `view` in it is the data view.
        entity: the column that says what rows are about.
        tune: values to try, by parameter, by candidate.
        select_by: the metric that chooses among the candidates.
        threshold: the probability from which on a row is predicted true; `f1` finds the best by F1.
        seed: for everything random.
        owner: who answers for it.
        tags: words to find it by.
    """
    return _attach(locals())


def regression(
    *,
    view: str,
    key: str | Sequence[str],
    target: str,
    features: Sequence[str],
    split: Split,
    baseline: str | None = None,
    gate: Sequence[str] = (),
    fairness: Sequence[str] = (),
    predict: str | None = None,
    entity: str | None = None,
    tune: Mapping[str, Mapping[str, Sequence[object]]] = _NOTHING,
    select_by: str = "mae",
    seed: int = 0,
    owner: str = "",
    tags: Sequence[str] = (),
) -> Callable[[C], C]:
    """Declare a question whose answer is a number. Arguments are those of `classification`, but for `threshold`.

    The default baseline is the median of the training rows.
    """
    return _attach(locals())


def clustering(
    *,
    view: str,
    key: str | Sequence[str],
    features: Sequence[str],
    gate: Sequence[str] = (),
    fairness: Sequence[str] = (),
    select_by: str = "silhouette",
    seed: int = 0,
    owner: str = "",
    tags: Sequence[str] = (),
) -> Callable[[C], C]:
    """Declare a question about groups of like rows. Arguments are those of `classification` of the same names."""
    return _attach(locals())


def by_time(column: str, *, train_until: str, gap: str | None = None) -> Split:
    """Train on rows up to a time, validate on those after it, with a `gap` such as `7 days` between them."""
    return Split("by_time", column=column, train_until=train_until, gap=gap)


def by_group(column: str, *, validate: float) -> Split:
    """Keep the rows of a group together: a share `validate` of groups, chosen by hash, is set aside."""
    return Split("by_group", column=column, validate=validate)


def at_random(*, validate: float, stratify: str | None = None) -> Split:
    """Set a share `validate` of rows aside at random, of each value of `stratify` alike."""
    return Split("at_random", validate=validate, stratify=stratify)


def _attach(given: Mapping[str, Any]) -> Callable[[F], F]:
    def attach(function: F) -> F:
        setattr(function, DECLARED, given)
        return function

    return attach
