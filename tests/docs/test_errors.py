"""Every error is provoked for real; the page shows it as it is; and each says what is wrong, where, and what to do."""

import inspect
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from backbone import errors

DOCS = Path(__file__).parents[2] / "docs"
sys.path.insert(0, str(DOCS))

import errors as page  # noqa: E402 - the script of the page

WRAPPED = {"BackboneError", "EngineError", "UntranslatableError", "BusyError", "ForbiddenError", "StoreError"}
"""Classes that people never see: the others are told in their place. The last three take two processes, or servers."""
PLACE = re.compile(
    r"[\w./-]+\.(yml|sql|py|txt):\d+|LINE \d+|'[^']+'|`[^`]+`|\"[^\"]+\"|\w+://|/shop|[Ss]napshot \d+"
    r"|[\w/.-]+\.(csv|json|parquet|zip|pdf|sqlite|xlsx?)\b|environment|nycflights|exploitation\.\w+|this command"
)
NEXT = re.compile(
    r"\n +\^|backbone \w+|backbone \[|[Dd]id you mean|[Ee]xpected|Candidate|[Ww]rite |Give |Name |For example"
    r"|pip install|Next: |mkdir|mend |meant\?|Meant so|accept it|use --format|Save it|Fetch"
    r"|Replace it: |Choose one|Mend it there"
    r"|[Rr]ename (it|one)|Meant is|Add it when|holds NAME|Functions of values|name one|declared by|After FROM"
)
"""What to do: a command, a near name, what is expected; or the very words are marked."""


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, list[tuple[page.Situation, page.Shown]]]]:
    stage = page.Stage(tmp_path_factory.mktemp("errors"))
    return {kind: [(one, stage.show(one)) for one in some] for kind, some in page.SITUATIONS.items()}


def test_the_page_is_up_to_date(shown) -> None:
    assert page.PAGE.read_text(encoding="utf-8") == page.written(shown), "run: make docs"


def test_every_class_of_error_is_there() -> None:
    classes = {name for name, one in vars(errors).items() if inspect.isclass(one) and issubclass(one, Exception)}

    assert classes - WRAPPED == set(page.SITUATIONS)


def test_each_is_what_it_is_shown_as(shown) -> None:
    told = {"DatasetError", "OriginError"}  # in the report of the run
    raised = {(kind, one.title): seen.raised for kind, some in shown.items() for one, seen in some if kind not in told}
    codes = {(kind, one.title): seen.code for kind, some in shown.items() for one, seen in some}

    assert {k: r for k, r in raised.items() if r not in {k[0], ""}} == {}
    assert {k: c for k, c in codes.items() if c != (1 if k[0] in {*told, "LakeError", "ExportError"} else 2)} == {}
    assert [one.title for kind in told for one, seen in shown[kind] if " FAILED: " not in seen.text] == []


def test_each_says_where_and_what_next(shown) -> None:
    texts = {one.title: seen.text for some in shown.values() for one, seen in some}

    assert [title for title, text in texts.items() if not PLACE.search(text)] == []
    assert [title for title, text in texts.items() if not NEXT.search(text)] == []
    assert [title for title, text in texts.items() if "unexpected" in text or "fault of Backbone" in text] == []
