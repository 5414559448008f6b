"""`sources/NAME.yml`: where data come from, and how they are read."""

import codecs
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, get_args

from backbone.connectors.secrets import Secrets
from backbone.errors import did_you_mean
from backbone.formats.kinds import FORMATS, UNBUILT_FORMATS, kind_named, kinds
from backbone.formats.numbers import EITHER
from backbone.model.domains import SCALAR_DOMAINS, is_domain
from backbone.model.files import BadValues, Column, Contract, FileNamePattern, Template
from backbone.model.names import is_system
from backbone.model.project import Source
from backbone.project import keys
from backbone.project.children import with_children
from backbone.project.fields import Fields, listed
from backbone.project.origins import read_origins
from backbone.project.settings import CONTRACTS
from backbone.project.tree import Items, Mapping, Node, Text, shape_of
from backbone.project.yaml_tree import read_yaml

if TYPE_CHECKING:
    from backbone.errors import Problem
    from backbone.project.places import File

_LONGEST_DELIMITER = 4
"""In bytes: what DuckDB's reader can."""
COLUMN_NAME = re.compile(r"[^\W\d_]\w*")
"""What a column may be called; names that begin with `_` are the system's."""


@dataclass(frozen=True, slots=True)
class SourceReader:
    """Reads sources with what the project says about all of them."""

    secrets: Secrets
    contract: Contract

    def read(self, file: "File", problems: "list[Problem]") -> Source:
        """One source, as far as it can be read; what is wrong is in `problems`."""
        fields = Fields(read_yaml(file, problems), problems, known=keys.SOURCE, what=f"a source ({file.path})")
        columns = _columns(fields)
        origins = read_origins(fields, self.secrets)
        rows_only = bool(origins) and all(origin.startswith("{") for origin in origins)
        source = Source(
            name=file.stem,
            origins=origins,
            template=_template(fields, "ndjson" if rows_only else "csv"),
            contract=fields.choice("contract", self.contract, CONTRACTS),
            bad_values=fields.choice("bad_values", "quarantine", get_args(BadValues)),
            columns=columns,
            file_name=_file_name(fields, columns),
            description=fields.text("description"),
            owner=fields.text("owner"),
            tags=fields.values("tags"),
            at=file.place().at,
            contract_at=(fields.key_place("contract") or file.place()).at,
        )
        place = fields.key_place("children")
        if place and "children" not in kind_named(source.template.format).keys:
            owners = listed(one.name for one in kinds() if "children" in one.keys)
            fields.refuse(place, f"`children` are of {owners}, not of {source.template.format}")
        return with_children(source, fields, _columns)


def _template(fields: Fields, usual: str) -> Template:
    default = Template()
    part = Fields(fields.node("template"), fields.problems, known=keys.TEMPLATE, what="`template`")
    form = _format(part, usual)
    for key in ("sheet", "table", "widths", "records", "lenient"):
        place = part.key_place(key)
        if place and key not in kind_named(form).keys:
            owners = [one.name for one in kinds() if key in one.keys]
            part.refuse(place, f"`{key}` is a key of {listed(owners)}, not of {form}")
    return Template(
        format=form,
        encoding=_encoding(part, default.encoding),
        delimiter=_delimiter(part, default.delimiter),
        quotechar=part.character("quotechar", default.quotechar, empty=True),
        escapechar=part.character("escapechar", default.escapechar, empty=True),
        header_rows=part.count("header_rows", default.header_rows),
        preamble_rows=part.count("preamble_rows", default.preamble_rows),
        footer_rows=part.count("footer_rows", default.footer_rows),
        lenient=part.choice("lenient", "false", ("true", "false")) == "true",
        null_tokens=part.values("null_tokens", default.null_tokens),
        member=part.text("member") or None,
        records=part.text("records") or None,
        sheet=part.text("sheet") or None,
        table=part.text("table") or None,
        widths=_widths(part),
    )


def _format(part: Fields, usual: str) -> str:
    given = part.given("format")
    named = (
        given
        and given.value not in FORMATS
        and next((one.name for one in kinds() if f".{given.value}" in one.endings), None)
    )
    if given and named:
        part.refuse(given.place, f"`format: {given.value}` is written `format: {named}`")
        return named
    return part.choice("format", usual, FORMATS, UNBUILT_FORMATS)


def _widths(part: Fields) -> tuple[int, ...] | None:
    """The widths of a fixed-width file's columns."""
    given = part.texts("widths")
    for text in given:
        if not re.fullmatch(r"[1-9]\d{0,5}", text.value, re.ASCII):
            part.refuse(text.place, f"`widths` are numbers of characters, as in [10, 4, 12], not '{text.value}'")
            return None
    return tuple(int(text.value) for text in given) or None


def _delimiter(part: Fields, default: str) -> str:
    given = part.given("delimiter")
    if given is None:
        return default
    if not 0 < len(given.value.encode()) <= _LONGEST_DELIMITER or set(given.value) & set("\r\n\0"):
        part.refuse(given.place, f"`delimiter` is a character, or a few such as ', ', not {given.value!r}")
        return default
    return given.value


def _encoding(part: Fields, default: str) -> str:
    given = part.given("encoding")
    if given is None:
        return default
    try:
        codecs.lookup(given.value)
    except (LookupError, ValueError):
        near = did_you_mean(given.value, ("utf-8", "utf-16", "latin-1", "cp1252", "ascii", "iso-8859-15"))
        part.refuse(given.place, f"there is no encoding '{given.value}'.{near}")
    return given.value


def _columns(fields: Fields) -> tuple[Column, ...]:
    node = fields.node("columns")
    if node is None:
        return ()
    if not isinstance(node, Mapping):
        if isinstance(node, Text) or node.items:
            fields.refuse(node.place, f"`columns` is a mapping of names to types, not {shape_of(node)}")
        return ()
    columns = tuple(_column(name, value, fields) for name, value in node.entries)
    seen: set[str] = set()
    for name, _ in node.entries:
        if name.value.lower() in seen:
            fields.refuse(name.place, f"column '{name.value}' is here twice: upper and lower case don't differ in SQL")
        seen.add(name.value.lower())
    return columns


def _column(name: Text, node: Node, fields: Fields) -> Column:
    if is_system(name.value):
        fields.refuse(name.place, f"'{name.value}': names that begin with `_` are Backbone's own")
    elif not COLUMN_NAME.fullmatch(name.value):
        fields.refuse(
            name.place,
            f"'{name.value}' is no plain name. Give the column one, as in temp_f: {{type: float, header: 'Temp (°F)'}}",
        )
    if isinstance(node, Text):
        return Column(name.value, _domain(node, fields))
    part = Fields(node, fields.problems, known=keys.COLUMN, what=f"column '{name.value}'")
    given = part.given("type")
    if given is None and isinstance(node, Mapping) and part.node("type") is None:
        fields.refuse(name.place, f"column '{name.value}' has no `type`")
    own_contract = part.node("contract") is not None
    return Column(
        name=name.value,
        domain=_domain(given, fields) if given else "text",
        headers=part.values("header"),
        null_tokens=part.values("null_tokens") if part.node("null_tokens") is not None else None,
        format=part.text("format") or None,
        decimal=_decimal(part),
        thousands=part.character("thousands", "") or None,
        unit=_units(part),
        contract=part.choice("contract", "evolve", CONTRACTS) if own_contract else None,
        description=part.text("description"),
        contract_at=(part.key_place("contract") or name.place).at,
    )


def _decimal(part: Fields) -> str | None:
    given = part.given("decimal")
    if given is not None and set(given.value) == set(EITHER) and len(given.value) == len(EITHER):
        return EITHER
    return part.character("decimal", "") or None


def _units(part: Fields) -> tuple[str, ...]:
    for text in part.texts("unit"):
        if not text.value.strip() or any(c.isdigit() for c in text.value):
            part.refuse(text.place, "`unit` is what stands beside the digits of a number, such as € or %")
    return tuple(value.strip() for value in part.values("unit"))


def _domain(text: Text, fields: Fields) -> str:
    if is_domain(text.value):
        return text.value
    near = did_you_mean(text.value, SCALAR_DOMAINS) or " Types: " + ", ".join((*SCALAR_DOMAINS, "decimal(2)", "text[]"))
    fields.refuse(text.place, f"there is no type '{text.value}'.{near}")
    return "text"


def _file_name(fields: Fields, columns: tuple[Column, ...]) -> FileNamePattern | None:
    node = fields.node("file_name")
    if node is None:
        return None
    part = Fields(node, fields.problems, known=("pattern", "into"), what="`file_name`")
    pattern, into = part.given("pattern"), part.node("into")
    if pattern is None or not isinstance(into, Mapping):
        if not (isinstance(into, Items) and not into.items):
            fields.refuse(node.place, "`file_name` needs `pattern`, a regular expression, and `into`, names with types")
        return None
    made = tuple(_column(name, value, fields) for name, value in into.entries)
    for (name, _), column in zip(into.entries, made, strict=True):
        if column.name.lower() in {c.name.lower() for c in columns}:
            fields.refuse(name.place, f"column '{column.name}' is in `columns` already")
    try:
        groups = re.compile(pattern.value).groups
    except re.error as error:
        fields.refuse(pattern.place, f"this is no regular expression: {error.msg}")
        return None
    if groups != len(made):
        fields.refuse(pattern.place, f"the pattern has {groups} groups ( ), but `into` names {len(made)} columns")
    return FileNamePattern(pattern.value, made)
