"""The keys of a project's files, each with what it says and its default: for the loader and for the reference."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Key:
    """One key of a mapping. One that isn't `built` yet is described, and refused by name."""

    says: str
    default: str = ""
    built: bool = True


Keys = Mapping[str, Key]

_PEOPLE = {"owner": Key("who answers for it"), "tags": Key("words to find and select it by")}

PROJECT: Keys = {
    "name": Key("the project's name", "required"),
    "environments": Key(
        "each its own lake over the same landed files; the first is used without `--env`", "`[dev, prod]`"
    ),
    "engine": Key("`duckdb`, `spark`, or `{spark, conf}`, see below", "`duckdb`"),
    "storage": Key(
        "where catalogue and data are, see below",
        "`{catalogue: sqlite, data: lake}`",
    ),
    "memory_limit": Key("what a run, and each query, may take; at least 32MiB", "`4GB`"),
    "defaults": Key(
        "`contract` for every source, `clean` for every trusted dataset (only `off`; `suggest` and `auto` are not "
        "built yet)",
        "`{contract: evolve, clean: off}`",
    ),
    "retention": Key("how long what is no longer current is kept, see below"),
    "backbone": Key(
        "for a project of analyses only: another project's folder, or `{project, env, snapshot}`; its exploitation "
        "zone is read at a pinned snapshot"
    ),
}
STORAGE: Keys = {
    "catalogue": Key(
        "`sqlite`, beside the data; or a PostgreSQL database, `postgres:${PG_URL}`: [growing up](../team.md)",
        "`sqlite`",
    ),
    "data": Key("a folder, or `s3://BUCKET/PATH`: data files, models and what has landed", "`lake`"),
    "encryption": Key("of data on S3, by the store: `s3` (its own keys), or `kms:KEY`", "what the bucket says"),
}
RETENTION: Keys = {
    "snapshots": Key("how long earlier snapshots can be read and gone back to: a period, or `for ever`", "`30 days`"),
    "at_least": Key("how many snapshots are kept however old they are", "10"),
    "files": Key("how long files are kept that no snapshot needs any more", "`1 hour`"),
    "maintenance": Key("`automatic`: runs do it when it is due; `by_hand`: only `backbone maintain`", "`automatic`"),
}
SPARK: Keys = {
    "spark": Key(
        "where it runs: `local[*]` (this machine, which needs Java), `spark://HOST:PORT` (a cluster, which sees the "
        "lake's folder under the same path), `sc://HOST` (Spark Connect, which needs no Java here)",
        "`local[*]`",
    ),
    "conf": Key("Spark's own settings, such as `spark.executor.memory: 8g`; may name secrets", "none"),
}
SOURCE: Keys = {
    "from": Key(
        "a path, glob or zip file, `https://…`, a table of a database (see below), or several; what is new and changed "
        "lands in each run: [connecting](../connecting.md)",
        "the drop folder only",
    ),
    "template": Key("how files are read, see below", "the format's defaults"),
    "contract": Key(
        "when headers or types drift: `evolve` or `freeze`; `quarantine` is not built yet", "that of `backbone.yml`"
    ),
    "bad_values": Key("a value that its type can't hold: `quarantine` the row, or `null` the cell", "`quarantine`"),
    "columns": Key("`name: type`, or `name: {…}`, see below", "those of the files"),
    "children": Key("lists in records that are relations of their own: `name: {…}`, see below", "none"),
    "file_name": Key("`pattern` and `into`: columns from the name of the landed file"),
    "description": Key("what it holds"),
    **_PEOPLE,
}
ORIGIN: Keys = {
    "postgres": Key("a PostgreSQL database: `${PG_URL}`"),
    "sqlite": Key("the file of an SQLite database"),
    "kafka": Key("brokers of Kafka: `host:9092`, several with commas"),
    "topic": Key("the topic of Kafka whose messages land"),
    "table": Key("the table whose rows land, as `name` or `schema.name`"),
    "query": Key("or the query whose rows land"),
    "cursor": Key("a column that only grows: then only new rows are fetched", "all rows each time"),
}
TEMPLATE: Keys = {
    "format": Key("`csv` or one of the others: [formats](../formats.md)", "`csv`"),
    "encoding": Key("such as `utf-8`, `latin-1`", "`utf-8`"),
    "delimiter": Key("the character between values, or a few such as `', '`", "`,`"),
    "quotechar": Key("the character around values", '`"`'),
    "escapechar": Key("the character before a quote within a value", '`"`'),
    "header_rows": Key("records of the header; 0 for none", "1"),
    "preamble_rows": Key("lines before the header", "0"),
    "footer_rows": Key("records after the data", "0"),
    "lenient": Key(
        "`true`: rows that aren't as wide as the others are mended, not set aside: [files](../files.md)", "`false`"
    ),
    "null_tokens": Key("whole trimmed values that mean *missing*", "the empty text"),
    "member": Key("the file inside an archive, or several by a pattern", "all of them"),
    "records": Key(
        "where the records are: in XML, a path of elements such as `orders/order`; in JSON, of keys, where `*` is each "
        "value of an object, whose key becomes column `key`",
        "in XML, what is repeated most; in JSON, the file's own values",
    ),
    "sheet": Key("of a workbook", "the only one"),
    "table": Key("of a database, or the number of a table in a page", "the only one"),
    "widths": Key("of columns in fixed-width text, in characters: `[10, 4, 12]`"),
}
CHILD: Keys = {
    "header": Key("the key of the list in the files; in an object, its path: `order__items`", "its name"),
    "columns": Key("as a source's", "those of the files"),
    "children": Key("lists in its items", "none"),
    "description": Key("what it is"),
}
COLUMN: Keys = {
    "type": Key(
        "`text, integer, decimal(S), float, boolean, date, time, timestamp, timestamp_tz, binary, json`, or `T[]` for "
        "a list",
        "required",
    ),
    "header": Key("how it is spelt in the files; several spellings accept a rename", "its name"),
    "null_tokens": Key("whole trimmed values that mean *missing* here", "the template's"),
    "format": Key("of dates and times, as in strptime", "found out"),
    "decimal": Key("the character before the fraction of a number; `.,`: either, as each value shows", "`.`"),
    "thousands": Key("the character between thousands; a blank: any kind of blank", "none"),
    "unit": Key("what may stand before or after a number, such as `€` or `%`", "nothing"),
    "contract": Key("for this column", "the source's"),
    "description": Key("what it holds"),
}
TRUSTED: Keys = {
    "versions": Key(
        "how landed files become one relation: `append` (all rows), `snapshot` (the rows of the newest file), `upsert` "
        "(per key the newest row) or `history` (per key every state, with `_valid_from` and `_valid_to`); see "
        "[rows over time](../rows-over-time.md)",
        "`append`",
    ),
    "key": Key("the columns that identify a row; with `append` and `snapshot` it is checked"),
    "newest_by": Key(
        "a column that says which row is newer, so that late ones fall into place; not with `append`", "arrival"
    ),
    "absent": Key("with `history`: what lacks a key says nothing of it (`kept`), or that it is `deleted`", "`kept`"),
    "rules": Key("see [rules](rules.md)", "trim, warn of equal rows"),
    "clean": Key("`off`; `suggest` and `auto` are not built yet", "`off`"),
    "description": Key("what it holds", "the source's"),
    **_PEOPLE,
}
VIEW: Keys = {
    "description": Key("what it holds; in Python the docstring"),
    "key": Key("the primary key: audited, not null and unique"),
    "mode": Key(
        "`full`, `append` (new rows of the driver), `merge` (keys touched by changes are recomputed)", "`full`"
    ),
    "driver": Key("the input whose new rows `append` follows", "the only input"),
    "rules": Key("see [rules](rules.md)"),
    **_PEOPLE,
}
TERM: Keys = {
    "means": Key("what the word means", "required"),
    "columns": Key("the columns bound to it, as `zone.name.column`"),
    "unit": Key("what its values are measured in"),
    "synonyms": Key("other words for it"),
    "broader": Key("another term that includes it"),
    "personal": Key("`yes` or `no`: data about persons", "`no`"),
    "rules": Key("inherited by the bound columns; `this` is the column"),
}
