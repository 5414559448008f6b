"""Casts that give on Spark what they give in DuckDB: it rounds where Spark cuts off, and reads other texts.

`how` is `CAST`, for which a value that doesn't fit is an error, or `TRY_CAST`, for which it is NULL.
"""

from collections.abc import Callable, Mapping

from backbone.engine.spark.kinds import FLOATS, HUGE, INTEGERS, MOMENTS, Kind, spark_type, text_sql
from backbone.engine.spark.literals import field_sql
from backbone.engine.spark.refusal import refuse

_WHOLE = INTEGERS | HUGE
_BLANKS = r"' \t\n\u000B\f\r'"
_INTEGER = r"^[+-]?[0-9]+$"
_NUMBER = r"^[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]+)?$"
_SPECIAL = r"(?i)^[+-]?(inf|infinity|nan)$"
_DAY = r"[0-9]{4}([-/])[0-9]{1,2}\\1[0-9]{1,2}"
_CLOCK = r"[0-9]{1,2}:[0-9]{2}(:[0-9]{2}([.][0-9]{1,6})?)?"
_ZONE = r" ?(Z|[+-][0-9]{2}(:?[0-9]{2})?)?"
Cast = Callable[[str, Kind, Kind, str], str]


def cast_sql(value: str, source: Kind, target: Kind, how: str = "CAST") -> str:
    """A value of one type as one of another.

    Raises:
        NotOnSparkError: the cast isn't known to give the same.
    """
    if source == target or _same(source, target):
        return value
    if target.name == "UBIGINT":  # which only hashes are: nobody asks how large one is
        raise refuse(f"a cast to {target}", "Cast to BIGINT or HUGEINT", "cast")
    if source.name == "NULL":
        return f"CAST(NULL AS {spark_type(target)})"
    cast = _CASTS.get((family(source), family(target)))
    if cast is None:
        raise refuse(f"a cast from {source} to {target}", _NEAR.get((family(source), family(target)), ""), "cast")
    return cast(value, source, target, how)


def _same(source: Kind, target: Kind) -> bool:
    """Whether Spark holds both types alike, and every value of one is one of the other."""
    if source.name == "VARCHAR" and target.name == "VARCHAR":
        return source.is_json or not target.is_json
    return source.name in MOMENTS and target.name in MOMENTS and spark_type(source) == spark_type(target)


def family(kind: Kind) -> str:
    """The family of a type, such as `whole` for integers of every size."""
    if kind.name in _WHOLE:
        return "whole"
    if kind.name in FLOATS:
        return "float"
    if kind.name in MOMENTS:
        return "tz" if kind.name == "TIMESTAMP WITH TIME ZONE" else "moment"
    return "json" if kind.is_json else kind.name.lower()


def _plain(value: str, _: Kind, target: Kind, how: str) -> str:
    return f"{how}({value} AS {spark_type(target)})"


def _decimal_whole(value: str, _: Kind, target: Kind, how: str) -> str:
    return f"{how}(round({value}, 0) AS {spark_type(target)})"


def _float_whole(value: str, _: Kind, target: Kind, how: str) -> str:
    # Half to even. Spark's cast of a double ignores what doesn't fit only without ANSI mode.
    return f"{how}(rint({value}) AS {spark_type(target)})"


def _float_decimal(value: str, _: Kind, target: Kind, how: str) -> str:
    if target.width > _NARROW:
        raise refuse(f"a cast from DOUBLE to {target}", f"Use at most {_NARROW} digits", "cast")
    scaled = f"round(CAST({value} AS DOUBLE) * 1e{target.scale}D, 0)"
    units = f"{how}({scaled} AS DECIMAL({_NARROW + 1},0))"
    if not target.scale:
        return f"{how}({units} AS {spark_type(target)})"
    unit = f"CAST('1e-{target.scale}' AS DECIMAL({target.scale},{target.scale}))"
    return f"{how}({units} * {unit} AS {spark_type(target)})"


_NARROW = 18


def _trimmed(value: str) -> str:
    return f"trim(BOTH {_BLANKS} FROM {value})"


def _guarded(value: str, target: Kind, how: str, cases: Mapping[str, str]) -> str:
    """What a text is if it looks like one of some patterns; else NULL, or an error."""
    whens = " ".join(f"WHEN {text} RLIKE '{pattern}' THEN {made}" for pattern, (text, made) in
                     ((p, (_trimmed(value), m)) for p, m in cases.items()))  # fmt: skip
    other = f"CAST(NULL AS {spark_type(target)})"
    if how == "CAST":
        said = f"concat({text_sql('Could not convert string ')}, {value}, {text_sql(f' to {target}')})"
        other = f"CAST(raise_error({said}) AS {spark_type(target)})"
    return f"CASE WHEN {value} IS NULL THEN CAST(NULL AS {spark_type(target)}) {whens} ELSE {other} END"


def _text_whole(value: str, _: Kind, target: Kind, how: str) -> str:
    text, wanted = _trimmed(value), spark_type(target)
    rounded = f"{how}(round({how}({text} AS DECIMAL(38,12)), 0) AS {wanted})"
    return _guarded(value, target, how, {_INTEGER: f"{how}({text} AS {wanted})", _NUMBER: rounded})


def _text_float(value: str, _: Kind, target: Kind, how: str) -> str:
    read = f"{how}({_trimmed(value)} AS {spark_type(target)})"
    return _guarded(value, target, how, {_NUMBER: read, _SPECIAL: read})


def _text_decimal(value: str, _: Kind, target: Kind, how: str) -> str:
    return _guarded(value, target, how, {_NUMBER: f"{how}({_trimmed(value)} AS {spark_type(target)})"})


def _text_boolean(value: str, _: Kind, _target: Kind, how: str) -> str:
    yes, no = "('true', 't', 'yes', 'y', '1')", "('false', 'f', 'no', 'n', '0')"
    other = "NULL" if how == "TRY_CAST" else f"CAST({value} AS BOOLEAN)"
    return f"CASE WHEN lower({value}) IN {yes} THEN true WHEN lower({value}) IN {no} THEN false ELSE {other} END"


def _text_date(value: str, _: Kind, target: Kind, how: str) -> str:
    day = f"{how}(replace({_trimmed(value)}, '/', '-') AS DATE)"
    moment = f"{how}(substring_index(substring_index(replace({_trimmed(value)}, '/', '-'), ' ', 1), 'T', 1) AS DATE)"
    return _guarded(value, target, how, {f"^{_DAY}$": day, f"^{_DAY}[ T]{_CLOCK}$": moment})


def _text_moment(value: str, _: Kind, target: Kind, how: str) -> str:
    read = f"{how}(replace({_trimmed(value)}, '/', '-') AS {spark_type(target)})"
    return _guarded(value, target, how, {f"^{_DAY}([ T]{_CLOCK})?$": read})


def _text_tz(value: str, _: Kind, target: Kind, how: str) -> str:
    read = f"{how}(replace({_trimmed(value)}, '/', '-') AS {spark_type(target)})"
    return _guarded(value, target, how, {f"^{_DAY}([ T]{_CLOCK}{_ZONE})?$": read})


def _tz_text(value: str, _: Kind, _target: Kind, _how: str) -> str:
    return f"concat(CAST({value} AS STRING), '+00')"


def _list(value: str, source: Kind, target: Kind, how: str) -> str:
    return f"transform({value}, e -> {cast_sql('e', source.element, target.element, how)})"


def _struct(value: str, source: Kind, target: Kind, how: str) -> str:
    """Fields by their place: between structs, only names and types change."""
    if len(source.parts) != len(target.parts) or [n for n, _ in source.parts] != [n for n, _ in target.parts]:
        raise refuse(f"a cast from {source} to {target}", word="cast")
    fields = ", ".join(
        f"{text_sql(name)}, {cast_sql(field_sql(value, name), part, wanted, how)}"
        for (name, part), (_, wanted) in zip(source.parts, target.parts, strict=True)
    )
    return f"CASE WHEN {value} IS NULL THEN NULL ELSE named_struct({fields}) END"


_CASTS: Mapping[tuple[str, str], Cast] = {
    **dict.fromkeys([("whole", "whole"), ("whole", "decimal"), ("whole", "float"), ("whole", "varchar"),
                     ("whole", "boolean"), ("boolean", "whole"), ("boolean", "float"), ("boolean", "varchar"),
                     ("boolean", "decimal"), ("decimal", "decimal"), ("decimal", "float"), ("decimal", "varchar"),
                     ("float", "float"), ("date", "moment"), ("date", "tz"), ("moment", "date"), ("tz", "date"),
                     ("moment", "tz"), ("tz", "moment"), ("date", "varchar"), ("moment", "varchar")], _plain),
    ("decimal", "whole"): _decimal_whole,
    ("float", "whole"): _float_whole,
    ("float", "decimal"): _float_decimal,
    ("varchar", "whole"): _text_whole,
    ("varchar", "float"): _text_float,
    ("varchar", "decimal"): _text_decimal,
    ("varchar", "boolean"): _text_boolean,
    ("varchar", "date"): _text_date,
    ("varchar", "moment"): _text_moment,
    ("varchar", "tz"): _text_tz,
    ("tz", "varchar"): _tz_text,
    ("list", "list"): _list,
    ("struct", "struct"): _struct,
}  # fmt: skip
_NEAR: Mapping[tuple[str, str], str] = {
    ("float", "varchar"): "Write a number's digits: value::DECIMAL(18, 3)::VARCHAR",
    ("varchar", "json"): "Keep it as text, or use to_json",
}


def castable() -> list[tuple[str, str]]:
    """The families of types between which there is a cast: for the documentation."""
    return sorted(_CASTS)
