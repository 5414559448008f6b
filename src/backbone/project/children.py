"""`children` of a source: the relations inside its records, each read and described as a source of its own."""

from collections.abc import Callable
from dataclasses import replace

from backbone.model.files import ITEM_COLUMNS, Column, Inside
from backbone.model.names import PLAIN_NAME
from backbone.model.project import Source
from backbone.project import keys
from backbone.project.fields import Fields
from backbone.project.tree import Mapping

Columns = Callable[[Fields], tuple[Column, ...]]


def with_children(source: Source, fields: Fields, read_columns: Columns) -> Source:
    """A source with its children, all the way down; whatever reads one of them knows all."""
    source = _with_own(source, fields, read_columns)
    return _with_tree(source, tuple(map(_inside, source.children)))


def _with_own(parent: Source, fields: Fields, read_columns: Columns) -> Source:
    node = fields.node("children")
    if node is None:
        return parent
    if not isinstance(node, Mapping):
        fields.refuse(node.place, "`children` is a mapping, as in: children: {items: {columns: {sku: text}}}")
        return parent
    children = []
    for name, value in node.entries:
        if not PLAIN_NAME.fullmatch(name.value):
            fields.refuse(name.place, f"'{name.value}' is no name for a child. Give it one, as in items: {{header: …}}")
            continue
        part = Fields(value, fields.problems, known=keys.CHILD, what=f"child '{name.value}'")
        columns = read_columns(part)
        header = part.text("header") or name.value
        child = replace(
            parent,
            name=f"{parent.name}__{name.value}",
            template=replace(parent.template, inside=(*parent.template.inside, header)),
            columns=(*ITEM_COLUMNS, *columns) if columns else (),
            file_name=None,
            description=part.text("description"),
            children=(),
            parent=parent.name,
            at=name.place.at,
        )
        children.append(_with_own(child, part, read_columns))
    return replace(parent, children=tuple(children))


def _inside(child: Source) -> Inside:
    return Inside(child.template.inside[-1], tuple(map(_inside, child.children)))


def _with_tree(source: Source, tree: tuple[Inside, ...]) -> Source:
    template = replace(source.template, children=tree)
    return replace(source, template=template, children=tuple(_with_tree(child, tree) for child in source.children))
