"""Incomes in Catalan and rents without accents, joined by neighbourhood: facts that were counted without Backbone."""

import pytest

from backbone.model.reports import RunReport
from backbone.workspace import Workspace

from .conftest import Ask, asking, made

SOURCES = {"income": "*_atles_renda_bruta_persona.csv", "rents": "Barcelona_rent_price.csv"}
FOLDED = "regexp_replace(lower(strip_accents({})), '[^a-z0-9]+', ' ', 'g')"


@pytest.fixture(scope="session")
def barcelona(tmp_path_factory: pytest.TempPathFactory) -> tuple[Workspace, RunReport]:
    workspace = made("barcelona_rents", tmp_path_factory.mktemp("barcelona"), SOURCES)
    return workspace, workspace.run()


@pytest.fixture
def ask(barcelona: tuple[Workspace, RunReport]) -> Ask:
    return asking(barcelona[0])


def test_three_spellings_of_a_header_are_one_column(barcelona: tuple[Workspace, RunReport], ask: Ask) -> None:
    (income,) = (s for s in barcelona[0].project.sources if s.name == "income")

    assert barcelona[1].status == "published"
    assert [(c.name, c.domain) for c in income.columns] == [
        ("any", "integer"),
        ("codi_districte", "integer"),
        ("nom_districte", "text"),
        ("codi_barri", "integer"),
        ("nom_barri", "text"),
        ("seccio_censal", "integer"),
        ("import_renda_bruta_eur", "integer"),
    ]
    assert ask(
        """SELECT "any", count(*), count(DISTINCT _file), sum(import_renda_bruta_eur), min(import_renda_bruta_eur),
                  max(import_renda_bruta_eur)
           FROM trusted.income GROUP BY "any" ORDER BY "any" """
    ) == [
        (2018, 1068, 1, 22243493, 7425, 47029),
        (2019, 1068, 1, 22972393, 7554, 46204),
        (2020, 1068, 1, 22824641, 7328, 45312),
    ]


def test_nothing_is_missing_set_aside_or_double(barcelona: tuple[Workspace, RunReport], ask: Ask) -> None:
    workspace, report = barcelona
    counts = (
        f"""SELECT count(*), (SELECT count(*) FROM (SELECT DISTINCT * FROM formatted.{name})),
                   (SELECT count(*) FROM formatted.{name} WHERE COLUMNS(*) IS NOT NULL)
            FROM trusted.{name}"""
        for name in ("income", "rents")
    )

    assert sorted(ask(" UNION ALL ".join(counts))) == [(3204, 3204, 3204), (4622, 4622, 4622)]

    assert workspace.quarantine().total == 0
    assert [f.rule.name for s in report.steps for f in s.findings if f.level == "warned"] == ["joins(income)"]
    assert workspace.run().status == "nothing"


def test_codes_are_keys_and_names_are_not(ask: Ask) -> None:
    assert ask(
        f"""SELECT count(DISTINCT codi_barri), count(DISTINCT nom_barri), count(DISTINCT {FOLDED.format("nom_barri")}),
                   count(DISTINCT codi_districte), count(DISTINCT nom_districte),
                   count(DISTINCT ("any", codi_districte, seccio_censal))
            FROM income"""
    ) == [(73, 80, 77, 10, 11, 3204)]
    assert ask(
        """SELECT codi_barri FROM (SELECT codi_barri, count(DISTINCT nom_barri) AS n FROM income GROUP BY ALL)
           WHERE n = 2 ORDER BY 1"""
    ) == [(2,), (17,), (25,), (26,), (27,), (31,), (64,)]


def test_rents(ask: Ask) -> None:
    assert ask("SELECT year, count(*) FROM rents GROUP BY year ORDER BY year") == [
        (2014, 546),
        (2015, 552),
        (2016, 552),
        (2017, 546),
        (2018, 540),
        (2019, 538),
        (2020, 538),
        (2021, 540),
        (2022, 270),
    ]
    assert ask("SELECT average_rent, count(*), min(price), max(price) FROM rents GROUP BY 1 ORDER BY 1") == [
        ("average rent (euro/month)", 2311, 142.34, 2034.0),
        ("average rent per surface (euro/m2)", 2311, 3.18, 21.3),
    ]
    assert ask("SELECT count(DISTINCT (year, trimester, neighbourhood, average_rent)) FROM rents") == [(4622,)]


@pytest.mark.parametrize(
    ("years", "expected"), [("year BETWEEN 2018 AND 2020", (72, 50, 68, 4)), ("true", (75, 53, 71, 4))]
)
def test_names_are_found_as_they_are_folded_or_by_hand(years: str, expected: tuple[int, ...], ask: Ask) -> None:
    assert ask(
        f"""WITH names AS (SELECT DISTINCT neighbourhood AS name FROM rents WHERE {years})
            SELECT count(*), count(*) FILTER (name IN (SELECT nom_barri FROM income)),
                   count(*) FILTER ({FOLDED.format("name")} IN (SELECT folded FROM neighbourhood_names)),
                   count(*) FILTER (name IN (SELECT neighbourhood FROM aliases))
            FROM names"""
    ) == [expected]


def test_names_differ_from_year_to_year(ask: Ask) -> None:
    assert ask(
        """SELECT "any", count(*) FROM (SELECT DISTINCT neighbourhood FROM rents WHERE year BETWEEN 2018 AND 2020)
           JOIN (SELECT DISTINCT "any", nom_barri FROM income) ON nom_barri = neighbourhood GROUP BY 1 ORDER BY 1"""
    ) == [(2018, 49), (2019, 49), (2020, 47)]
    assert ask(
        """SELECT neighbourhood, codi_barri, count(*) FROM rents JOIN aliases USING (neighbourhood)
           GROUP BY ALL ORDER BY 1"""
    ) == [
        ("Fort Pienc", 5, 68),
        ("Gothic Quarter", 2, 68),
        ("Sagrada Familia", 6, 52),
        ("Sant Martíide Provencals", 72, 16),
    ]


def test_every_name_has_a_code_and_no_quarter_is_doubled(ask: Ask) -> None:
    assert ask(
        """SELECT count(DISTINCT codi_barri), count(DISTINCT codi_barri) FILTER (year BETWEEN 2018 AND 2020),
                  count(*), count(DISTINCT (year, trimester, codi_barri)), count(*) FILTER (year BETWEEN 2018 AND 2020)
           FROM monthly_rents"""
    ) == [(73, 70, 2311, 2311, 808)]


def test_rents_and_incomes(barcelona: tuple[Workspace, RunReport], ask: Ask) -> None:
    (joined,) = (s for s in barcelona[1].steps if s.dataset == "exploitation.rent_and_income")
    (finding,) = (f for f in joined.findings if f.rule.kind == "joins")

    assert ask("SELECT year, count(*) FROM rent_and_income GROUP BY year ORDER BY year") == [
        (2018, 69),
        (2019, 68),
        (2020, 69),
    ]
    assert (finding.tested, finding.broken) == (219, 13)
    assert ask(
        """SELECT codi_barri, list("any" ORDER BY "any") FROM (SELECT DISTINCT codi_barri, "any" FROM income) AS i
           WHERE NOT EXISTS (FROM rent_and_income AS r WHERE r.year = "any" AND r.codi_barri = i.codi_barri)
           GROUP BY codi_barri ORDER BY codi_barri"""
    ) == [
        (12, [2018, 2020]),
        (42, [2018, 2019, 2020]),
        (47, [2018, 2019, 2020]),
        (54, [2019]),
        (56, [2018, 2019, 2020]),
        (58, [2019]),
    ]
    assert ask("SELECT round(corr(monthly_rent, income), 4) FROM rent_and_income") == [(0.9207,)]


def test_weaker_matching_loses_more(ask: Ask) -> None:
    rents = """(SELECT year, neighbourhood, price FROM rents
                WHERE year BETWEEN 2018 AND 2020 AND average_rent = 'average rent (euro/month)')"""
    same_year = 'SELECT DISTINCT "any" AS year, nom_barri AS name, codi_barri FROM income'
    any_year = "SELECT DISTINCT NULL::BIGINT AS year, nom_barri AS name, codi_barri FROM income"
    folded = "SELECT NULL::BIGINT AS year, folded AS name, codi_barri FROM neighbourhood_names"

    def kept(names: str, name: str = "neighbourhood") -> str:
        """Pairs of year and neighbourhood with both, and rows of rents that are kept."""
        return f"""SELECT count(DISTINCT (r.year, codi_barri)), count(*) FROM {rents} AS r JOIN ({names}) AS n
                   ON n.name = {name} AND coalesce(n.year, r.year) = r.year"""

    queries = (kept(same_year), kept(any_year), kept(folded, FOLDED.format("neighbourhood")))
    assert sorted(ask(" UNION ALL ".join(queries))) == [(143, 568), (148, 588), (197, 772)]
