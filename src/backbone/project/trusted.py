"""`trusted/NAME.yml`: versions, key and rules of one source."""

from typing import TYPE_CHECKING, get_args

from backbone.model.project import Source, Trusted, Versions
from backbone.model.rules import Location, Rule
from backbone.project import keys
from backbone.project.catalogue import Catalogue, Domains, check_columns
from backbone.project.fields import Fields
from backbone.project.rule_node import Setting
from backbone.project.rules import read_rules
from backbone.quality.vocabulary import DEFAULT_TOLERANCE

if TYPE_CHECKING:
    from backbone.errors import Problem
    from backbone.project.places import File
    from backbone.project.tree import Node


def default_rules(at: Location, parent: str = "") -> tuple[Rule, ...]:
    """The rules of a trusted dataset that names none: trim texts, warn of equal rows that aren't items of parents."""
    trim = Rule("trim", "trim(all)", ("all",), tolerate=1.0, at=at)
    unique = Rule("unique", "unique(all)", ("all",), "warn", tolerate=DEFAULT_TOLERANCE["warn"], at=at)
    return (trim,) if parent else (trim, unique)


def default_trusted(source: Source) -> Trusted:
    """The trusted dataset of a source that has no file of its own in `trusted/`."""
    return Trusted(
        source.name,
        "parent" if source.parent else "append",
        rules=default_rules(source.at, source.parent),
        description=source.description,
        at=source.at,
        parent=source.parent,
    )


def source_columns(source: Source) -> Domains | None:
    """The columns of a source and their domains; None where the source doesn't list them."""
    if not source.columns:
        return None
    made = source.file_name.into if source.file_name else ()
    return {column.name: column.domain for column in (*source.columns, *made)}


def converted_columns(columns: Domains, trusted: Trusted) -> Domains:
    """The columns of a trusted dataset: the formatted one's, after its conversions."""
    converted = {
        column: str(rule.param("as")) for rule in trusted.rules if rule.kind == "type" for column in rule.columns
    }
    return {**columns, **converted}


def read_trusted(
    file: "File", node: "Node | None", source: Source, catalogue: Catalogue, problems: "list[Problem]"
) -> Trusted:
    """One trusted dataset, checked against its source."""
    fields = Fields(node, problems, known=keys.TRUSTED, what=f"a trusted dataset ({file.path})")
    fields.choice("clean", "off", ("off",), unbuilt=("suggest", "auto"))
    default: Versions = "parent" if source.parent else "append"
    ways = tuple(way for way in get_args(Versions) if (way == "parent") == bool(source.parent))
    versions = fields.choice("versions", default, ways)
    where = f"formatted.{source.name}"
    columns = catalogue.columns(where)
    key, newest = fields.texts("key"), fields.given("newest_by")
    check_columns((*key, *((newest,) if newest else ())), columns, where, problems)
    if versions in {"upsert", "history"} and not key:
        place = fields.key_place("versions") or file.place()
        problems.append(
            place.problem(f"`versions: {versions}` needs `key`, the columns by which a row replaces another")
        )
    if newest and versions == "append":
        problems.append(newest.place.problem("`newest_by` needs `versions: snapshot`, `upsert` or `history`"))
    absent = fields.choice("absent", "kept", ("kept", "deleted")) == "deleted"
    if absent and versions != "history":
        place = fields.key_place("absent") or file.place()
        problems.append(place.problem("`absent: deleted` needs `versions: history`"))
    setting = Setting(f"trusted.{source.name}", "trusted", where, columns, catalogue, problems)
    at = file.place().at
    rules = (
        read_rules(fields.node("rules"), setting)
        if fields.node("rules") is not None
        else default_rules(at, source.parent)
    )
    return Trusted(
        name=source.name,
        versions=versions,
        key=tuple(text.value for text in key),
        newest_by=newest.value if newest else None,
        absent=absent,
        rules=rules,
        description=fields.text("description"),
        owner=fields.text("owner"),
        tags=fields.values("tags"),
        at=at,
        key_at=(fields.key_place("key") or file.place()).at,
        parent=source.parent,
    )
