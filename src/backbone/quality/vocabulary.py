"""The vocabulary of rules, as data: what each rule may say. The project format's table of rules, in code."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from backbone.model.rules import Action

Subject = Literal["column", "columns", "all", "columns or all", "sql"]
ParamKind = Literal[
    "text", "sql", "values", "mapping", "bound", "dataset", "names", "domain", "choice", "count", "share"
]

NULL, QUARANTINE, DEDUPLICATE, WARN, FAIL, REPAIR = "null", "quarantine", "deduplicate", "warn", "fail", "repair"
DEFAULT_TOLERANCE: Mapping[str, float] = {
    "null": 0.2, "quarantine": 0.2, "repair": 0.2, "warn": 1.0, "deduplicate": 1.0, "fail": 0.0,
}  # fmt: skip
"""The share of rows tested that may break a rule before its dataset fails, by action."""

EVERY_RULE_SAYS: Mapping[str, str] = {
    "else": "the action, see above; required but for repairs",
    "where": "SQL: only these rows are tested",
    "tolerate": "the share of tested rows that may break it: up to it, `else` happens; above, the dataset fails. By "
    "default 20% for `null`, `quarantine` and `repair`, 100% for `warn` and `deduplicate`, 0% for `fail`",
    "may_vanish": "columns of which whole groups may go; see below",
    "except": "records left alone, as `file:record`: `[12:640]`",
    "because": "why; shown where the rule is",
    "name": "by default the rule and its columns: `in_range(air_time)`",
}
"""Parameters of every rule, beside its own, each with what it says. Repairs take no `else`."""
EVERY_RULE_TAKES: tuple[str, ...] = tuple(EVERY_RULE_SAYS)


@dataclass(frozen=True, slots=True)
class RuleKind:
    """One word of the vocabulary.

    `subject`: what the rule's own name is followed by. A rule about `column` that is given several stands for one
    rule each. `over`: judged row by row, or over several rows (then versions are merged before it).
    `repairs`: it changes values and takes no `else`. `built`: False where it is described but not built yet.
    `takes`: what it takes beside its own parameters. `views_only`: it is about how a view reads its inputs.
    `says`: when it is true, or what it repairs; `params_say`: its own parameters, in words.
    """

    subject: Subject
    actions: tuple[Action, ...] = ()
    params: Mapping[str, ParamKind] = field(default_factory=dict)
    required: tuple[str, ...] = ()
    over: Literal["row", "rows"] = "row"
    repairs: bool = False
    built: bool = True
    takes: tuple[str, ...] = EVERY_RULE_TAKES
    views_only: bool = False
    says: str = ""
    params_say: str = ""


_NQWF: tuple[Action, ...] = ("null", "quarantine", "warn", "fail")
_QWF: tuple[Action, ...] = ("quarantine", "warn", "fail")
_WF: tuple[Action, ...] = ("warn", "fail")

VOCABULARY: Mapping[str, RuleKind] = {
    "not_null": RuleKind("column", _QWF, says="each has a value"),
    "in_range": RuleKind(
        "column",
        _NQWF,
        {"from": "bound", "to": "bound"},
        says="the value is between the bounds, which are included",
        params_say="`from`, `to`: either or both; `today` for a date",
    ),
    "one_of": RuleKind("column", _NQWF, {"values": "values"}, ("values",), says="it is one of these"),
    "matches": RuleKind(
        "column", _NQWF, {"pattern": "text"}, ("pattern",), says="the whole value fits a regular expression (RE2)"
    ),
    "length": RuleKind(
        "column", _NQWF, {"from": "count", "to": "count"}, says="a text has so many characters, a list so many entries"
    ),
    "is_a": RuleKind(
        "column",
        _NQWF,
        {"kind": "choice"},
        ("kind",),
        says="it is an e-mail address, a URL, an IBAN …, checksum included",
        params_say="`kind`: see below",
    ),
    "references": RuleKind(
        "columns",
        _NQWF,
        {"to": "dataset", "by": "names"},
        ("to",),
        says="these values exist there: a foreign key",
        params_say="`to`: a dataset; `by`: its columns, by default its key",
    ),
    "expect": RuleKind(
        "sql", _QWF, says="the condition is true; an aggregate makes it one about the dataset (only warn, fail)"
    ),
    "determined": RuleKind(
        "column",
        ("repair", *_NQWF),
        {"by": "names"},
        ("by",),
        over="rows",
        says="rows of equal `by` have the same value; `repair` gives them that of more than half of them",
        params_say="`by`: the columns that determine it",
    ),
    "never_pair": RuleKind("sql", _QWF, over="rows", built=False, says="no two rows `a`, `b` for which this is true"),
    "unique": RuleKind(
        "columns or all",
        ("deduplicate", *_QWF),
        {"keep": "choice", "order": "sql"},
        over="rows",
        says="no two rows are equal in these",
        params_say="`keep`: `last` (default) or `first`; `order`: SQL, by default arrival",
    ),
    "typical": RuleKind(
        "column",
        _WF,
        {"method": "choice", "limit": "text", "within": "names"},
        over="rows",
        built=False,
        says="no outlier",
    ),
    "sequence": RuleKind("column", _WF, {"step": "text", "per": "names"}, over="rows", built=False, says="no gaps"),
    "fresh": RuleKind(
        "column", _WF, {"within": "text"}, ("within",), over="rows", built=False, says="the newest value isn't older"
    ),
    "row_count": RuleKind(
        "all", _WF, {"from": "count", "to": "count", "change": "text"}, over="rows", built=False, says="as many rows"
    ),
    "joins": RuleKind(
        "all",
        _WF,
        {"lose": "share", "multiply": "share"},
        over="rows",
        takes=("else", "because", "name"),
        views_only=True,
        says="in a view: joining loses or multiplies no rows of the first input, or no larger share of them",
        params_say="`lose`, `multiply`: a share such as `20%`, or `any`; by default none",
    ),
    "steady": RuleKind(
        "column", _WF, {"limit": "text"}, over="rows", built=False, says="distributed as in the last run"
    ),
    "python": RuleKind("sql", _NQWF, built=False, says="a function says so"),
    "split": RuleKind(
        "column",
        _QWF,
        {"pattern": "text", "into": "mapping"},
        ("pattern", "into"),
        built=False,
        says="the whole value fits, and its groups become columns",
    ),
    "type": RuleKind(
        "column", _NQWF, {"as": "domain"}, ("as",), says="the value can be converted; it then has that domain"
    ),
    "null_tokens": RuleKind(
        "columns or all",
        (),
        {"tokens": "values"},
        ("tokens",),
        repairs=True,
        says="makes whole values null that mean *missing*",
    ),
    "replace": RuleKind(
        "column",
        (),
        {"with": "mapping"},
        ("with",),
        repairs=True,
        says="replaces whole values",
        params_say="`with`: old to new",
    ),
    "trim": RuleKind("columns or all", (), repairs=True, says="removes blanks at both ends"),
    "mojibake": RuleKind("columns or all", (), repairs=True, built=False, says="UTF-8 that was read as Latin-1"),
    "set": RuleKind(
        "column",
        (),
        {"to": "sql"},
        ("to",),
        repairs=True,
        says="sets the value; one that had to be rounded for it fails the dataset",
        params_say="`to`: SQL; usually with `where`",
    ),
}

VIEW_ACTIONS: tuple[Action, ...] = ("quarantine", "warn", "fail")
"""What a rule of an exploitation view may do; a view has no repairs, its SQL does those."""
