"""The functions that are known to agree, each with what it is on Spark. What isn't here is refused.

`{0}`, `{1}`, … stand for the arguments, `{kind}` for Spark's name of the type that is returned. An entry may be for
some types of its first argument only, and say what to beware of.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from backbone.engine.spark import kinds
from backbone.engine.spark.arguments import Call
from backbone.engine.spark.dates import DATES
from backbone.engine.spark.kinds import spark_type, text_sql
from backbone.engine.spark.lists import LISTS
from backbone.engine.spark.patterns import java_pattern, java_replacement
from backbone.engine.spark.structures import STRUCTURES

Made = str | Callable[[Call], str]


@dataclass(frozen=True, slots=True)
class Known:
    """What a function is on Spark. `but` says where the two engines part, if they do anywhere."""

    made: Made
    but: str = ""


def _arithmetic(operator: str) -> Callable[[Call], str]:
    def made(call: Call) -> str:
        if len(call.args) == 1:
            return f"(-{call.args[0].sql})" if operator == "-" else call.args[0].sql
        left, right = (arg.sql for arg in call.args)
        value = f"({left} {operator} {right})"
        exact = call.kind.name == "DECIMAL" or call.kind.name in kinds.HUGE
        return f"CAST({value} AS {spark_type(call.kind)})" if exact else value

    return made


def _divided(call: Call) -> str:
    left, right = (arg.sql for arg in call.args)
    return f"CASE WHEN {right} = 0 THEN {left} * pow({right}, -1) ELSE {left} / {right} END"


def _whole_division(call: Call) -> str:
    left, right = (arg.sql for arg in call.args)
    if call.kind.name in kinds.FLOATS:
        return f"({left} / nullif({right}, 0))"
    return f"CAST({left} div nullif({right}, 0) AS {spark_type(call.kind)})"


def _modulo(call: Call) -> str:
    left, right = (arg.sql for arg in call.args)
    if call.kind.name in kinds.FLOATS:
        nan = f"CAST('NaN' AS {spark_type(call.kind)})"
        return f"CASE WHEN {right} = 0 AND {left} IS NOT NULL THEN {nan} ELSE {left} % nullif({right}, 0) END"
    value = f"CAST({left} % nullif({right}, 0) AS {spark_type(call.kind)})"
    bits = _BITS.get(call.kind.name)
    if bits is None or (call.args[1].is_constant and right != f"CAST('-1' AS {spark_type(call.kind)})"):
        return value
    # The least number by -1 overflows in DuckDB, as its quotient does.
    least = f"CAST('-{2 ** (bits - 1)}' AS {spark_type(call.kind)})"
    failed = f"CAST(raise_error('Overflow in division') AS {spark_type(call.kind)})"
    return f"CASE WHEN {right} = -1 AND {left} = {least} THEN {failed} ELSE {value} END"


_BITS = {"TINYINT": 8, "SMALLINT": 16, "INTEGER": 32, "BIGINT": 64}


def _ceil_floor(name: str) -> Callable[[Call], str]:
    def made(call: Call) -> str:
        value = call.args[0].sql
        if call.kind.name in kinds.FLOATS:  # Spark's is a BIGINT, which cuts off what is larger
            large = f"abs({value}) >= 4503599627370496D OR isnan({value})"
            made = f"CAST({name}({value}) AS {spark_type(call.kind)})"
            return f"CASE WHEN {large} THEN {value} WHEN {value} < 0 THEN -abs({made}) ELSE {made} END"  # -0.0 too
        return f"CAST({name}({value}) AS {spark_type(call.kind)})"

    return made


def _round(call: Call) -> str:
    value, digits = call.args[0].sql, int(call.args[1].constant) if len(call.args) > 1 else 0
    if call.kind.name not in kinds.FLOATS:
        if digits < 0:
            raise call.refuse("round of an exact number to tens", "Divide, round, multiply")
        return f"CAST(round({value}, {digits}) AS {spark_type(call.kind)})"
    unit = f"1e{abs(digits)}D"
    there, back = ("*", "/") if digits >= 0 else ("/", "*")
    rounded = f"round({value} {there} {unit}, 0) {back} {unit}" if digits else f"round({value}, 0)"
    finite = f"abs({value}) < CAST('Infinity' AS DOUBLE)"
    made = f"CAST({rounded} AS {spark_type(call.kind)})"
    return f"CASE WHEN NOT {finite} THEN {value} WHEN {value} < 0 THEN -abs({made}) ELSE {made} END"  # -0.0 too


def _checked(made: str, bad: str, says: str) -> str:
    """A function that DuckDB refuses some arguments of, where Spark gives NULL or NaN."""
    return f"CASE WHEN {bad} THEN CAST(raise_error({text_sql(says)}) AS DOUBLE) ELSE {made} END"


def _left_right(name: str) -> Callable[[Call], str]:
    def made(call: Call) -> str:
        text, most = call.args[0].sql, call.args[1].sql
        return f"{name}({text}, CAST(CASE WHEN {most} < 0 THEN greatest(length({text}) + {most}, 0) ELSE {most} END AS INT))"

    return made


def _substring(call: Call) -> str:
    text, start = call.args[0].sql, call.args[1].constant
    if start < 1 or (len(call.args) > 2 and call.args[2].is_constant and call.args[2].constant < 0):
        raise call.refuse("substring from a place before the first character", "Use left or right")
    length = f", CAST({call.args[2].sql} AS INT)" if len(call.args) > 2 else ""
    if length and not call.args[2].is_constant:
        length = f", CAST(greatest({call.args[2].sql}, 0) AS INT)"
    return f"substring({text}, CAST({start} AS INT){length})"


def _length(call: Call) -> str:
    function = "size" if call.args[0].kind.name in {"LIST", "MAP"} else "length"
    return f"CAST({function}({call.args[0].sql}) AS BIGINT)"


def _concatenated(call: Call) -> str:
    if any(arg.kind.name != "VARCHAR" for arg in call.args):
        raise call.refuse(near="Cast its arguments to VARCHAR")
    return f"concat_ws('', {', '.join(arg.sql for arg in call.args)})"


def _joined_texts(call: Call) -> str:
    left, right = call.args
    if left.kind.name not in {"VARCHAR", "LIST"} or right.kind.name != left.kind.name:
        raise call.refuse()
    return f"concat({left.sql}, {right.sql})"


def _like(operator: str) -> Callable[[Call], str]:
    def made(call: Call) -> str:
        text, pattern = call.args[0].sql, call.args[1]
        # DuckDB's LIKE has no escape character where none is named.
        plain = text_sql(str(pattern.constant).replace("\\", "\\\\"))
        return f"({text} {operator} {plain})"

    return made


def _like_escape(operator: str) -> Callable[[Call], str]:
    def made(call: Call) -> str:
        escape = str(call.args[2].constant)
        pattern = str(call.args[1].constant).replace("\\", "\\\\") if escape != "\\" else str(call.args[1].constant)
        if len(escape) != 1 or (escape != "\\" and "\\" in pattern):
            raise call.refuse("LIKE with this escape")
        return f"({call.args[0].sql} {operator} {text_sql(pattern)} ESCAPE {text_sql(escape)})"

    return made


def _matches(whole: bool) -> Callable[[Call], str]:
    def made(call: Call) -> str:
        options = str(call.args[2].constant) if len(call.args) > 2 else ""
        pattern = str(call.args[1].constant)
        java = java_pattern(pattern, options)
        flags, rest = java[: java.index(")") + 1], java[java.index(")") + 1 :]
        wanted = rf"{flags}\A(?:{rest})\z" if whole else java
        return f"({call.args[0].sql} RLIKE {text_sql(wanted)})"

    return made


def _extract(call: Call) -> str:
    group = int(call.args[2].constant) if len(call.args) > 2 else 0
    return f"regexp_extract({call.args[0].sql}, {text_sql(java_pattern(str(call.args[1].constant)))}, {group})"


def _replaced(call: Call) -> str:
    options = str(call.args[3].constant) if len(call.args) > 3 else ""
    if "g" not in options:
        raise call.refuse("regexp_replace of the first match alone", "Replace all: regexp_replace(…, 'g')")
    pattern = text_sql(java_pattern(str(call.args[1].constant), options))
    return f"regexp_replace({call.args[0].sql}, {pattern}, {text_sql(java_replacement(str(call.args[2].constant)))})"


def _split(call: Call) -> str:
    separator = str(call.args[1].constant)
    if not separator or "\\E" in separator:
        raise call.refuse("splitting a text into its characters")
    quoted = rf"\Q{separator}\E"
    return f"split({call.args[0].sql}, {text_sql(quoted)})"


def _padded(name: str) -> Callable[[Call], str]:
    def made(call: Call) -> str:
        if not call.args[2].constant:
            raise call.refuse("padding with nothing")
        return f"{name}({call.args[0].sql}, CAST({call.args[1].sql} AS INT), {call.args[2].sql})"

    return made


def _hash(call: Call) -> str:
    if call.strict:
        raise call.refuse(near="Use md5")
    # NULLs are told too: xxhash64 leaves them out, and (1, NULL) would equal (NULL, 1).
    told = ", ".join(f"{arg.sql}, isnull({arg.sql})" for arg in call.args)
    return f"xxhash64({told})"


def _random(call: Call) -> str:
    if call.strict:
        raise call.refuse()
    return "rand()"


_CAPITALS = "letters whose capital is several letters (ŉ, ﬁ) are not capitalised alike"
_TEXT: Mapping[str, Known] = {
    **dict.fromkeys(["lower", "lcase"], Known("lower({0})", "İ")),
    **dict.fromkeys(
        ["upper", "ucase"], Known("replace(upper(replace({0}, 'ß', '\\u0001')), '\\u0001', 'ẞ')", _CAPITALS)
    ),
    **dict.fromkeys(["length", "len", "char_length", "character_length"], Known(_length)),
    "strlen": Known("CAST(octet_length({0}) AS BIGINT)"),
    "||": Known(_joined_texts),
    "concat": Known(_concatenated, "its arguments are texts"),
    **dict.fromkeys(["substring", "substr"], Known(_substring, "from a constant place, from 1 on")),
    "left": Known(_left_right("left")),
    "right": Known(_left_right("right")),
    "replace": Known("replace({0}, {1}, {2})"),
    "reverse": Known("reverse({0})", "letters made of several code points are not kept together"),
    **dict.fromkeys(["contains"], Known("contains({0}, {1})")),
    **dict.fromkeys(["starts_with", "prefix", "^@"], Known("startswith({0}, {1})")),
    **dict.fromkeys(["ends_with", "suffix"], Known("endswith({0}, {1})")),
    **dict.fromkeys(["instr", "strpos", "position"], Known("CAST(instr({0}, {1}) AS BIGINT)")),
    "translate": Known("translate({0}, {1}, {2})"),
    "repeat": Known("repeat({0}, CAST({1} AS INT))"),
    "lpad": Known(_padded("lpad")),
    "rpad": Known(_padded("rpad")),
    **dict.fromkeys(["split", "string_split", "str_split", "string_to_array"], Known(_split, "at a constant text")),
    "md5": Known("md5({0})"),
    "sha256": Known("sha2({0}, 256)"),
    "~~": Known(_like("LIKE"), "with a constant pattern"),
    "!~~": Known(_like("NOT LIKE"), "with a constant pattern"),
    "~~*": Known(_like("ILIKE"), "with a constant pattern"),
    "!~~*": Known(_like("NOT ILIKE"), "with a constant pattern"),
    "like_escape": Known(_like_escape("LIKE"), "with a constant pattern"),
    "not_like_escape": Known(_like_escape("NOT LIKE"), "with a constant pattern"),
    "regexp_matches": Known(_matches(whole=False), "with a constant pattern"),
    "regexp_full_match": Known(_matches(whole=True), "with a constant pattern"),
    "regexp_extract": Known(_extract, "with a constant pattern"),
    "regexp_replace": Known(_replaced, "with a constant pattern and the option 'g'"),
}


def _trim(side: str) -> Known:
    def made(call: Call) -> str:
        characters = call.args[1].sql if len(call.args) > 1 else "' '"
        return f"trim({side} {characters} FROM {call.args[0].sql})"

    return Known(made)


_NUMBERS: Mapping[str, Known] = {
    "+": Known(_arithmetic("+")),
    "-": Known(_arithmetic("-")),
    "*": Known(_arithmetic("*")),
    "/": Known(_divided),
    "//": Known(_whole_division),
    "%": Known(_modulo),
    "mod": Known(_modulo),
    "abs": Known("abs({0})"),
    "@": Known("abs({0})"),
    **dict.fromkeys(["ceil", "ceiling"], Known(_ceil_floor("ceil"))),
    "floor": Known(_ceil_floor("floor")),
    "round": Known(_round, "to a constant number of digits"),
    "sign": Known(
        "CASE WHEN {0} IS NULL THEN NULL WHEN isnan(CAST({0} AS DOUBLE)) THEN CAST(0 AS TINYINT) "
        "ELSE CAST(sign({0}) AS TINYINT) END"
    ),
    "sqrt": Known(lambda c: _checked(f"sqrt({c.args[0].sql})", f"{c.args[0].sql} < 0", "square root of a negative number")),
    "ln": Known(lambda c: _checked(f"ln({c.args[0].sql})", f"{c.args[0].sql} <= 0", "logarithm of 0 or less"), "to the last digit but one"),
    **dict.fromkeys(
        ["log", "log10"],
        Known(lambda c: _checked(f"log10({c.args[0].sql})", f"{c.args[0].sql} <= 0", "logarithm of 0 or less"), "to the last digit but one"),
    ),
    "log2": Known(lambda c: _checked(f"log2({c.args[0].sql})", f"{c.args[0].sql} <= 0", "logarithm of 0 or less"), "to the last digit but one"),
    "exp": Known("exp({0})", "to the last digit but one"),
    **dict.fromkeys(["pow", "power", "**", "^"], Known("pow({0}, {1})", "to the last digit but one")),
    "pi": Known("pi()"),
    "isnan": Known("CASE WHEN {0} IS NOT NULL THEN isnan({0}) END"),
    "isinf": Known("(abs({0}) = CAST('Infinity' AS DOUBLE))"),
    "isfinite": Known(lambda c: f"CASE WHEN {c.args[0].sql} IS NOT NULL THEN true END" if c.args[0].kind.name not in kinds.FLOATS
                      else f"(abs({c.args[0].sql}) < CAST('Infinity' AS DOUBLE))"),
    "greatest": Known(lambda c: f"greatest({', '.join(a.sql for a in c.args)})" if len(c.args) > 1 else c.args[0].sql),
    "least": Known(lambda c: f"least({', '.join(a.sql for a in c.args)})" if len(c.args) > 1 else c.args[0].sql),
    "&": Known("({0} & {1})"),
    "|": Known("({0} | {1})"),
    "xor": Known("({0} ^ {1})"),
    "bit_count": Known("CAST(bit_count({0}) AS {kind})"),
}  # fmt: skip
_OTHERS: Mapping[str, Known] = {
    "constant_or_null": Known(
        lambda c: f"CASE WHEN {' OR '.join(f'{a.sql} IS NULL' for a in c.args[1:])} THEN NULL ELSE {c.args[0].sql} END"
    ),
    "error": Known("CAST(raise_error({0}) AS {kind})"),
    "hash": Known(_hash),
    "random": Known(_random),
}
FUNCTIONS: Mapping[str, Known] = {
    **_TEXT,
    "trim": _trim("BOTH"),
    "ltrim": _trim("LEADING"),
    "rtrim": _trim("TRAILING"),
    **_NUMBERS,
    **_OTHERS,
    **{name: Known(*entry) for name, entry in {**DATES, **LISTS, **STRUCTURES}.items()},
}
INTERNAL = frozenset({"hash", "random"})
"""What Backbone's own queries may use, and people's may not: it needn't agree, only do."""
NEAR: Mapping[str, str] = {
    "regexp_extract_all": "Use regexp_extract",
    "format": "Use ||",
    "printf": "Use ||",
    "concat_ws": "Use ||, with coalesce for what may be NULL",
    "age": "Use date_diff",
    "date_sub": "Use date_diff",
    "list_distinct": "Use list_sort(list_distinct(…)), or unnest and SELECT DISTINCT",
}


def function_sql(call: Call) -> str:
    """A call as Spark's SQL.

    Raises:
        NotOnSparkError: the function isn't known to agree, or not with these arguments.
    """
    if call.name in {"+", "-"} and any(a.kind.name == "DATE" or a.kind.name in kinds.MOMENTS for a in call.args):
        return DATES["+ and - of moments"][0](call)  # type: ignore[operator]  # a function
    known = FUNCTIONS.get(call.name)
    if known is None:
        raise call.refuse(near=NEAR.get(call.name, ""))
    if callable(known.made):
        return known.made(call)
    return known.made.format(*(arg.sql for arg in call.args), kind=spark_type(call.kind))
