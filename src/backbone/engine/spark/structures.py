"""Functions of structs, maps and JSON."""

from collections.abc import Callable, Mapping

from backbone.engine.spark.arguments import Call
from backbone.engine.spark.kinds import FLOATS, HUGE, INTEGERS, MOMENTS, Kind, text_sql
from backbone.engine.spark.literals import field_sql
from backbone.engine.spark.refusal import refuse

Entry = tuple[str | Callable[[Call], str], str]


def _packed(call: Call) -> str:
    fields = ", ".join(
        f"{text_sql(name)}, {arg.sql}" for (name, _), arg in zip(call.kind.parts, call.args, strict=True)
    )
    return f"named_struct({fields})"


def _field(call: Call) -> str:
    struct, name = call.args
    return field_sql(struct.sql, str(name.constant))


def _field_at(call: Call) -> str:
    struct, place = call.args
    return field_sql(struct.sql, struct.kind.parts[int(place.constant) - 1][0])


def _json(call: Call) -> str:
    value = call.args[0]
    return f"CASE WHEN {value.sql} IS NOT NULL THEN {_json_text(value.sql, value.kind, strict=call.strict)} END"


def _json_object(call: Call) -> str:
    names, values = call.args[::2], call.args[1::2]
    pairs = [
        (str(n.constant), _json_text(v.sql, v.kind, strict=call.strict)) for n, v in zip(names, values, strict=True)
    ]
    return _object(pairs)


def _object(pairs: list[tuple[str, str]]) -> str:
    parts = [
        f"{text_sql(('' if not n else ',') + _quoted(name) + ':')}, {value}" for n, (name, value) in enumerate(pairs)
    ]
    return f"concat('{{', {', '.join(parts)}, '}}')" if parts else "'{}'"


def _quoted(name: str) -> str:
    import json

    return json.dumps(name, ensure_ascii=False)


def _json_text(value: str, kind: Kind, *, strict: bool) -> str:
    """JSON as DuckDB writes it: with every field, without blanks."""
    name = kind.name
    if name == "VARCHAR" and not kind.is_json:
        # {"v":"…"} less what is around the text: Spark's own writer escapes it.
        text = f"to_json(named_struct('v', {value}))"
        made = f"substring({text}, 6, length({text}) - 6)"
    elif name in INTEGERS | HUGE or name == "BOOLEAN" or kind.is_json:
        made = f"CAST({value} AS STRING)"
    elif name in FLOATS | {"DECIMAL"}:
        if strict and name != "DECIMAL":
            raise refuse(f"JSON of the type {kind}", "Cast it to DECIMAL", "json")
        made = f"CAST({value} AS STRING)"
    elif name in MOMENTS | {"DATE"}:
        zone = ", '+00'" if name == "TIMESTAMP WITH TIME ZONE" else ""
        made = f"concat('\"', CAST({value} AS STRING){zone}, '\"')"
    elif name == "LIST":
        elements = f"transform({value}, j -> {_json_text('j', kind.element, strict=strict)})"
        made = f"concat('[', array_join({elements}, ','), ']')"
    elif name == "STRUCT":
        made = _object([(n, _json_text(field_sql(value, n), part, strict=strict)) for n, part in kind.parts])
    elif name == "NULL":
        return "'null'"
    else:
        raise refuse(f"JSON of the type {kind}", word="json")
    return f"CASE WHEN {value} IS NULL THEN 'null' ELSE {made} END"


def _json_string(call: Call) -> str:
    held, path = call.args[0].sql, call.args[1].constant
    if not isinstance(path, str):
        raise call.refuse()
    inside = path.removeprefix("$.") if path.startswith("$.") else path
    keys = inside.split(".") if path.startswith("$.") else [inside]
    if not all(key.replace("_", "a").isalnum() and key.isascii() for key in keys):
        raise call.refuse(f"the path '{path}' in JSON")
    return f"get_json_object({held}, {text_sql('$.' + '.'.join(keys))})"


STRUCTURES: Mapping[str, Entry] = {
    "struct_pack": (_packed, ""),
    "row": (_packed, ""),
    "struct_extract": (_field, ""),
    "struct_extract_at": (_field_at, ""),
    "map": ("map_from_arrays({0}, {1})", ""),
    "map_keys": ("map_keys({0})", ""),
    "map_values": ("map_values({0})", ""),
    "to_json": (_json, "of integers, decimals, texts, dates, moments, and lists and structs of them"),
    "json_object": (_json_object, "of integers, decimals, texts, dates, moments, and lists and structs of them"),
    "->>": (_json_string, "with a constant path of names: `$.a.b`"),
    "json_extract_string": (_json_string, "with a constant path of names: `$.a.b`"),
}
