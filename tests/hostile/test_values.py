"""Any text in a file arrives as it was, in every zone, or is set aside with its record: nothing else."""

import csv

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backbone.project.writing import init_project
from backbone.workspace.opening import open_workspace

TEXTS = st.lists(
    st.one_of(
        st.text(st.characters(exclude_categories=["Cs"]), max_size=30),
        st.sampled_from(["007", "1e5", "NULL", "NaN", " x ", "'; DROP TABLE a; --", '"', "a\nb", "\\", "${HOME}"]),
    ),
    min_size=1,
    max_size=40,
)  # fmt: skip


@given(texts=TEXTS)
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_texts_arrive_as_they_were(texts, tmp_path_factory):
    root = tmp_path_factory.mktemp("values")
    init_project(root, "values")
    with (root / "a.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\n")
        writer.writerows([("id", "value"), *((number, text) for number, text in enumerate(texts))])
    for folder, text in {
        "sources": "from: a.csv\ntemplate: {delimiter: ',', null_tokens: []}\ncolumns: {id: integer, value: text}\n",
        "trusted": "rules:\n  - {unique: id, else: fail}\n",
    }.items():
        (root / folder).mkdir()
        (root / folder / "a.yml").write_text(text)
    workspace = open_workspace(root)

    assert workspace.run().status == "published"

    arrived = dict(workspace.sql("select id, value from trusted.a").rows())
    aside = {row.record - 1 for row in workspace.quarantine(limit=100).rows}
    assert arrived.keys() | aside == set(range(len(texts)))
    assert not arrived.keys() & aside
    blank = " \t\n\f\r\v"  # a value of nothing else is a missing one
    assert {number: value or "" for number, value in arrived.items()} == {
        n: texts[n] if texts[n].strip(blank) else "" for n in arrived
    }
