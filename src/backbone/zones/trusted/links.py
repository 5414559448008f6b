"""The chain that rows go through: a dataset's rules in the order written, with the merging of versions in its place."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import get_args

from backbone.model.names import VALID_TO, quoted
from backbone.model.project import Trusted, Versions
from backbone.model.rules import Rule
from backbone.quality.expressions import is_dataset_check
from backbone.quality.predicates import refused
from backbone.quality.vocabulary import VOCABULARY
from backbone.zones.trusted.decided import DROPPED, FIXED, decided_rules

_REMOVES = {"quarantine", "deduplicate"}
VERSIONS: frozenset[str] = frozenset(get_args(Versions))
"""The kinds of the link that unites versions: one for each way to. It is no rule that people write."""


@dataclass(frozen=True, slots=True)
class Link:
    """One link of the chain. `number` is its place, from 1: what `_taken` says of a row that it took."""

    number: int
    rule: Rule

    @property
    def merges(self) -> bool:
        """Whether it compares rows and takes some of them."""
        return self.rule.kind in VERSIONS or (self.rule.kind == "unique" and self.rule.action in _REMOVES)

    @property
    def corrects(self) -> bool:
        """Whether it compares rows and changes, or takes, those that are wrong."""
        return corrects(self.rule)

    @property
    def sets_aside(self) -> bool:
        """Whether it is a rule that takes rows; the merging of versions isn't one."""
        return self.rule.kind not in VERSIONS and self.rule.action in _REMOVES

    @property
    def checks(self) -> bool:
        """Whether it judges the dataset as a whole, without changing it."""
        return _over_rows(self.rule) and not self.merges and not self.corrects


def links_of(trusted: Trusted, *, again: bool) -> tuple[Link, ...]:
    """A dataset's chain: what people decided about rows, then its rules, with the merging of versions in its place.

    Versions are merged just before the first rule over several rows, else at the end.

    `again` says that a landed file has the content of an earlier one: with `append` its rows are there already.

    Raises:
        ProjectError: a rule can't be one of a trusted dataset.
    """
    for rule in trusted.rules:
        _check_fits(rule)
    decided, rules = decided_rules(trusted), list(trusted.rules)
    if trusted.versions != "append":
        place = next((i for i, rule in enumerate(rules) if _over_rows(rule)), len(rules))
        rules[place:] = [_version_link(trusted), *(_of_now(rule, trusted) for rule in rules[place:])]
    elif again:
        rules.insert(0, _version_link(trusted))
    return tuple(Link(number, rule) for number, rule in enumerate((*decided, *rules), start=1))


def _of_now(rule: Rule, trusted: Trusted) -> Rule:
    """Of a history, rules over several rows look at the present state alone."""
    if trusted.versions != "history" or not _over_rows(rule):
        return rule
    now = f"{VALID_TO} IS NULL"
    return replace(rule, where=f"({rule.where}\n) AND {now}" if rule.where else now)


def trusted_increments(trusted: Trusted) -> bool:
    """Whether new rows alone can be processed, with the same result as all rows together.

    That is so with one element at most that merges rows, and nothing behind it that changes or takes any.
    """
    if any(corrects(rule) for rule in trusted.rules):
        return False  # a new row may change what is right of rows that are there
    merging = sum(rule.kind == "unique" and rule.action in _REMOVES for rule in trusted.rules)
    if merging + (trusted.versions != "append") > 1:
        return False
    # A state that is already there may have to be split by a row that comes late: all rows of its key are needed.
    if trusted.versions == "history" and trusted.newest_by:
        return False
    first = next((i for i, rule in enumerate(trusted.rules) if rule.kind == "unique"), len(trusted.rules))
    if any(_changes(rule) for rule in trusted.rules[first + 1 :]):
        return False
    # Only a check that something behind it could falsify needs a look at its SQL, and so the parser.
    last = max((i for i, rule in enumerate(trusted.rules) if _changes(rule)), default=-1)
    return not any(r.action in {"warn", "fail"} and is_dataset_check(r) for r in trusted.rules[: last + 1])


def corrects(rule: Rule) -> bool:
    """Whether a rule changes or takes rows by what other rows are."""
    return rule.kind == "determined" and rule.action not in {"warn", "fail"}


def _changes(rule: Rule) -> bool:
    return rule.action in {None, "null", "repair", *_REMOVES} or rule.kind == "type"


def _over_rows(rule: Rule) -> bool:
    if rule.kind in {FIXED, DROPPED}:
        return False
    return rule.kind in VERSIONS or VOCABULARY[rule.kind].over == "rows" or is_dataset_check(rule)


def _version_link(trusted: Trusted) -> Rule:
    columns = () if trusted.versions in {"snapshot", "parent"} else trusted.key
    name = f"{trusted.versions}({', '.join(columns)})" if columns else trusted.versions
    params = (("order", f"{quoted(trusted.newest_by)} NULLS FIRST"),) if trusted.newest_by else ()
    kind, at = trusted.versions, trusted.key_at
    return Rule(kind, name, columns=columns, action="deduplicate", params=params, tolerate=1.0, at=at)


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
    if not trusted.key or trusted.versions in {"upsert", "history"}:
        return ()
    name = f"key({', '.join(trusted.key)})"
    values = [Rule("not_null", f"{name}, {c}", columns=(c,), action="fail", at=trusted.key_at) for c in trusted.key]
    return (*values, Rule("unique", name, columns=trusted.key, action="fail", at=trusted.key_at))
