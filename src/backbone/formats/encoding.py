"""Which encoding a text file has, and its copy in UTF-8, the only one that engines read."""

import codecs
import re
from pathlib import Path

CHUNK_BYTES = 1 << 20
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),  # after UTF-32's, which begins with it
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_UNDEFINED_IN_1252 = b"\x81\x8d\x8f\x90\x9d"
_NUL_SHARE = 0.2
_MIXED = 2
_LETTERS = frozenset("áéíóúàèìòùâêîôûäëïöüñçãõåæøßğışçÁÉÍÓÚÀÈÂÊÎÔÄÖÜÑÇÅÆØ")
_AROUND = re.compile(rb"([A-Za-z\x80-\xff]?)([\x80-\xff])(?=([A-Za-z\x80-\xff]?))")
_LATER_BYTE, _FIRST_OF_TWO, _FIRST_OF_THREE, _FIRST_OF_FOUR = 0x80, 0xC0, 0xE0, 0xF0

_BROKEN = "backbone.broken"
codecs.register_error(_BROKEN, lambda error: ("\udcff", getattr(error, "end", 0)))


def detect_encoding(path: Path) -> str:
    """The encoding of a text file, judged by all of its bytes.

    A byte-order mark decides. Else it is UTF-8 if its bytes are, or if it has well-formed sequences as well as broken
    ones, which no other encoding has by chance (the records with the broken ones are set aside later). Else UTF-16
    where every other byte is zero, as Western text has it, and windows-1252, or latin-1 where a byte means nothing in
    windows-1252; Mac Roman where that makes better words.
    """
    with path.open("rb") as file:
        head = file.read(CHUNK_BYTES)
        for bom, encoding in _BOMS:
            if head.startswith(bom):
                return encoding
        if wide := _utf_16_by_zeros(head):
            return wide
        file.seek(0)
        good, broken, undefined, sample = 0, 0, False, b""
        while chunk := file.read(CHUNK_BYTES):
            chunk += file.read(_cut_sequence(chunk))
            if chunk.isascii():
                continue
            new_good, new_broken = _count_sequences(chunk)
            good, broken = good + new_good, broken + new_broken
            sample = chunk if new_broken and len(sample) < CHUNK_BYTES else sample
            undefined = undefined or any(byte in chunk for byte in _UNDEFINED_IN_1252)
    if good * _MIXED >= broken:
        return "utf-8"
    if _words("mac_roman", sample) > _words("windows-1252", sample):
        return "mac_roman"
    return "latin-1" if undefined else "windows-1252"


def transcoded(path: Path, encoding: str, scratch: Path) -> Path:
    """The file itself if it is UTF-8, else a copy in `scratch` that is; line ends stay as they are.

    Where bytes are no character of the encoding, the copy is no UTF-8 either, so that the record is set aside.
    """
    if codecs.lookup(encoding).name == "utf-8":
        return path
    scratch.mkdir(parents=True, exist_ok=True)
    target = scratch / f"{path.name}.utf8"
    with (
        path.open(encoding=encoding, errors=_BROKEN, newline="") as source,
        target.open("w", encoding="utf-8", errors="surrogateescape", newline="") as copy,
    ):
        while text := source.read(CHUNK_BYTES):
            copy.write(text)
    return target


def sample_text(path: Path, encoding: str, limit: int) -> tuple[str, bool]:
    """The beginning of a file as text, cut at the end of a line, and whether that is all of it."""
    with path.open(encoding=_without_mark(encoding), errors="replace", newline="") as file:
        text = file.read(limit)
        complete = not file.read(1)
    if complete:
        return text, True
    cut = max(text.rfind("\n"), text.rfind("\r"))
    return (text[: cut + 1] if cut > 0 else text), False


def tail_text(path: Path, encoding: str, limit: int) -> str:
    """The end of a file as text, from the beginning of a line; nothing where bytes can't be told apart (UTF-16)."""
    if codecs.lookup(encoding).name.startswith(("utf-16", "utf-32")):
        return ""
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - limit))
        text = file.read().decode(_without_mark(encoding), errors="replace")
    return text if size <= limit else text.partition("\n")[2]


def _without_mark(encoding: str) -> str:
    return "utf-8-sig" if codecs.lookup(encoding).name == "utf-8" else encoding


def _words(encoding: str, sample: bytes) -> float:
    """How many characters beyond ASCII are letters or quotes as words have them, less those that aren't."""
    total = 0.0
    for before, one, after in set(_AROUND.findall(sample)):
        if not before and not after:
            continue
        left, character, right = (part.decode(encoding, errors="replace") for part in (before, one, after))
        if character.isalpha():
            usual = character in _LETTERS
            odd = (character.isupper() and left.islower()) or (character.islower() and not left and right.isupper())
            total += -1 if odd else 1 if usual else 0.5
        elif character in "\u2018\u2019\u201c\u201d":
            total += 1 if character == "\u2019" or not (left and right) else -1
        else:
            total -= 1 if left.isalpha() and right.isalpha() else 0
    return total


def _utf_16_by_zeros(head: bytes) -> str | None:
    half = len(head) // 2
    if not half:
        return None
    if head[1::2].count(0) > half * _NUL_SHARE and not head[0::2].count(0):
        return "utf-16-le"
    if head[0::2].count(0) > half * _NUL_SHARE and not head[1::2].count(0):
        return "utf-16-be"
    return None


def _cut_sequence(chunk: bytes) -> int:
    """How many more bytes complete the UTF-8 sequence that the end of a chunk may cut."""
    for back in range(1, min(4, len(chunk)) + 1):
        byte = chunk[-back]
        if byte >= _FIRST_OF_TWO:
            return max(0, (2 if byte < _FIRST_OF_THREE else 3 if byte < _FIRST_OF_FOUR else 4) - back)
        if byte < _LATER_BYTE:
            return 0
    return 0


def _count_sequences(chunk: bytes) -> tuple[int, int]:
    """How many characters beyond ASCII are well-formed UTF-8 (at least), and how many bytes are not."""
    try:
        return (len(chunk) - len(chunk.decode())) // 3 + 1, 0
    except UnicodeDecodeError:
        text = chunk.decode("utf-8", errors="surrogateescape")
    broken = sum(1 for character in text if "\udc80" <= character <= "\udcff")
    return sum(1 for character in text if character > "\x7f") - broken, broken
