"""What has come of landed files so far: what was written, set aside and found. Its books must balance."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from backbone.engine.protocol import Session
from backbone.model.files import Column, LandedFile
from backbone.model.names import literal
from backbone.model.project import Source
from backbone.model.relations import Attribute, Relation
from backbone.model.rules import Rule
from backbone.model.steps import QUARANTINE, Finding, Ledger
from backbone.zones.formatted.books import EXAMPLES, Books, Widening, counted_with
from backbone.zones.formatted.cells import rule_name
from backbone.zones.formatted.contract import Schema

PARSER, CONTRACT = "parser", "contract"
_QUARANTINE = Relation(tuple(Attribute(c, "integer" if c in {"file", "record"} else "text") for c in QUARANTINE))


@dataclass(frozen=True, slots=True)
class Target:
    """What landed files are read into: a source's dataset with the columns that it has by now, in a run."""

    source: Source
    dataset: str
    run: str
    schema: Schema


@dataclass(slots=True)
class Account:
    """One attempt at reading files, which writes to `folder` alone; `schema` may grow on the way."""

    target: Target
    schema: Schema
    session: Session
    folder: Path
    added: list[Path] = field(default_factory=list)
    quarantined: list[Path] = field(default_factory=list)
    rows_in: int = 0
    rows_out: int = 0
    set_aside: int = 0
    findings: dict[str, Finding] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=count)

    @property
    def source(self) -> Source:
        """The source whose files are read."""
        return self.target.source

    def new_file(self) -> Path:
        """The path of a Parquet file yet to be written."""
        return self.folder / f"{next(self._numbers)}.parquet"

    def scratch(self, file: LandedFile) -> Path:
        """A folder for what reading a file takes on the way."""
        return self.folder / f"{self.source.name}-{file.id}"

    def write_rows(self, query: str, relation: Relation) -> None:
        """Write rows as one Parquet file, in their order; none where there are none."""
        path = self.new_file()
        written = self.session.write(query, path, ordered=True, relation=relation)
        self.rows_out += written.rows
        self.added += written.files

    def quarantine(self, file: LandedFile, query: str) -> None:
        """Write entries (record, rule, reason, raw) for `governance.quarantine`, and note what was found."""
        path = self.new_file()
        self.quarantined.append(path)
        run, dataset = literal(self.target.run), literal(self.target.dataset)
        named = f"{run} AS run, {dataset} AS dataset, {file.id}::BIGINT AS file"
        entries = f"SELECT {named}, record, rule, reason, raw FROM ({query})"
        written = self.session.write(entries, path, ordered=True, relation=_QUARANTINE)
        self.set_aside += written.rows
        first = f"min_by(reason, record, {EXAMPLES}), min(record, {EXAMPLES})"
        found = self.session.rows(
            f"SELECT rule, count(*), {first} FROM read_parquet({literal(str(path))}) GROUP BY rule ORDER BY rule"
        )
        for rule, broken, reasons, records in found:
            examples = [f"{file.id}:{r} {reason}" for r, reason in zip(records, reasons, strict=False)]
            self.find(self._rule(rule), broken=int(broken), examples=examples)

    def find(self, rule: Rule, *, tested: int = 0, broken: int = 0, examples: Sequence[str] = ()) -> None:
        """Add what a rule tested and found to what it found in other files."""
        found = Finding(rule, tested, broken, "passed", examples=tuple(examples))
        self.findings[rule.name] = counted_with(self.findings.get(rule.name), found)

    def books(self, widening: Widening | None = None) -> Books:
        """What has come of it, to be handed over."""
        ledger = Ledger(self.rows_in, self.rows_out, self.set_aside)
        findings = tuple(self.findings.values())
        return Books(
            self.schema, tuple(self.added), tuple(self.quarantined), ledger, findings, tuple(self.notes), widening
        )

    def type_rule(self, column: Column) -> Rule:
        """The rule that a column's values fit its domain."""
        action = self.source.bad_values
        name = rule_name(column)
        return Rule("type", name, (column.name,), action, params=(("as", column.domain),), at=self.source.at)

    def parser_rule(self) -> Rule:
        """The rule that a file's records can be read."""
        return Rule(PARSER, PARSER, action="quarantine", at=self.source.at)

    def _rule(self, name: str) -> Rule:
        column = next((c for c in self.schema.all if rule_name(c) == name), None)
        return self.type_rule(column) if column else Rule(name, name, action="quarantine", at=self.source.at)
