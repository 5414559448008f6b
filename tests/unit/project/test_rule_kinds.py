"""Rules of the vocabulary as people write them: what they become, and what is refused with the nearest name."""

from pathlib import Path

import pytest

from backbone.errors import ProjectError
from backbone.project.load import load_project

SOURCE = "template: {format: csv}\ncolumns: {zip: text, city: text, account: text}\n"


def loaded(root: Path, rule: str) -> object:
    for name, text in {
        "backbone.yml": "name: p\n", "sources/t.yml": SOURCE, "trusted/t.yml": f"rules:\n  - {rule}\n"
    }.items():  # fmt: skip
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text(text)
    (trusted,) = load_project(root).trusted
    return [(r.kind, r.columns, r.action, r.params) for r in trusted.rules]


def test_rules_are_read(tmp_path: Path) -> None:
    assert loaded(tmp_path, "{determined: city, by: [zip], else: repair}") == [
        ("determined", ("city",), "repair", (("by", ("zip",)),))
    ]
    assert loaded(tmp_path, "{is_a: account, kind: iban, else: 'null'}") == [
        ("is_a", ("account",), "null", (("kind", "iban"),))
    ]


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        ("{determined: city, by: zipp, else: repair}", "column 'zipp' is not in formatted.t. Did you mean 'zip'?"),
        ("{determined: city, else: repair}", "`determined` needs `by`"),
        ("{is_a: account, kind: ibn, else: warn}", "`kind` can't be 'ibn'"),
        ("{is_a: account, kind: ibann, else: warn}", "Did you mean 'iban'?"),
        ("{is_a: account, knd: iban, else: warn}", "has no parameter `knd`. Did you mean 'kind'?"),
        ("{is_a: account, kind: iban, else: repair}", "`else` of `is_a` can't be 'repair'"),
    ],
)
def test_what_is_wrong_is_refused_with_the_nearest_name(tmp_path: Path, rule: str, says: str) -> None:
    with pytest.raises(ProjectError) as refused:
        loaded(tmp_path, rule)

    assert says in str(refused.value)
