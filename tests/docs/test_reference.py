"""The reference can't rot: what it says about code is rendered from the code, and is compared with it here."""

import re
import runpy
from pathlib import Path

import pytest

from backbone.cli.documents import __doc__ as documents
from backbone.governance.tables import SAYS, TABLES
from backbone.model.files import Template
from backbone.project import keys
from backbone.quality.vocabulary import VOCABULARY

DOCS = Path(__file__).parents[2] / "docs"
RENDER = runpy.run_path(str(DOCS / "render.py"))
PAGES = {page: (DOCS / "reference" / f"{page}.md").read_text(encoding="utf-8") for page in RENDER["PAGES"]}


@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_up_to_date(page: str) -> None:
    assert PAGES[page] == RENDER["rendered"](PAGES[page]), "run: make docs"


def test_all_that_can_be_rendered_stands_somewhere_once() -> None:
    blocks = [name for text in PAGES.values() for name in re.findall(r"<!-- generated: (.+) -->", text)]

    assert sorted(blocks) == sorted(RENDER["BLOCKS"])


def test_everything_says_what_it_is() -> None:
    every_key = [key for known in vars(keys).values() if isinstance(known, dict) for key in known.values()]

    assert TABLES.keys() == SAYS.keys()
    assert [word for word, kind in VOCABULARY.items() if not kind.says] == []
    assert [key for key in every_key if isinstance(key, keys.Key) and not key.says] == []
    assert set(Template.__slots__) - {"children", "inside"} <= keys.TEMPLATE.keys()


@pytest.mark.parametrize("command", re.findall(r"\*\*`backbone (\w+)", PAGES["commands"]))
def test_every_command_that_reports_says_what_its_json_has(command: str) -> None:
    assert command in {"sql", "completion"} or f"`{command}`:" in (documents or "")
