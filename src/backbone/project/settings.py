"""`backbone.yml`: the project's settings, and the secrets that they and `from` may name."""

import re
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, get_args

from backbone.connectors.secrets import REFERENCE, SECRETS_FILE, Secrets
from backbone.errors import did_you_mean
from backbone.model.files import Contract
from backbone.model.memory import DEFAULT_LIMIT, LEAST_BYTES, memory_bytes
from backbone.model.project import Engine, Maintenance, Retention, Upstream
from backbone.project import keys
from backbone.project.fields import Fields, check_name
from backbone.project.tree import Items, Mapping, Node, Text, shape_of
from backbone.project.yaml_tree import read_yaml

if TYPE_CHECKING:
    from backbone.errors import Problem
    from backbone.project.places import File

CONTRACTS: tuple[Contract, ...] = get_args(Contract)
_S3 = "s3://"
_BUCKET = re.compile(r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:/((?:[\w.=-]+/)*[\w.=-]*[\w=-]))?/?", re.ASCII)
_ENCRYPTION = re.compile(r"s3|kms:\S+")
LOCAL_SPARK = "local[*]"
"""The master of `engine: spark`: Spark on this machine, with all its cores."""
_MASTER = re.compile(r"local(\[[\w*]+(,\s*\d+)?\])?|spark://\S+|sc://\S+|yarn|k8s://\S+")
_PERIOD = re.compile(r"(\d{1,5}) ?(second|minute|hour|day|week)s?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Bucket:
    """Where data is in an object store. `encryption` is what the store is asked for: `s3`, `kms:KEY`, or nothing."""

    name: str
    prefix: str
    encryption: str = ""


@dataclass(frozen=True, slots=True)
class Settings:
    """What `backbone.yml` says. `catalogue` is how its database is reached; empty where it is in the folder.

    With a `bucket`, `storage` is the folder of what this machine keeps.
    """

    name: str = ""
    environments: tuple[str, ...] = ("dev", "prod")
    storage: str = "lake"
    catalogue: str = field(default="", repr=False)
    bucket: Bucket | None = None
    memory_limit: str = DEFAULT_LIMIT
    engine: Engine = field(default_factory=Engine)
    contract: Contract = "evolve"
    retention: Retention = field(default_factory=Retention)
    upstream: Upstream | None = None


def check_secrets(text: Text, secrets: Secrets, problems: "list[Problem]") -> str:
    """A text with each `${NAME}` replaced, to look at and not to keep; one that is not set is a problem."""
    unknown = [match for match in REFERENCE.finditer(text.value) if match[1] not in secrets.names]
    for match in unknown:
        near = did_you_mean(match[1], secrets.names)
        place = text.within(match.start(), match.end())
        problems.append(place.problem(f"${{{match[1]}}} is not set, in the environment or in {SECRETS_FILE}.{near}"))
    return "" if unknown else secrets.filled(text.value)


def read_settings(file: "File", secrets: Secrets, problems: "list[Problem]") -> Settings:
    """All keys of `backbone.yml`."""
    node = read_yaml(file, problems)
    fields = Fields(node, problems, known=keys.PROJECT, what="backbone.yml")
    if not fields.text("name").strip() and not problems:
        place = fields.key_place("name") or file.place()
        problems.append(place.problem("the project has no name. Write, for example, `name: shop`"))
    storage = Fields(fields.node("storage"), problems, known=keys.STORAGE, what="`storage`")
    return Settings(
        name=fields.text("name").strip(),
        environments=_environments(fields),
        storage=_storage(storage, secrets),
        catalogue=_catalogue(storage, secrets),
        bucket=_bucket(storage, secrets),
        memory_limit=_memory(fields),
        engine=_engine(fields, secrets),
        contract=_default_contract(fields),
        retention=_retention(fields),
        upstream=_upstream(fields),
    )


def _environments(fields: Fields) -> tuple[str, ...]:
    if fields.node("environments") is None:
        return Settings().environments
    names = fields.texts("environments")
    for name in names:
        check_name(name, "an environment", fields.problems)
    values = tuple(name.value for name in names)
    if len(set(values)) < len(values) or not values:
        place = fields.key_place("environments")
        if place and not (values == () and fields.problems):
            fields.refuse(place, "`environments` is a list of different names, at least one")
    return values or Settings().environments


def _storage(storage: Fields, secrets: Secrets) -> str:
    """The folder of all that is on this machine."""
    data = storage.given("data")
    if data is None:
        return Settings().storage
    path = check_secrets(data, secrets, storage.problems)
    if path.startswith(_S3):
        return Settings().storage
    if "://" in path:
        storage.refuse(
            data.place,
            f"data on {path.partition('://')[0]} is not built yet. Expected: a folder, such as lake, or s3://BUCKET/PATH",
        )
    elif not path.strip():
        storage.refuse(data.place, "`data` is a folder, such as lake, or s3://BUCKET/PATH")
    return path


def _catalogue(storage: Fields, secrets: Secrets) -> str:
    """How the catalogue's database is reached, if it is in one."""
    given = storage.given("catalogue")
    kind, _, conninfo = check_secrets(given, secrets, storage.problems).partition(":") if given else ("", "", "")
    if given is None or not kind or (kind == "sqlite" and not conninfo):  # what is not set has been told
        return ""
    if kind != "postgres":
        what = given.value.partition(":")[0]
        storage.refuse(given.place, f"there is no catalogue '{what}'. Expected: sqlite, or 'postgres:${{PG_URL}}'")
    elif not conninfo.strip():
        storage.refuse(given.place, "how is the database reached? Expected: 'postgres:${PG_URL}', a secret")
    return conninfo.strip()


def _bucket(storage: Fields, secrets: Secrets) -> Bucket | None:
    """Where the data is in an object store, if it is in one."""
    data, encryption = storage.given("data"), storage.given("encryption")
    path = check_secrets(data, secrets, []) if data else ""
    asked = check_secrets(encryption, secrets, storage.problems) if encryption else ""
    if encryption and not path.startswith(_S3):
        storage.refuse(
            encryption.place,
            "`encryption` is done by an object store (`data: s3://…`). A folder is encrypted by its file system: "
            "put it on one that is",
        )
    elif encryption and asked and not _ENCRYPTION.fullmatch(asked):
        storage.refuse(encryption.place, f"`encryption` can't be '{encryption.value}'. Expected: s3, or kms:KEY")
    if data is None or not path.startswith(_S3):
        return None
    match = _BUCKET.fullmatch(path)
    if match is None:
        storage.refuse(data.place, f"'{data.value}' names no place in a bucket. It looks like s3://our-bucket/path")
        return None
    catalogue = storage.given("catalogue")
    if refusal := alone_refused(check_secrets(catalogue, secrets, []) if catalogue else ""):
        storage.refuse(data.place, refusal)
    return Bucket(match[1], match[2] or "", asked)


def alone_refused(catalogue: str) -> str:
    """Why data in an object store can't go with a catalogue; nothing if it can."""
    if catalogue.startswith("postgres"):
        return ""
    return (
        "data on s3 is for many machines, and a catalogue in sqlite is on one: a copy of it would take the files of "
        "the other for nobody's. Name a catalogue that all reach: `catalogue: postgres:URL`"
    )


def _engine(fields: Fields, secrets: Secrets) -> Engine:
    """`duckdb`, `spark`, or `{spark: MASTER, conf: {…}}`."""
    node = fields.node("engine")
    if not isinstance(node, Mapping):
        return Engine(LOCAL_SPARK) if fields.choice("engine", "duckdb", ("duckdb", "spark")) == "spark" else Engine()
    spark = Fields(node, fields.problems, known=keys.SPARK, what="`engine`")
    master = spark.given("spark")
    if master is None:
        fields.refuse(node.place, "`engine` needs `spark`: local[*], spark://HOST:PORT or sc://HOST")
        return Engine()
    filled = check_secrets(master, secrets, fields.problems)
    if filled and not _MASTER.fullmatch(filled):
        fields.refuse(
            master.place, f"'{master.value}' is no master. Expected: local[*], spark://HOST:PORT or sc://HOST"
        )
    conf = spark.node("conf")
    settings = Fields(conf, fields.problems, known=_given_keys(conf), what="`conf`")
    for key in _given_keys(conf):
        place = settings.key_place(key)
        if place and not key.startswith("spark."):
            fields.refuse(place, f"'{key}' is no setting of Spark's. Their names begin with `spark.`")
    given = [(key, settings.given(key)) for key in _given_keys(conf)]
    return Engine(filled, tuple((key, check_secrets(t, secrets, fields.problems)) for key, t in given if t))


def _given_keys(node: Node | None) -> list[str]:
    return [key.value for key, _ in node.entries] if isinstance(node, Mapping) else []


def _memory(fields: Fields) -> str:
    given = fields.given("memory_limit")
    if given is None:
        return Settings().memory_limit
    amount = memory_bytes(given.value)
    if amount is None:
        fields.refuse(given.place, f"'{given.value}' is no amount of memory, such as 4GB or 512MB")
    elif amount < LEAST_BYTES:
        fields.refuse(given.place, f"{given.value} of memory are too few to work with. 32MiB is the least")
    return given.value


def _default_contract(fields: Fields) -> Contract:
    defaults = Fields(fields.node("defaults"), fields.problems, known=("contract", "clean"), what="`defaults`")
    defaults.choice("clean", "off", ("off",), unbuilt=("suggest", "auto"))
    return defaults.choice("contract", "evolve", CONTRACTS)


def _retention(fields: Fields) -> Retention:
    retention = Fields(fields.node("retention"), fields.problems, known=keys.RETENTION, what="`retention`")
    default = Retention()
    young = retention.given("snapshots")
    for_ever = young is not None and young.value.strip() == "for ever"
    return Retention(
        snapshots=None if for_ever else _period(retention, "snapshots", default.snapshots or timedelta()),
        at_least=retention.count("at_least", 1) if retention.node("at_least") else default.at_least,
        files=_period(retention, "files", default.files),
        maintenance=retention.choice("maintenance", default.maintenance, get_args(Maintenance)),
    )


def _period(fields: Fields, key: str, default: timedelta) -> timedelta:
    given = fields.given(key)
    if given is None:
        return default
    match = _PERIOD.fullmatch(given.value.strip())
    if match is None:
        fields.refuse(given.place, f"'{given.value}' is no period, such as 30 days or 12 hours")
        return default
    return timedelta(**{f"{match[2]}s": int(match[1])})


def _upstream(fields: Fields) -> Upstream | None:
    node = fields.node("backbone")
    if node is None:
        return None
    if isinstance(node, Text):
        return Upstream(node.value)
    if isinstance(node, Items):
        fields.refuse(node.place, f"`backbone` is the folder of another project, not {shape_of(node)}")
        return None
    upstream = Fields(node, fields.problems, known=("project", "env", "snapshot"), what="`backbone`")
    project = upstream.text("project")
    if not project:
        fields.refuse(node.place, "`backbone` needs `project`, the folder of another project")
    snapshot = upstream.count("snapshot", 0) if upstream.node("snapshot") else None
    return Upstream(project, upstream.text("env") or None, snapshot)
