"""The hostile corpus: odd files, each made by a function that says what is odd about it, always the same bytes.

`python tests/hostile/corpus.py FOLDER` writes all of it (the huge ones with `--huge`). What Backbone must make of each
is in `expected.toml`, beside this file.
"""

import io
import os
import random
import struct
import sys
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

MADE: dict[str, Callable[[Path], Path]] = {}
"""What makes each file: it is given a folder of its own and returns the file to add."""
HUGE: dict[str, Callable[[Path], Path]] = {}
"""The same for files of gigabytes."""
Maker = Callable[[Path], Path]
_EPOCH = (2020, 1, 1, 0, 0, 0)


def odd(name: str, content: bytes | str, file: str | bytes = "odd.csv") -> None:
    """A file that is told by its bytes."""

    def make(folder: Path) -> Path:
        path = folder / os.fsdecode(file)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    MADE[name] = make


def made(maker: Maker) -> Maker:
    """A file that takes a function to make."""
    MADE[maker.__name__] = maker
    return maker


def huge(maker: Maker) -> Maker:
    """A file of gigabytes."""
    HUGE[maker.__name__] = maker
    return maker


# Nothing, or hardly anything
odd("empty_file", b"")
odd("blank_lines_only", "\n\n\n")
odd("zero_rows", "a,b\n")
odd("header_without_line_end", "a,b")
odd("one_column", "a\n1\n2\n")
odd("one_value", "7")
odd("header_repeated", "a,b\n1,2\na,b\n3,4\na,b\n5,6\n")
odd("byte_order_mark_only", b"\xef\xbb\xbf")

# Much of something
odd("columns_300", ",".join(f"c{i}" for i in range(300)) + "\n" + (",".join(["1"] * 300) + "\n") * 3)
odd("columns_5000", ",".join(f"c{i}" for i in range(5000)) + "\n" + (",".join(["1"] * 5000) + "\n") * 3)
odd("columns_without_end", "x," * 100_000)
odd("cell_of_1_mb", "a,b\n1," + "x" * (1 << 20) + "\n2,y\n")
odd("cell_of_20_mb", "a,b\n1," + "x" * (20 << 20) + "\n2,y\n")
odd("header_of_1_mb", "a," + "x" * (1 << 20) + "\n1,2\n")
odd("quoted_lines", 'a,b\n1,"x\ny\n\nz"\n2,"say ""hi"""\n')
odd("blank_after_commas", "a, b, c\n1, 2, x\n2, 3, y\n")
odd("quote_never_closed", 'a,b\n1,"x\n2,y\n3,z\n')
odd("rows_of_all_lengths", "a,b,c\n1,2,3\n1,2\n1,2,3,4\n\n1,2,3\n")

# No text at all
odd("binary", random.Random(7).randbytes(5000))
odd("zeros", bytes(4096))
odd("nul_in_a_value", b"a,b\n1,x\0y\n2,z\n")
odd("nul_in_the_header", b"a,b\0c\n1,2\n")
odd("png", b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4)
odd("elf", b"\x7fELF\x02\x01\x01" + bytes(200))
odd("gzip_called_csv", b"\x1f\x8b\x08\x00" + bytes(30))
odd("control_characters", b"a,b\n1,\x1b[2J\x1b[31mred\x07\n2,\x08\x7f\n")

# Names of columns
odd("headers_with_blanks", " a b ,  c\td \n1,2\n")
odd("headers_with_quotes", '"a""b",\'c\',"d\n"\n1,2,3\n')
odd("headers_emoji", "😀,café,数\n1,2,3\n")
odd("headers_reserved", "any,order,select,from,group,all,user\n1,2,3,4,5,6,7\n")
odd("headers_equal_up_to_case", "Id,ID,id,iD\n1,2,3,4\n")
odd("headers_equal", "a,a,a\n1,2,3\n")
odd("headers_empty", ",,\n1,2,3\n")
odd("headers_of_the_system", "_file,_record,_item,_valid_from\n1,2,3,4\n")
odd("headers_sql", '"a""; DROP TABLE x; --","1); SELECT ("\n1,2\n')
odd("headers_right_to_left", "\u202eabc,\u200bzero\u200b,\u05d0\u05d1\n1,2,3\n")
odd("headers_like_made_names", "column_2,,column_3,a,a_2,a\n1,2,3,4,5,6\n")
odd("headers_long", "x" * 300 + "," + "x" * 299 + "y\n1,2\n")
odd("headers_numbers", "2013,2014,1e5\n1,2,3\n")
odd("headers_only_signs", "!!,??,--\n1,2,3\n")

# Encodings
odd("utf_8_mark", b"\xef\xbb\xbfa,b\n1,\xc3\xa9\n")
odd("utf_8_mark_in_the_middle", "a,b\n1,\ufeffx\n")
odd("utf_16", "a,b\n1,é\n".encode("utf-16"))
odd("utf_16_cut", "a,b\n1,éx\n".encode("utf-16")[:-1])
odd("utf_32", "a,b\n1,é\n".encode("utf-32"))
odd("windows_1252", "a,b\n1,caf\xe9\n2,na\xefve\n".encode("cp1252"))
odd("utf_8_broken_once", "".join(f"{i},caf\xe9\n" for i in range(40)).encode() + b"41,caf\xe9\n")
odd("utf_8_overlong", b"a,b\n" + "1,é\n".encode() * 30 + b"2,\xc0\xaf\n")
odd("utf_8_surrogate", b"a,b\n" + "1,é\n".encode() * 30 + b"2,\xed\xa0\x80\n")
odd("utf_8_cut_at_the_end", "a,b\n1,é\n2,é".encode()[:-1])

# Values
odd("dates_at_the_ends", "d\n0001-01-01\n9999-12-31\n2024-02-29\n2000-02-29\n1999-12-31\n0000-01-01\n")
odd("dates_impossible", "d\n2023-02-29\n2024-02-30\n2024-13-01\n" + "2024-01-01\n" * 60)
odd("dates_infinite", "d\ninfinity\n-infinity\nepoch\n" + "2024-01-01\n" * 60)
odd("floats_at_the_ends", "x\n1e30\n-1e30\n1e308\n5e-324\n0.1\n-0.0\n0\n1.7976931348623157e308\n")
odd("floats_beyond", "x\n1e400\n-1e400\n" + "0.5\n" * 60)
odd("floats_not_finite", "x\nNaN\ninf\n-inf\nInfinity\n" + "0.5\n" * 100)
odd("decimals_of_38_digits", "x\n12345678901234567890123456789012345678\n0.12345678901234567890123456789012345678\n")
odd("integers_beyond_64_bits", "x\n9223372036854775807\n-9223372036854775808\n9223372036854775808\n1\n")
odd("integers_at_the_ends", "x\n" + "1\n" * 60 + "9223372036854775807\n-9223372036854775808\n")
odd("formulas", "a,b\n=cmd|' /C calc'!A0,@SUM(1)\n+1,-1\n")
odd("sql_in_values", "a,b\n'); DROP TABLE x; --,1\n\"' OR '1'='1\",2\n${HOME},3\n{{ 7*7 }},4\n")
odd("null_words", "a,b,c\nnull,NA,None\nNULL,,nan\n1,2,3\n")

# Names of files
odd("name_with_blanks", "a\n1\n", "my sales (1) final.csv")
odd("name_with_quotes", "a\n1\n", 'o\'brien "x".csv')
odd("name_with_line_end", "a\n1\n", "a\nb.csv")
odd("name_with_globs", "a\n1\n", "a[1]*?.csv")
odd("name_emoji", "a\n1\n", "😀.csv")
odd("name_without_ending", "a\n1\n", "sales")
odd("name_of_255_bytes", "a\n1\n", "x" * 251 + ".csv")
odd("name_with_a_dash", "a\n1\n", "-rf.csv")
odd("name_like_an_option", "a\n1\n", "--force.csv")
odd("name_no_utf_8", "a\n1\n", b"caf\xe9.csv")
odd("name_sql", "a\n1\n", "x'); DROP TABLE y; --.csv")
odd("name_with_markup", "a\n1\n", "[red]x[link=http:y].csv")
odd("name_escapes", "a\n1\n", "\x1b[31mred.csv")
odd("name_percent", "a\n1\n", "%2e%2e%2fx.csv")
odd("name_backslash", "a\n1\n", "..\\x.csv")
odd("name_reserved", "a\n1\n", "select.csv")
odd("name_hidden", "a\n1\n", ".hidden.csv")
odd("name_unfinished", "a\n1\n", "sales.part")
odd("name_with_dollar", "a\n1\n", "${HOME}.csv")
odd("name_tilde", "a\n1\n", "~.csv")
odd("name_of_a_system", "a\n1\n", "governance.csv")


@made
def folder_called_csv(folder: Path) -> Path:
    """A folder whose name ends like a file's."""
    (folder / "odd.csv").mkdir()
    return folder / "odd.csv"


@made
def symlink_to_nowhere(folder: Path) -> Path:
    """A link that leads to nothing."""
    (folder / "odd.csv").symlink_to(folder / "gone.csv")
    return folder / "odd.csv"


@made
def symlink_to_itself(folder: Path) -> Path:
    """A link that leads to itself."""
    (folder / "odd.csv").symlink_to("odd.csv")
    return folder / "odd.csv"


@made
def fifo(folder: Path) -> Path:
    """A pipe that nobody writes to: reading it would wait for ever."""
    os.mkfifo(folder / "odd.csv")
    return folder / "odd.csv"


# Archives
def zipped(path: Path, members: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> Path:
    """A zip with these members, always the same bytes."""
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), content, compression)
    return path


def _zip(name: str, members: dict[str, bytes], file: str = "odd.zip") -> None:
    MADE[name] = lambda folder: zipped(folder / file, members)


_zip("zip_of_one", {"a.csv": b"a\n1\n"})
_zip("zip_of_none", {})
_zip("zip_of_several", {"a.csv": b"a\n1\n", "b.csv": b"b\n2\n", "notes/c.csv": b"c\n3\n"})
_zip("zip_upwards", {"../../../../tmp/backbone-hostile-escaped.csv": b"a\n1\n"})
_zip("zip_absolute", {"/tmp/backbone-hostile-escaped.csv": b"a\n1\n"})
_zip("zip_backslashes", {"..\\..\\escaped.csv": b"a\n1\n"})
_zip("zip_dots", {"..": b"a\n1\n"})
_zip("zip_member_sql", {"a'; DROP TABLE x; --.csv": b"a\n1\n"})
_zip("zip_member_globs", {"a[1]*.csv": b"a\n1\n"})
_zip("zip_member_long", {"x" * 300 + ".csv": b"a\n1\n"})
_zip("zip_called_csv", {"a.csv": b"a\n1\n"}, "odd.csv")
_zip("zip_in_zip", {"inner.zip": b"PK\x05\x06" + bytes(18)})
_zip("zip_of_an_office", {"[Content_Types].xml": b"<x/>"}, "odd.xlsx")
odd("zip_cut", b"PK\x03\x04" + bytes(40), "odd.zip")


@made
def zip_symlink(folder: Path) -> Path:
    """A zip whose member is a link to a file of the machine."""
    path = folder / "odd.zip"
    with zipfile.ZipFile(path, "w") as archive:
        info = zipfile.ZipInfo("link.csv", _EPOCH)
        info.create_system, info.external_attr = 3, 0o120777 << 16
        archive.writestr(info, "/etc/passwd")
    return path


@made
def zip_bomb(folder: Path) -> Path:
    """A zip of a kilobyte that says it unpacks to 4 GB."""
    return _lying(zipped(folder / "odd.zip", {"a.csv": b"0" * (1 << 20)}), (4 << 30) - 2)


@made
def zip_bomb_of_zeros(folder: Path) -> Path:
    """A zip of a megabyte that does unpack to 1.1 GB."""
    with zipfile.ZipFile(folder / "odd.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        info = zipfile.ZipInfo("a.csv", _EPOCH)
        info.compress_type = zipfile.ZIP_DEFLATED
        with archive.open(info, "w", force_zip64=True) as member:
            for _ in range(1100):
                member.write(bytes(1 << 20))
    return folder / "odd.zip"


@made
def zip_lying(folder: Path) -> Path:
    """A zip that says its member has 100 bytes, and has a million."""
    return _lying(zipped(folder / "odd.zip", {"a.csv": b"a\n" + b"1\n" * 500_000}), 100)


def _lying(path: Path, size: int) -> Path:
    """Change the unpacked size that a zip of one member tells, in both of its headers."""
    content = bytearray(path.read_bytes())
    central = content.rindex(b"PK\x01\x02")
    told = struct.pack("<I", size)
    content[22:26] = told
    content[central + 24 : central + 28] = told
    path.write_bytes(content)
    return path


@made
def zip_encrypted(folder: Path) -> Path:
    """A zip whose member says that it is encrypted."""
    path = zipped(folder / "odd.zip", {"a.csv": b"a\n1\n"})
    content = bytearray(path.read_bytes())
    central = content.rindex(b"PK\x01\x02")
    content[6] |= 1
    content[central + 8] |= 1
    path.write_bytes(content)
    return path


@made
def zip_twice_the_same(folder: Path) -> Path:
    """A zip with two members of one name."""
    import warnings

    path = folder / "odd.zip"
    with warnings.catch_warnings(), zipfile.ZipFile(path, "w") as archive:
        warnings.simplefilter("ignore")
        for content in (b"a\n1\n", b"a\n2\n"):
            archive.writestr(zipfile.ZipInfo("a.csv", _EPOCH), content)
    return path


@made
def tar(folder: Path) -> Path:
    """A tar with a member that leads out of it."""
    path = folder / "odd.tar"
    with tarfile.open(path, "w") as archive:
        info = tarfile.TarInfo("../../escaped.csv")
        info.size = 4
        archive.addfile(info, io.BytesIO(b"a\n1\n"))
    return path


# JSON
odd("json_array", '[{"a": 1}, {"a": 2}]', "odd.json")
odd("json_empty_array", "[]", "odd.json")
odd("json_no_objects", "[1, 2, 3]", "odd.json")
odd("json_scalar", "42", "odd.json")
odd("json_keys_twice", '[{"a": 1, "a": 2}]', "odd.json")
odd("json_nan", '[{"a": NaN}, {"a": Infinity}]', "odd.json")
odd("json_cut", '[{"a": 1}, {"a": ', "odd.json")
odd("json_deep", '[{"a": ' + "[" * 100_000 + "]" * 100_000 + "}]", "odd.json")
odd("json_deep_objects", '{"a":' * 50_000 + "1" + "}" * 50_000, "odd.json")
odd("json_big_numbers", '[{"a": 123456789012345678901234567890, "b": 1e400, "c": -0.0}]', "odd.json")
odd("json_lone_surrogate", '[{"a": "\\ud800x"}, {"a": "y"}]', "odd.json")
odd("json_nul", '[{"a": "x\\u0000y"}]', "odd.json")
odd("json_keys_odd", '[{"": 1, " ": 2, "a.b": 3, "$.x": 4, "a/b~c": 5, "\\"q\\"": 6, "_file": 7}]', "odd.json")
odd("json_keys_equal_up_to_case", '[{"a": 1, "A": 2}]', "odd.json")
odd("json_lines_mixed", '{"a": 1}\nnot json\n[1]\n{"a": 2}\n\n{"b": 3}\n', "odd.ndjson")
odd("json_nested", '[{"a": {"b": 1}}]', "odd.json")
odd("json_mixed_types", '[{"a": 1}, {"a": "x"}, {"a": true}, {"a": null}, {"a": [1]}]', "odd.json")
odd("json_byte_order_mark", b'\xef\xbb\xbf[{"a": 1}]', "odd.json")
odd("json_comments", '[{"a": 1}, /* no */ {"a": 2}]', "odd.json")


# Parquet
def _parquet(name: str, columns: dict[str, tuple[object, list[object]]], **options: object) -> None:
    """A Parquet file with these columns: an Arrow type by name, and values."""

    def make(folder: Path) -> Path:
        import pyarrow as pa
        import pyarrow.parquet as pq

        arrays = [pa.array(values, type=eval(str(kind), {"pa": pa})) for kind, values in columns.values()]
        table = pa.Table.from_arrays(arrays, names=list(columns))
        pq.write_table(table, folder / "odd.parquet", **options)
        return folder / "odd.parquet"

    MADE[name] = make


_parquet("parquet_plain", {"a": ("pa.int64()", [1, 2])})
_parquet("parquet_no_rows", {"a": ("pa.int64()", [])})
_parquet("parquet_unsigned_64", {"a": ("pa.uint64()", [1, 2**64 - 1]), "b": ("pa.uint8()", [1, 255])})
_parquet("parquet_unsigned_that_fits", {"a": ("pa.uint64()", [1, 2])})
_parquet("parquet_nanoseconds", {"a": ("pa.timestamp('ns')", [1, 1_700_000_000_123_456_789])})
_parquet("parquet_nanoseconds_utc", {"a": ("pa.timestamp('ns', 'UTC')", [1_700_000_000_123_456_000])})
_parquet("parquet_not_finite", {"a": ("pa.float64()", [float("nan"), float("inf"), -0.0, 1.5])})
_parquet("parquet_nested", {"a": ("pa.struct([('b', pa.int64())])", [{"b": 1}])})
_parquet("parquet_lists", {"a": ("pa.list_(pa.int64())", [[1, None], [], None])})
_parquet("parquet_nested_lists", {"a": ("pa.list_(pa.list_(pa.int64()))", [[[1]]])})
_parquet("parquet_maps", {"a": ("pa.map_(pa.string(), pa.int64())", [[("k", 1)]])})
_parquet("parquet_decimal_38", {"a": ("pa.decimal128(38, 10)", [Decimal("1234567890123456789012345678.0123456789")])})
_parquet("parquet_decimal_18", {"a": ("pa.decimal128(18, 2)", [Decimal("1.25")])})
_parquet("parquet_dates", {"a": ("pa.date32()", [-719162, 2932896, 0, 2**31 - 10])})
_parquet("parquet_times", {"a": ("pa.time64('ns')", [0, 86_399_999_999_999])})
_parquet("parquet_durations", {"a": ("pa.duration('us')", [1])})
_parquet("parquet_binary", {"a": ("pa.binary()", [b"\x00\xff", b"a"])})
_parquet("parquet_nulls_only", {"a": ("pa.null()", [None, None])})
_parquet("parquet_half_floats", {"a": ("pa.float16()", [1.5])})
_parquet("parquet_names_odd", {"any": ("pa.int64()", [1]), 'a"b': ("pa.int64()", [2]), "": ("pa.int64()", [3])})
_parquet("parquet_names_equal_up_to_case", {"a": ("pa.int64()", [1]), "A": ("pa.int64()", [2])})
odd("parquet_footer_cut", b"PAR1" + bytes(100), "odd.parquet")
odd("parquet_footer_wrong", b"PAR1" + bytes(100) + struct.pack("<I", 2**31 - 1) + b"PAR1", "odd.parquet")
odd("parquet_encrypted", b"PARE" + bytes(100) + struct.pack("<I", 20) + b"PARE", "odd.parquet")
odd("parquet_by_name_alone", "a,b\n1,2\n", "odd.parquet")


@made
def parquet_file_row_number(folder: Path) -> Path:
    """A Parquet file with columns called as DuckDB calls its own."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"file_row_number": [7, 8], "filename": ["x", "y"]}), folder / "odd.parquet")
    return folder / "odd.parquet"


@huge
def csv_of_2_gb(folder: Path) -> Path:
    """A plain CSV of 2 GB."""
    return _long(folder / "odd.csv", b"id,name,amount,day\n", b"%09d,some name or other,12.50,2024-02-29\n", 2 << 30)


@huge
def csv_of_2_gb_with_bad_rows(folder: Path) -> Path:
    """A CSV of 2 GB in which a row of a thousand is broken."""
    path = _long(folder / "odd.csv", b"id,name,amount,day\n", b"%09d,some name or other,12.50,2024-02-29\n", 2 << 30)
    with path.open("ab") as file:
        file.write(b"x,too,few\n")
    return path


def _long(path: Path, header: bytes, line: bytes, size: int) -> Path:
    """A file of numbered lines, written by the block."""
    with path.open("wb") as file:
        file.write(header)
        number, block = 0, 20_000
        while file.tell() < size:
            file.write(b"".join(line % n for n in range(number, number + block)))
            number += block
    return path


def write_corpus(folder: Path, names: Iterator[str] | None = None) -> dict[str, Path]:
    """Make the files of some cases (all but the huge ones), each in a folder of its own."""
    made_files = {}
    for name in names or iter(MADE):
        place = folder / name
        place.mkdir(parents=True)
        made_files[name] = (MADE | HUGE)[name](place)
    return made_files


if __name__ == "__main__":
    target = Path(sys.argv[1])
    write_corpus(target, iter([*MADE, *(HUGE if "--huge" in sys.argv else ())]))
