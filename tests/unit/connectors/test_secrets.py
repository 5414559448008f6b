import pytest

from backbone.connectors.secrets import Secrets, concealed
from backbone.errors import UsageError


def test_the_environment_comes_before_the_file(tmp_path, monkeypatch):
    (tmp_path / "secrets.env").write_text("# private\nexport NAME='orders.csv'\nFOLDER=no\n")
    monkeypatch.setenv("FOLDER", "/data")

    assert Secrets(tmp_path).filled("${FOLDER}/${NAME}") == "/data/orders.csv"


def test_quotes_around_a_value_go_and_quotes_in_it_stay(tmp_path):
    (tmp_path / "secrets.env").write_text("URL=host=here password='a b'\nNAME=\"it's\"\nONE='\n")

    assert Secrets(tmp_path).filled("${URL}|${NAME}|${ONE}") == "host=here password='a b'|it's|'"


def test_a_name_without_a_value_is_refused(tmp_path):
    with pytest.raises(UsageError, match=r"\$\{NOBODY_KNOWS\} is not set"):
        Secrets(tmp_path).filled("${NOBODY_KNOWS}")


def test_what_was_filled_in_is_concealed(tmp_path):
    (tmp_path / "secrets.env").write_text("PART=hush-hush\nWHOLE=hush-hush-baby\n")
    Secrets(tmp_path).filled("${PART} ${WHOLE}")

    assert concealed("say hush-hush-baby, or hush-hush") == "say ${WHOLE}, or ${PART}"


@pytest.mark.parametrize("kind", ["missing", "folder", "pipe", "latin-1"])
def test_a_file_that_is_no_text_has_no_secrets(tmp_path, kind):
    import os

    path = tmp_path / "secrets.env"
    match kind:
        case "folder":
            path.mkdir()
        case "pipe":
            os.mkfifo(path)
        case "latin-1":
            path.write_bytes(b"NAME=caf\xe9\n")

    assert "NAME" not in Secrets(tmp_path).names


def test_a_linked_file_is_read(tmp_path):
    (tmp_path / "vault").write_text("DEEP=down\n")
    (tmp_path / "secrets.env").symlink_to("vault")

    assert Secrets(tmp_path).filled("${DEEP}") == "down"
