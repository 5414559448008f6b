"""Any text as a project file or in one: it is taken as it is, or refused with its place."""

import string

from conftest import listing
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backbone.errors import ProjectError
from backbone.project.load import load_project
from backbone.project.writing import init_project, scalar

ODD = st.sampled_from([
    "select", "order", "all", "_file", "Id", "ID", "a b", 'a"b', "o'brien", "a\nb", "😀", "café", "ﬁ", "İ", "ß", "null",
    "~", "[x", "{x", "- x", "x: y", "x # y", "&a", "*a", "!!str", "%x", "@x", "`x`", "..", "../x", "/etc/passwd", "",
    "\u202ex", "\u200b", "\ufeffx", "'; DROP TABLE a; --", "${HOME}", "{{ x }}", "<<", "=", "\\", "show", "x" * 150,
])  # fmt: skip
TEXTS = ODD | st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
KEYS = st.sampled_from([
    "name", "storage", "environments", "defaults", "memory_limit", "from", "template", "columns", "type", "header",
    "null_tokens", "contract", "file_name", "pattern", "into", "versions", "key", "rules", "not_null", "expect", "set",
    "to", "where", "else", "tolerate", "means", "crosswalk", "tags", "format",
])  # fmt: skip
WORDS = st.sampled_from(["a", "b", "integer", "append", "trusted.a", "quarantine", "${HOME}", "20%", "1"])
TREES = st.recursive(
    (TEXTS | WORDS).map(scalar),
    lambda node: st.one_of(
        st.lists(node, max_size=3).map(lambda items: f"[{', '.join(items)}]"),
        st.dictionaries(KEYS | TEXTS.map(scalar), node, max_size=3).map(
            lambda pairs: "{" + ", ".join(f"{key}: {value}" for key, value in pairs.items()) + "}"
        ),
    ),
    max_leaves=8,
)
MAPPINGS = st.dictionaries(KEYS | TEXTS.map(scalar), TREES, max_size=4).map(
    lambda pairs: "".join(f"{key}: {value}\n" for key, value in pairs.items())
)
CONTENTS = st.one_of(
    MAPPINGS,
    st.text(max_size=60),
    st.text(string.printable, max_size=60),
    MAPPINGS.map(lambda text: f"/*---\n{text}---*/\nSELECT 1 AS a"),
    TEXTS.map(lambda text: f"SELECT {text} FROM trusted.a"),
    TEXTS.map(lambda text: f"from backbone import view\n@view({text!r})\ndef b(a):\n    return a\n"),
)
STEMS = TEXTS.filter(lambda text: not {*text} & {"/", "\0"} and text not in {"", ".", ".."}).filter(
    lambda text: len(text.encode()) < 200
)
FOLDERS = st.sampled_from(["sources", "trusted", "exploitation", "analysis"])
PATHS = st.one_of(
    st.sampled_from(["backbone.yml", "glossary.yml", "sources/a.yml", "trusted/a.yml", "exploitation/b.py"]),
    st.builds("{}/{}.{}".format, FOLDERS, STEMS, st.sampled_from(["yml", "sql", "py"])),
)


def loads(root):
    """Whether a project loads; if not, each problem has its file and line. Nothing is written either way."""
    before, problems = listing(root.parent), None
    try:
        load_project(root)
    except ProjectError as error:
        problems = [(problem.at.path, problem.at.line) for problem in error.problems]
    assert listing(root.parent) == before
    assert problems is None or problems
    assert all((root / path).exists() and line >= 1 for path, line in problems or ())
    return problems is None


@given(files=st.dictionaries(PATHS, CONTENTS, min_size=1, max_size=3))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_project_loads_or_is_refused_with_file_and_line(files, tmp_path_factory):
    root = tmp_path_factory.mktemp("outside") / "project"
    init_project(root, "odd")
    for path, text in files.items():
        (root / path).parent.mkdir(exist_ok=True)
        (root / path).write_text(text, encoding="utf-8", errors="surrogatepass", newline="")

    loads(root)


@given(text=TEXTS)
@settings(max_examples=60, deadline=None)
def test_any_text_is_read_as_it_was_written(text, tmp_path_factory):
    root = tmp_path_factory.mktemp("outside") / "project"
    init_project(root, "odd")
    (root / "sources").mkdir()
    (root / "sources/a.yml").write_text(
        f"template: {{null_tokens: [{scalar(text)}]}}\n"
        f"columns: {{a: {{type: text, header: {scalar(text)}, description: {scalar(text)}}}}}\n",
        encoding="utf-8", newline="",
    )  # fmt: skip

    if loads(root):
        (source,) = load_project(root).sources
        assert source.template.null_tokens == (text,)
        assert (source.columns[0].headers, source.columns[0].description) == ((text,), text)
    else:
        assert not text.strip() or not text.isprintable()
