"""The chain that rows go through: a dataset's rules in the order written, with the merging of versions in its place."""

from collections.abc import Sequence
from dataclasses import dataclass

from backbone.model.names import quoted
from backbone.model.project import Trusted
from backbone.model.rules import Rule
from backbone.quality.expressions import is_dataset_check
from backbone.quality.predicates import refused
from backbone.quality.vocabulary import VOCABULARY

_REMOVES = {"quarantine", "deduplicate"}
MERGE = "upsert"
"""The kind of the link that unites versions. It is no rule that people write."""
AGAIN = "append"
"""The kind of the link that merges away rows of a content which had landed before. It is no rule that people write."""
_VERSIONS = {MERGE, AGAIN}


@dataclass(frozen=True, slots=True)
class Link:
    """One link of the chain. `number` is its place, from 1: what `_taken` says of a row that it took."""

    number: int
    rule: Rule

    @property
    def merges(self) -> bool:
        """Whether it compares rows and takes some of them."""
        return self.rule.kind in _VERSIONS or (self.rule.kind == "unique" and self.rule.action in _REMOVES)

    @property
    def sets_aside(self) -> bool:
        """Whether it is a rule that takes rows; the merging of versions isn't one."""
        return self.rule.kind not in _VERSIONS and self.rule.action in _REMOVES

    @property
    def checks(self) -> bool:
        """Whether it judges the dataset as a whole, without changing it."""
        return _over_rows(self.rule) and not self.merges


def links_of(trusted: Trusted, *, again: bool) -> tuple[Link, ...]:
    """A dataset's chain: versions are merged just before the first rule over several rows, else at the end.

    `again` says that a landed file has the content of an earlier one: with `append` its rows are there already.

    Raises:
        ProjectError: a rule can't be one of a trusted dataset.
    """
    for rule in trusted.rules:
        _check_fits(rule)
    rules = list(trusted.rules)
    if trusted.versions == "upsert":
        place = next((i for i, rule in enumerate(rules) if _over_rows(rule)), len(rules))
        rules.insert(place, _version_merge(trusted))
    elif again:
        rules.insert(0, Rule(AGAIN, AGAIN, action="deduplicate", tolerate=1.0, at=trusted.at))
    return tuple(Link(number, rule) for number, rule in enumerate(rules, start=1))


def trusted_increments(trusted: Trusted) -> bool:
    """Whether new rows alone can be processed, with the same result as all rows together.

    That is so with one element at most that merges rows, and nothing behind it that changes or takes any.
    """
    merging = sum(rule.kind == "unique" and rule.action in _REMOVES for rule in trusted.rules)
    if merging + (trusted.versions == "upsert") > 1:
        return False
    first = next((i for i, rule in enumerate(trusted.rules) if rule.kind == "unique"), len(trusted.rules))
    if any(_changes(rule) for rule in trusted.rules[first + 1 :]):
        return False
    # Only a check that something behind it could falsify needs a look at its SQL, and so the parser.
    last = max((i for i, rule in enumerate(trusted.rules) if _changes(rule)), default=-1)
    return not any(r.action in {"warn", "fail"} and is_dataset_check(r) for r in trusted.rules[: last + 1])


def _changes(rule: Rule) -> bool:
    return rule.action in {None, "null", "repair", *_REMOVES} or rule.kind == "type"


def _over_rows(rule: Rule) -> bool:
    return rule.kind in _VERSIONS or VOCABULARY[rule.kind].over == "rows" or is_dataset_check(rule)


def _version_merge(trusted: Trusted) -> Rule:
    name = f"{MERGE}({', '.join(trusted.key)})"
    params = (("order", f"{quoted(trusted.newest_by)} NULLS FIRST"),) if trusted.newest_by else ()
    return Rule(MERGE, name, columns=trusted.key, action="deduplicate", params=params, tolerate=1.0, at=trusted.key_at)


def _check_fits(rule: Rule) -> None:
    known = VOCABULARY.get(rule.kind)
    if known is None or not known.built:
        raise refused(rule, f"{rule.kind} is not built yet")
    if rule.kind == "references":
        raise refused(rule, "references between sources is a rule of a view in the exploitation zone")
    if is_dataset_check(rule) and rule.action not in {"warn", "fail"}:
        raise refused(rule, f"it is true or not of the whole dataset: no rows to {rule.action}. Use warn or fail")


def key_rules(trusted: Trusted) -> Sequence[Rule]:
    """What the key of a dataset without merged versions promises, as rules that fail it."""
    if not trusted.key or trusted.versions == "upsert":
        return ()
    name = f"key({', '.join(trusted.key)})"
    values = [Rule("not_null", f"{name}, {c}", columns=(c,), action="fail", at=trusted.key_at) for c in trusted.key]
    return (*values, Rule("unique", name, columns=trusted.key, action="fail", at=trusted.key_at))
