import pytest
from hypothesis import given
from hypothesis import strategies as st

from backbone.errors import UsageError
from backbone.model.project import Analysis, Source, Trusted, View
from backbone.model.relations import Relation
from backbone.model.rules import Location
from backbone.model.steps import Analyse, Derive, Format, Published, Step, Trust, Version
from backbone.runs.selection import Selection, select_datasets, selection_of


def view(name: str, *inputs: str, owner: str = "", tags: tuple[str, ...] = ()) -> Step:
    declared = View(name, inputs, owner=owner, tags=tags, at=Location(f"exploitation/{name}.sql"))
    return Step((f"exploitation.{name}",), inputs, Derive(declared), {"query": "q"}, tags=tags)


AT = Location("sources/a.yml")
FORMAT = Step(("formatted.a",), (), Format(Source("a", tags=("raw",), at=AT)), {"template": "t"}, tags=("raw",))
TRUST = Step(("trusted.a",), ("formatted.a",), Trust(Trusted("a", at=AT)), {"rule trim": "r"})
B = view("b", "trusted.a", owner="sales team", tags=("daily", "core"))
C = view("c", "exploitation.b", tags=("daily",))
D = view("d", "trusted.a", "elsewhere.x", owner="finance")
QUESTION = Analysis("q", "classification", "?", "", (), (), (), "analysis/q.py", "", at=Location("analysis/q.py"))
SETS = Step(("analysis.q__train", "analysis.q__validate"), ("exploitation.c",), Analyse(QUESTION, "split"), {})
STEPS = (C, B, D, SETS, TRUST, FORMAT)
SHORT = {"formatted.a": "fa", "trusted.a": "ta", "exploitation.b": "b", "exploitation.c": "c", "exploitation.d": "d",
         "analysis.q__train": "q"}  # fmt: skip


def chosen(include: str, exclude: str = "", published: dict[str, Published] | None = None) -> str:
    found = select_datasets(STEPS, selection_of(include, exclude), published)
    return " ".join(sorted(SHORT[dataset] for dataset in found))


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("b", "b"),
        ("a", "fa ta"),
        ("exploitation.b", "b"),
        ("q__validate", "q"),
        ("+b", "b fa ta"),
        ("b+", "b c q"),
        ("1+c+1", "b c q"),
        ("2+c", "b c ta"),
        ("0+c+0", "c"),
        ("+exploitation.b+", "b c fa q ta"),
        ("@c", "b c fa q ta"),
        ("@d", "d fa ta"),
        ("trusted.*", "ta"),
        ("?", "b c d fa ta"),
        ("exploitation.[bd]", "b d"),
        ("b d", "b d"),
        ("zone:exploitation", "b c d"),
        ("zone:analysis", "q"),
        ("tag:daily", "b c"),
        ("tag:da*", "b c"),
        ("tag:daily,tag:core", "b"),
        ("tag:daily,d", ""),
        ("owner:finance", "d"),
        ("owner:sales*", "b"),
        ("source:a", "fa ta"),
        ("source:a+1", "b d fa ta"),
        ("path:exploitation", "b c d"),
        ("path:./exploitation/", "b c d"),
        ("path:exploitation/b.sql", "b"),
        ("path:sources/a.yml", "fa ta"),
        ("path:*/[cd].sql+", "c d q"),
        ("+tag:daily,zone:trusted", "ta"),
    ],
)
def test_the_grammar(words: str, expected: str) -> None:
    assert chosen(words) == expected


def test_no_words_choose_everything() -> None:
    assert select_datasets(STEPS, Selection()) is None


def test_excluded_is_left_out_of_everything_or_of_what_is_selected() -> None:
    assert chosen("", "zone:exploitation") == "fa q ta"
    assert chosen("a+", "b+ formatted.a") == "d ta"


def test_states_compare_with_what_is_published() -> None:
    def held(step: Step, **definition: str) -> Published:
        return Published(step.dataset, definition or dict(step.definition), Version(1, 1), {}, Relation(()))

    published = {"formatted.a": held(FORMAT), "trusted.a": held(TRUST, rule="r0"), "exploitation.b": held(B)}

    assert chosen("state:new", published=published) == "c d q"
    assert chosen("state:changed", published=published) == "c d q ta"
    assert chosen("state:changed,zone:trusted", published=published) == "ta"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("trusted.aa", "There is no dataset 'trusted.aa' to select. Did you mean 'trusted.a'?"),
        ("x.y.z", "There is no dataset 'x.y.z' to select. Which there are: backbone status"),
        ("nothing*", "There is no dataset 'nothing*' to select. Which there are: backbone status"),
        ("tag:dayly", "There is no tag 'dayly' to select. Did you mean 'daily'?"),
        ("tag:x", "There is no tag 'x' to select. There are: core, daily, raw."),
        ("zone:trustd", "There is no zone 'trustd' to select. Did you mean 'trusted'?"),
        ("tags:daily", "There is no way to select by 'tags:'. Did you mean 'tag'?"),
        ("state:old", "There is no state 'old' to select. There are: changed, new."),
        ("path:trusted/a.yml", "There is no path 'trusted/a.yml' to select. Did you mean 'sources/a.yml'?"),
    ],
)  # fmt: skip
def test_what_is_not_there_is_an_error_with_a_suggestion(words: str, message: str) -> None:
    with pytest.raises(UsageError) as raised:
        chosen(words)

    assert str(raised.value) == message


@pytest.mark.parametrize("words", ["+", "b,", ",", "@b+", "@+b", "++b", "b++", "b+c", "@"])
def test_what_says_nothing_is_an_error(words: str) -> None:
    with pytest.raises(UsageError, match="selects nothing: write NAME"):
        chosen(words)


def test_a_zone_without_datasets_is_no_mistake() -> None:
    assert select_datasets((FORMAT, TRUST), selection_of("zone:exploitation")) == frozenset()


NODES = st.integers(0, 7)
GRAPHS = st.sets(st.tuples(NODES, NODES).filter(lambda pair: pair[0] < pair[1]))


def steps_of(edges: set[tuple[int, int]]) -> list[Step]:
    return [view(f"v{n}", *(f"exploitation.v{a}" for a, b in sorted(edges) if b == n)) for n in range(8)]


@given(GRAPHS, NODES, st.integers(0, 8))
def test_degrees_grow_up_to_all_and_directions_mirror_each_other(edges, node, degree) -> None:
    steps = steps_of(edges)

    def reach(words: str) -> frozenset[str]:
        return select_datasets(steps, selection_of(words))

    above, below = reach(f"+v{node}"), reach(f"v{node}+")
    assert reach(f"{degree}+v{node}") <= reach(f"{degree + 1}+v{node}") <= above
    assert reach(f"8+v{node}") == above
    assert reach(f"+v{node}+") == above | below
    assert reach(f"+v{node},v{node}+") == {f"exploitation.v{node}"}
    assert all(f"exploitation.v{node}" in reach(f"+{name}") for name in below)
    assert reach(f"@v{node}") == frozenset().union(*(reach(f"+{name}") for name in below))


@given(GRAPHS, st.lists(st.sampled_from(["v1+", "+v5", "2+v6+1", "@v3", "v*", "v[0-3]"]), min_size=1), NODES)
def test_unions_intersections_and_exclusions_are_those_of_sets(edges, words, node) -> None:
    steps = steps_of(edges)

    def one(word: str) -> frozenset[str]:
        return select_datasets(steps, selection_of(word))

    parts = [one(word) for word in words]
    assert one(" ".join(words)) == frozenset().union(*parts)
    assert one(",".join(words)) == frozenset.intersection(*parts)
    assert select_datasets(steps, selection_of(words, f"v{node}")) == one(" ".join(words)) - {f"exploitation.v{node}"}
