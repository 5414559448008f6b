"""Which of a project's rules are constraints of a table: those that no published row can break. Pure.

That are the key, and rules with `else: fail` that tolerate nothing and except no row. What only warns may have
exceptions among the rows; what sets rows aside or mends them says nothing of what a later rule made of them.
"""

from collections.abc import Iterable, Mapping, Sequence

from backbone.exporting.content import Check, Constraints, Reference
from backbone.model.names import VALID_FROM
from backbone.model.project import Trusted, View
from backbone.model.relations import Relation
from backbone.model.rules import Rule
from backbone.model.steps import Derive, Step, Trust
from backbone.quality.expressions import columns_in, depends_on_the_day, is_dataset_check
from backbone.quality.predicates import check_condition, is_all, tested_columns, texts
from backbone.quality.vocabulary import VOCABULARY

_OF_TABLES = {"not_null", "unique", "references", "in_range", "one_of", "matches", "length", "expect"}


def constraints_of(step: Step, relation: Relation) -> tuple[Constraints, tuple[str, ...]]:
    """The constraints of a step's dataset, and what could be none of them: each in a phrase that says why.

    Args:
        step: what makes the dataset.
        relation: the columns that are exported.

    References name datasets; `resolved` turns them into those of an export.
    """
    declared = _declared(step)
    if declared is None:
        return Constraints(), ()
    key, said = _key(declared, relation)
    required, unique, references, checks = set(key), [], [], []
    for number, rule in enumerate(declared.rules, 1):
        if rule.action != "fail":
            continue
        if why := _unfit(rule, declared.rules[number:], relation):
            said.append(f"{rule.name}: {why}")
        elif rule.kind == "not_null" and not rule.where:
            required.update(tested_columns(rule, relation))
        elif rule.kind == "unique":
            unique.append(tested_columns(rule, relation))
        elif rule.kind == "references":
            columns = tested_columns(rule, relation)
            references.append(Reference(rule.name, columns, str(rule.param("to")), texts(rule.param("by")) or columns))
        else:
            checks.append(Check(rule.name, check_condition(rule, relation)))
    unique = [columns for columns in dict.fromkeys(unique) if set(columns) != set(key)]
    found = Constraints(key, frozenset(required), tuple(unique), tuple(references), tuple(checks))
    return found, tuple(said)


def _declared(step: Step) -> Trusted | View | None:
    match step.work:
        case Trust(trusted):
            return trusted
        case Derive(view):
            return view
        case _:
            return None


def _key(declared: Trusted | View, relation: Relation) -> tuple[tuple[str, ...], list[str]]:
    """The primary key; none where a part of it isn't exported."""
    history = isinstance(declared, Trusted) and declared.versions == "history"
    key = (*declared.key, VALID_FROM) if declared.key and history else declared.key
    hidden = [column for column in key if column not in relation.names]
    if hidden:
        return (), [f"key: {', '.join(hidden)} is not exported. With system columns: --system"]
    return key, []


def _unfit(rule: Rule, later: Sequence[Rule], relation: Relation) -> str:
    """Why a rule is no constraint of a table; nothing if it is one."""
    if why := _of_no_table(rule):
        return why
    read = _read(rule, relation)
    unknown = read - {name.lower() for name in relation.names}
    if unknown:
        return f"{', '.join(sorted(unknown))} is not exported. With system columns: --system"
    after = next((other for other in later if _changes(other, relation) & read), None)
    return f"{after.name} changes its values afterwards" if after else ""


def _of_no_table(rule: Rule) -> str:
    """Why a rule is none that tables have; nothing if it is."""
    of_the_day = any(depends_on_the_day(sql) for sql in (rule.sql, rule.where) if sql)
    whys = (
        (bool(rule.tolerate), f"it tolerates {rule.tolerate:.0%} of rows"),
        (bool(rule.exceptions), "it excepts rows"),
        (rule.kind == "references" and bool(rule.where), "a foreign key has no `where`"),
        (rule.kind == "unique" and (bool(rule.where) or is_all(rule)), "UNIQUE takes columns, and no `where`"),
        (rule.kind not in _OF_TABLES or is_dataset_check(rule), "it is not about single rows"),
        (of_the_day or "today" in map(rule.param, ("from", "to")), "it depends on the day"),
    )
    return next((why for applies, why in whys if applies), "")


def _read(rule: Rule, relation: Relation) -> frozenset[str]:
    """The columns that a rule reads, in small letters."""
    named = relation.names if is_all(rule) else rule.columns
    return frozenset(name.lower() for name in named) | columns_in(rule.sql) | columns_in(rule.where)


def _changes(rule: Rule, relation: Relation) -> frozenset[str]:
    """The columns whose values a rule may change, in small letters."""
    if not VOCABULARY[rule.kind].repairs and rule.kind != "type" and rule.action not in {"null", "repair"}:
        return frozenset()
    return frozenset(name.lower() for name in (relation.names if is_all(rule) else rule.columns))


def resolved(
    found: Mapping[str, Constraints], relations: Mapping[str, Relation], names: Mapping[str, str]
) -> tuple[dict[str, Constraints], dict[str, tuple[str, ...]]]:
    """Constraints whose references name tables of the export; and by dataset, the references that can't be kept.

    Args:
        found: the constraints of each exported dataset, its references naming datasets.
        relations: the columns of each.
        names: what each is called in the target.
    """
    kept: dict[str, Constraints] = {}
    said: dict[str, tuple[str, ...]] = {}
    for dataset, constraints in found.items():
        whys = [(one, _unkept(one, dataset, found, relations)) for one in constraints.references]
        said[dataset] = tuple(f"{one.name}: {why}" for one, why in whys if why)
        references = tuple(Reference(one.name, one.columns, names[one.table], one.by) for one, why in whys if not why)
        kept[dataset] = Constraints(
            constraints.key, constraints.required, constraints.unique, references, constraints.checks
        )
    return kept, said


def _unkept(one: Reference, dataset: str, found: Mapping[str, Constraints], relations: Mapping[str, Relation]) -> str:
    """Why a reference can be no foreign key in the target; nothing if it can."""
    if one.table not in found:
        return f"{one.table} is not in this export. Name it too"
    if any(
        relations[dataset].domain(c) != relations[one.table].domain(b) for c, b in zip(one.columns, one.by, strict=True)
    ):
        return f"the columns of {one.table} are of another type"
    target = found[one.table]
    if set(one.by) not in [set(target.key), *map(set, target.unique)]:
        return f"{', '.join(one.by)} is neither key nor unique in {one.table}"
    return ""


def in_order(datasets: Iterable[str], constraints: Mapping[str, Constraints]) -> list[str]:
    """Datasets so that each stands after those that it refers to. Steps depend on what they refer to: no circles."""
    ordered: dict[str, None] = {}

    def place(dataset: str) -> None:
        for one in constraints[dataset].references:
            if one.table in constraints and one.table != dataset:
                place(one.table)
        ordered.setdefault(dataset)

    for dataset in datasets:
        place(dataset)
    return list(ordered)


def names_of(datasets: Sequence[str]) -> dict[str, list[str]]:
    """Datasets by the bare name that they have in a target."""
    found: dict[str, list[str]] = {}
    for dataset in datasets:
        found.setdefault(dataset.partition(".")[2], []).append(dataset)
    return found
