"""Passwords of a database are told nowhere, whether it can be reached or not, and however they are written."""

import traceback

import psycopg
import pytest

from backbone.cli import main
from backbone.errors import BackboneError

SECRET = "kanari 7f3a/@"
WRITTEN = "kanari%207f3a%2F%40"
UNREACHED = (
    f"postgres:postgresql://me:{WRITTEN}@127.0.0.1:1/db",
    f"postgresql://me:{WRITTEN}@127.0.0.1:1/db?sslmode=disable",
    f"postgres:postgresql://me@127.0.0.1:1/db?password={WRITTEN}",
    f"postgres:host=127.0.0.1 port=1 password='{SECRET}'",
    f"postgres:postgresql://me:{WRITTEN}@127.0.0.1:nonsense/db",
    f"postgres:me:{WRITTEN}@127.0.0.1/db",
    "postgres:${BI_URL}",
    "postgres:${BROKEN}",
)


@pytest.fixture(autouse=True)
def variables(monkeypatch):
    monkeypatch.setenv("BI_URL", UNREACHED[1])
    monkeypatch.setenv("BROKEN", f"me:{WRITTEN}@127.0.0.1/db")


def told(text: str) -> bool:
    return any(part in text for part in (SECRET, WRITTEN, "kanari", "7f3a"))


@pytest.mark.parametrize("to", UNREACHED)
@pytest.mark.parametrize("options", [[], ["--debug"], ["--format", "json"]])
def test_a_database_that_is_not_reached(shop, capfd, to, options) -> None:
    with pytest.raises(SystemExit) as ended:
        main([*options, "--project", str(shop.root), "export", "sums", "--to", to])

    output = "".join(capfd.readouterr())
    assert ended.value.code in {1, 2}
    assert output
    assert not told(output), output


@pytest.mark.parametrize("to", UNREACHED)
def test_in_python_too(shop, to) -> None:
    with pytest.raises(BackboneError) as raised:
        shop.export("sums", to)

    assert not told("".join(traceback.format_exception(raised.value)))


def test_a_database_that_is_reached(shop, postgres, capfd) -> None:
    postgres.execute(f"CREATE ROLE kept_secret SUPERUSER LOGIN PASSWORD '{SECRET}'")
    to = postgres.url(postgres.new_database(), "kept_secret", WRITTEN)
    for _ in range(2):
        with pytest.raises(SystemExit):
            main(["--project", str(shop.root), "export", "sums", "--to", f"postgres:{to}", "--schema", "told"])

    output = "".join(capfd.readouterr())
    assert "kept_secret:***@" in output
    assert not told(output)
    with psycopg.connect(to) as connection:
        assert not told(str(connection.execute("SELECT * FROM told.backbone_export").fetchall()))
