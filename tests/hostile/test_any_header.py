"""Any text as a header is a column that can be asked for, under the name that the source's file gives it."""

import csv

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from backbone.formats.headers import column_names
from backbone.project.writing import init_project
from backbone.workspace.adding import add
from backbone.workspace.opening import open_workspace

TEXTS = st.one_of(
    st.text(st.characters(exclude_categories=["Cs", "Cc", "Nd", "Nl", "No"]), max_size=12),
    st.sampled_from(["select", "Select", "a b", 'a"b', "a'b", "a;b", "a,b", "🙂", "é", "É", "_file", "", "-", "x\ny"]),
)  # fmt: skip


@given(headers=st.lists(TEXTS, min_size=1, max_size=12))
@settings(
    max_examples=3,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.too_slow],
)
def test_any_header_is_a_column_that_can_be_asked_for(headers, tmp_path_factory):
    folder = tmp_path_factory.mktemp("headers")
    headers = ["id", *headers, "end"]
    with (folder / "a.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\n")
        writer.writerows([headers, *([n * 100 + i for i in range(len(headers))] for n in range(1, 21))])
    init_project(folder, "headers")

    add(folder, "a", ("a.csv",))

    workspace = open_workspace(folder)
    names = column_names(headers)
    assert len({name.casefold() for name in names}) == len(headers)
    assert workspace.sql("from trusted.a").columns == names
    selected = ", ".join(f'"{name}"' for name in names)
    expected = [tuple(n * 100 + i for i in range(len(headers))) for n in range(1, 21)]
    assert sorted(workspace.sql(f"select {selected} from a").rows()) == expected
    described = workspace.describe("trusted.a").relation.visible
    assert [column.name for column in described] == list(names)
