"""`from`: where a source's data come from. A path, glob, zip file or URL, a table of a database, or several of them."""

import re
from typing import TYPE_CHECKING

from backbone.connectors.origins import DATABASES, KAFKA, UNBUILT, is_object, is_url, packed
from backbone.connectors.secrets import Secrets
from backbone.model.passwords import passwords
from backbone.project import keys
from backbone.project.fields import Fields
from backbone.project.settings import check_secrets
from backbone.project.tree import Mapping, Node, Text, shape_of

if TYPE_CHECKING:
    from backbone.project.places import Place

_EXPECTED = "Expected: a path, glob or zip file, https://…, or {postgres: …, table: …}"


def read_origins(fields: Fields, secrets: Secrets) -> tuple[str, ...]:
    """All origins of a source, as they are written: secrets stay out of them."""
    node = fields.node("from")
    items: tuple[Node, ...] = (node,) if isinstance(node, Text | Mapping) else node.items if node else ()
    found = []
    for item in items:
        if isinstance(item, Text):
            _check(item, fields, secrets)
            found.append(item.value)
        elif isinstance(item, Mapping):
            found += _table(item, fields, secrets)
        else:
            fields.refuse(item.place, f"an entry of `from` is a text or a mapping, not {shape_of(item)}")
    return tuple(found)


def _check(text: Text, fields: Fields, secrets: Secrets) -> None:
    origin = check_secrets(text, secrets, fields.problems)
    if is_url(text.value):
        if not re.match(r"https?://[^/?#]+", text.value, re.IGNORECASE) or re.search(r"\s", text.value):
            fields.refuse(text.place, "this is no address. Expected: https://HOST/PATH")
        _check_passwords(text, text.place, fields)
    elif is_object(text.value):
        if not re.fullmatch(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/[^\0]*[^\0/]", text.value):
            fields.refuse(
                text.place, "this is no object. Expected: s3://BUCKET/KEY, or a pattern: s3://BUCKET/KEYS-*.csv"
            )
    elif "://" in origin:
        scheme = origin.partition("://")[0]
        fields.refuse(text.place, f"reading from {scheme}:// is not built yet. {_EXPECTED}")
    elif not text.value.strip() or "\0" in origin or text.value.startswith("{"):
        fields.refuse(text.place, f"this is no place to read from. {_EXPECTED}")


def _check_passwords(text: Text, place: "Place", fields: Fields) -> None:
    if any("${" not in one for one in passwords(text.value)):
        fields.refuse(place, "a password stands here. Put it into secrets.env, and write ${NAME} in its place")


def _table(node: Mapping, fields: Fields, secrets: Secrets) -> tuple[str, ...]:
    first = node.entries[0][0].value if node.entries else ""
    if kind := next((text for text, _ in node.entries if text.value in UNBUILT), None):
        fields.refuse(kind.place, f"reading from `{kind.value}` is not built yet. {_EXPECTED}")
        return ()
    part = Fields(node, fields.problems, known=keys.ORIGIN, what="`from`")
    given = {key: text for key in keys.ORIGIN if (text := part.given(key)) is not None}
    asked = [name for name in (*DATABASES, KAFKA) if name in given]
    if len(asked) != 1:
        fields.refuse(node.place, f"`from` names one of `postgres`, `sqlite` and `kafka`, not '{first}'")
        return ()
    if wrong := _wrong_keys(asked[0], given):
        fields.refuse(node.place, wrong)
        return ()
    for text in given.values():
        if not text.value.strip():
            fields.refuse(text.place, "this is empty")
        check_secrets(text, secrets, fields.problems)
    if asked[0] == "postgres":
        _check_passwords(given[asked[0]], given[asked[0]].place, fields)
    order = (asked[0], "table", "query", "topic", "cursor")
    return (packed({key: given[key].value for key in order if key in given}),)


def _wrong_keys(asked: str, given: dict[str, Text]) -> str:
    """What is wrong with the keys beside the one that says who is asked."""
    if asked == KAFKA:
        others = [key for key in given if key not in {KAFKA, "topic"}]
        return "" if "topic" in given and not others else "Kafka is asked for one `topic`, and for nothing else"
    if ("table" in given) == ("query" in given) or "topic" in given:
        return "a database is asked for one `table`, or by a `query`"
    return ""
