"""Semantic types as SQL: what an e-mail address, an IBAN or an ISBN is, checksums included.

Each is a condition on a text that is TRUE or FALSE, built of functions over single values alone.
"""

from collections.abc import Callable, Mapping

from backbone.model.names import literal

_COUNTRIES = (
    "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ "
    "CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR "
    "GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO "
    "JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR "
    "MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO "
    "RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV "
    "TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW"
)
"""ISO 3166-1 alpha-2."""
_LABEL = "[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_EMAIL = rf"[A-Za-z0-9.!#$%&'*+/=?^_`{{|}}~-]+@{_LABEL}(\.{_LABEL})+"
"""As in WHATWG's HTML, with a dot in the domain: what a form of a web page takes."""
_OCTET = r"(25[0-5]|2[0-4]\d|1?\d?\d)"
_IBAN_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def kind_condition(kind: str, text: str) -> str:
    """SQL that says whether a text is of a kind (one of `KINDS`)."""
    return f"({KINDS[kind](text)})"


def _fits(pattern: str) -> Callable[[str], str]:
    return lambda text: f"regexp_full_match({text}, {literal(pattern)})"


def _iban(text: str) -> str:
    """ISO 13616: country, two check digits, up to 30 characters; the number made of it leaves 1 when divided by 97."""
    plain = f"upper(replace({text}, ' ', ''))"
    digits = f"(substr({plain}, 5) || substr({plain}, 1, 4))"
    for number, letter in enumerate(_IBAN_LETTERS, 10):
        digits = f"replace({digits}, '{letter}', '{number}')"
    rest = "''"
    # Fifteen digits and a remainder of two fit into 64 bits.
    for start in range(1, 76, 15):
        chunk = f"substr({digits}, {start}, 15)"
        rest = f"CAST(TRY_CAST(concat({rest}, {chunk}) AS BIGINT) % 97 AS VARCHAR)"
    shape = f"regexp_full_match({plain}, '[A-Z]{{2}}[0-9]{{2}}[A-Z0-9]{{11,30}}')"
    return f"{shape} AND coalesce({rest}, '') = '1'"


def _weighted(digits: str, weights: list[int], modulus: int) -> str:
    terms = (f"{w} * TRY_CAST(substr({digits}, {n}, 1) AS INTEGER)" for n, w in enumerate(weights, 1))
    return f"coalesce(({' + '.join(terms)}) % {modulus} = 0, false)"


def _ean(text: str) -> str:
    """GS1: the digits, weighted 1 and 3 by turns, come to a multiple of ten."""
    digits = f"lpad({text}, 13, '0')"
    return f"regexp_full_match({text}, '[0-9]{{8}}|[0-9]{{12,13}}') AND {_weighted(digits, [1, 3] * 6 + [1], 10)}"


def _isbn(text: str) -> str:
    """Ten digits weighted 10 to 1, a multiple of eleven (X is ten), or an EAN that begins with 978 or 979."""
    plain = f"upper(replace(replace({text}, '-', ''), ' ', ''))"
    nine = " + ".join(f"{11 - n} * TRY_CAST(substr({plain}, {n}, 1) AS INTEGER)" for n in range(1, 10))
    last = f"CASE WHEN substr({plain}, 10, 1) = 'X' THEN 10 ELSE TRY_CAST(substr({plain}, 10, 1) AS INTEGER) END"
    ten = f"(regexp_full_match({plain}, '[0-9]{{9}}[0-9X]') AND coalesce(({nine} + {last}) % 11 = 0, false))"
    return f"{ten} OR (regexp_full_match({plain}, '97[89][0-9]{{10}}') AND {_ean(plain)})"


def _card(text: str) -> str:
    """Luhn's algorithm (ISO/IEC 7812), for 12 to 19 digits."""
    plain = f"replace(replace({text}, '-', ''), ' ', '')"
    digits = f"lpad({plain}, 20, '0')"
    each = (f"TRY_CAST(substr({digits}, {n}, 1) AS INTEGER)" for n in range(1, 21))
    terms = (d if n % 2 else f"{d} * 2 - CASE WHEN {d} > 4 THEN 9 ELSE 0 END" for n, d in enumerate(each))
    return f"regexp_full_match({plain}, '[0-9]{{12,19}}') AND coalesce(({' + '.join(terms)}) % 10 = 0, false)"


def _phone(text: str) -> str:
    """Seven to fifteen digits (E.164), with what people put between them."""
    digits = f"len(regexp_replace({text}, '[^0-9]', '', 'g'))"
    return rf"regexp_full_match({text}, '\+?[0-9(][0-9 ()./-]*[0-9]') AND {digits} BETWEEN 7 AND 15"


def _within(limit: int) -> Callable[[str], str]:
    return lambda text: f"coalesce(abs(TRY_CAST({text} AS DOUBLE)) <= {limit}, false)"


def _cast_to(domain: str) -> Callable[[str], str]:
    return lambda text: f"TRY_CAST({text} AS {domain}) IS NOT NULL"


def _country(text: str) -> str:
    return f"{text} IN ({', '.join(literal(code) for code in _COUNTRIES.split())})"


KINDS: Mapping[str, Callable[[str], str]] = {
    "email": _fits(_EMAIL),
    "url": _fits(rf"(?i)(https?|ftp)://([^\s/?#@]+@)?({_LABEL}(\.{_LABEL})*|\[[0-9a-f:.]+\])(:\d{{1,5}})?([/?#]\S*)?"),
    "phone": _phone,
    "country": _country,
    "iban": _iban,
    "bic": _fits("[A-Z]{6}[A-Z0-9]{2}([A-Z0-9]{3})?"),
    "card": _card,
    "ean": _ean,
    "isbn": _isbn,
    "uuid": _fits("(?i)[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}"),
    "ipv4": _fits(rf"{_OCTET}(\.{_OCTET}){{3}}"),
    "latitude": _within(90),
    "longitude": _within(180),
    "date": _cast_to("DATE"),
    "timestamp": _cast_to("TIMESTAMP"),
}
"""What `is_a` can say of a value: each makes SQL about a text."""
