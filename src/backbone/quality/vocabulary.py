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

EVERY_RULE_TAKES: tuple[str, ...] = ("else", "where", "tolerate", "may_vanish", "except", "because", "name")
"""Parameters of every rule, beside its own. Repairs take no `else`."""


@dataclass(frozen=True, slots=True)
class RuleKind:
    """One word of the vocabulary.

    `subject`: what the rule's own name is followed by. A rule about `column` that is given several stands for one
    rule each. `over`: judged row by row, or over several rows (then versions are merged before it).
    `repairs`: it changes values and takes no `else`. `built`: False where it is described but not built yet.
    `takes`: what it takes beside its own parameters. `views_only`: it is about how a view reads its inputs.
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


_NQWF: tuple[Action, ...] = ("null", "quarantine", "warn", "fail")
_QWF: tuple[Action, ...] = ("quarantine", "warn", "fail")
_WF: tuple[Action, ...] = ("warn", "fail")

VOCABULARY: Mapping[str, RuleKind] = {
    "not_null": RuleKind("column", _QWF),
    "in_range": RuleKind("column", _NQWF, {"from": "bound", "to": "bound"}),
    "one_of": RuleKind("column", _NQWF, {"values": "values"}, ("values",)),
    "matches": RuleKind("column", _NQWF, {"pattern": "text"}, ("pattern",)),
    "length": RuleKind("column", _NQWF, {"from": "count", "to": "count"}),
    "is_a": RuleKind("column", _NQWF, {"kind": "text"}, ("kind",), built=False),
    "references": RuleKind("columns", _NQWF, {"to": "dataset", "by": "names"}, ("to",)),
    "expect": RuleKind("sql", _QWF),
    "determined": RuleKind("column", ("repair", *_NQWF), {"by": "names"}, ("by",), over="rows", built=False),
    "never_pair": RuleKind("sql", _QWF, over="rows", built=False),
    "unique": RuleKind("columns or all", ("deduplicate", *_QWF), {"keep": "choice", "order": "sql"}, over="rows"),
    "typical": RuleKind(
        "column", _WF, {"method": "choice", "limit": "text", "within": "names"}, over="rows", built=False
    ),
    "sequence": RuleKind("column", _WF, {"step": "text", "per": "names"}, over="rows", built=False),
    "fresh": RuleKind("column", _WF, {"within": "text"}, ("within",), over="rows", built=False),
    "row_count": RuleKind("all", _WF, {"from": "count", "to": "count", "change": "text"}, over="rows", built=False),
    "joins": RuleKind(
        "all",
        _WF,
        {"lose": "share", "multiply": "share"},
        over="rows",
        takes=("else", "because", "name"),
        views_only=True,
    ),
    "steady": RuleKind("column", _WF, {"limit": "text"}, over="rows", built=False),
    "python": RuleKind("sql", _NQWF, built=False),
    "split": RuleKind("column", _QWF, {"pattern": "text", "into": "mapping"}, ("pattern", "into"), built=False),
    "type": RuleKind("column", _NQWF, {"as": "domain"}, ("as",)),
    "null_tokens": RuleKind("columns or all", (), {"tokens": "values"}, ("tokens",), repairs=True),
    "replace": RuleKind("column", (), {"with": "mapping"}, ("with",), repairs=True),
    "trim": RuleKind("columns or all", (), repairs=True),
    "mojibake": RuleKind("columns or all", (), repairs=True, built=False),
    "set": RuleKind("column", (), {"to": "sql"}, ("to",), repairs=True),
}

VIEW_ACTIONS: tuple[Action, ...] = ("quarantine", "warn", "fail")
"""What a rule of an exploitation view may do; a view has no repairs, its SQL does those."""
